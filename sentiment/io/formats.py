"""Formats of files of reviews, by the endings of their names."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

Format: TypeAlias = Literal["txt", "csv", "tsv", "json", "jsonl", "parquet", "xlsx"]
FORMATS: tuple[Format, ...] = get_args(Format)
ENDINGS: dict[str, Format] = {f".{name}": name for name in FORMATS} | {".ndjson": "jsonl"}
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
"""{ending of the name: name of the compression in pyarrow}."""
READABLE = f"{', '.join(f'.{name}' for name in FORMATS)}, or one of these and .gz or .zst"


@dataclass(frozen=True)
class FileFormat:
    """Format and compression of a file."""

    name: Format
    compression: str | None = None
    """"gzip", "zstd" or None."""


def format_of(file: Path, given: Format | None = None) -> FileFormat | None:
    """Format of a file by the ending of its name, in upper or lower case; None if it is not known.

    Args:
        file: the file, or "-" for standard input or output.
        given: the format, if the caller knows it; then the name only tells the compression.
    """
    endings = [ending.lower() for ending in file.suffixes]
    compression = COMPRESSIONS.get(endings[-1]) if endings else None
    inner = endings[:-1] if compression else endings
    name = given or (ENDINGS.get(inner[-1]) if inner else None)
    return None if name is None else FileFormat(name, compression)
