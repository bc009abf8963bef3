"""Files that commands write: their format, and that they replace nothing that the user wants to keep."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pyarrow as pa

from sentiment.errors import InputError
from sentiment.io.files import atomic_file, expand_user
from sentiment.io.formats import FileFormat, format_of
from sentiment.tables.chunk import Chunk
from sentiment.tables.excel import check_fits
from sentiment.tables.opening import open_output
from sentiment.tables.writer import WRITABLE, write_rows


def output_format(output: Path) -> FileFormat:
    """Format of a file to write.

    Raises:
        InputError: if its name does not end like one that can be written.
    """
    found = format_of(output)
    if found is None or found.name not in WRITABLE:
        endings = ", ".join(f".{name}" for name in WRITABLE)
        raise InputError(f"{output}: the output must end in {endings}, or one of these and .gz or .zst.")
    return found


def check_output(output: Path, source: str, files: Sequence[Path], overwrite: bool) -> None:
    """Check that a file can be written without harm to others.

    Args:
        output: the file.
        source: the source of the reviews.
        files: files of the source.
        overwrite: whether an existing output may be replaced.

    Raises:
        InputError: if it is a directory, exists, or belongs to the source.
    """
    if output.is_dir():
        raise InputError(f"{output}: is a directory; choose another output.")
    if output.resolve() in [file.resolve() for file in files]:
        raise InputError(f"{output}: is also the input; choose another output.")
    directory = expand_user(source)
    if fnmatch(str(output.resolve()), str(directory.absolute())) or (
        directory.is_dir() and output.resolve().is_relative_to(directory.resolve())
    ):
        raise InputError(f"{output}: would be part of the input of the next run; write it outside of {source}.")
    if output.exists() and not output.is_file():
        raise InputError(f"{output}: not a regular file; write to a file, or to - for standard output.")
    if output.exists() and not overwrite:
        raise InputError(f"{output}: already exists; choose another output, or add --overwrite to replace it.")


def write_table(output: Path, rows: Sequence[Mapping[str, Any]], types: pa.Schema) -> None:
    """Write a file as a whole.

    Args:
        output: the file, in a format that its name tells (`output_format`).
        rows: the rows, with the columns of `types`.
        types: names and types of the columns.

    Raises:
        InputError: if the format cannot hold a value.
        RunError: if the file cannot be written, or a library for the format is not installed.
    """
    found, listed = output_format(output), [dict(row) for row in rows]
    places = [f"row {number}" for number in range(1, len(listed) + 1)]
    check_fits(Chunk(output, "", listed, [""] * len(listed), places, [], [], 0), len(listed), found)
    with atomic_file(output) as temporary, temporary.open("wb") as file, open_output(file, found.compression) as stream:
        write_rows(listed, {field.name: field.type for field in types}, stream, found)
