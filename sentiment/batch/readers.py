"""Read files of reviews in chunks, so that long files do not need more memory.

The formats are .txt (one review per line), .csv, .jsonl and .parquet. A row that cannot be read does not stop the
reading: the chunk contains a message about it, and the caller decides what to do.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sentiment.errors import InputError

READABLE = (".txt", ".csv", ".jsonl", ".parquet")
CHUNK_ROWS = 1024
CHUNK_CHARACTERS = 4_000_000
ROW_BYTES = 64 * 2**20
"""Maximum size of a line or CSV field; anything longer is a damaged file, not a review."""

Rows: TypeAlias = list[dict[str, Any]] | pa.Table
"""Rows with all their columns: dictionaries, or a table if they come from parquet, which keeps the types."""


@dataclass(frozen=True)
class Chunk:
    """Consecutive rows of a file."""

    rows: Rows
    """The rows that could be read, with all columns."""
    texts: list[str]
    """The reviews of these rows."""
    problems: list[str]
    """A message for each row that could not be read."""
    position: int
    """Position in the file after this chunk, in bytes; in rows for parquet."""

    @property
    def rows_read(self) -> int:
        """Number of rows in this chunk, including those that could not be read."""
        return len(self.texts) + len(self.problems)


@dataclass(frozen=True)
class Record:
    """One row: its columns, or None and the problem."""

    where: str
    values: dict[str, Any] | None
    problem: str = ""


def check_readable(file: Path) -> None:
    """Check that a file can contain reviews.

    Raises:
        InputError: if the file is missing, empty or of an unknown format.
    """
    if not file.is_file():
        raise InputError(f"{file}: {'not a regular file' if file.exists() else 'no such file'}.")
    if file.suffix.lower() not in READABLE:
        raise InputError(f"{file}: the file name must end in {', '.join(READABLE)}.")
    if file.stat().st_size == 0:
        raise InputError(f"{file}: the file is empty.")


def total_size(file: Path) -> int:
    """`Chunk.position` at the end of the file."""
    if file.suffix.lower() == ".parquet":
        return int(_open_parquet(file).metadata.num_rows)
    return file.stat().st_size


def read_chunks(file: Path, text_column: str, start: int = 0) -> Iterator[Chunk]:
    """Read a file in chunks, from row `start`.

    A row with bytes that are not UTF-8 cannot be read. Blank lines in .csv and .jsonl are ignored.

    Raises:
        InputError: if the file cannot be read, or has no column `text_column`.
    """
    check_readable(file)
    suffix = file.suffix.lower()
    if suffix == ".parquet":
        yield from _parquet_chunks(file, text_column, start)
        return
    try:
        with file.open("rb") as stream:
            records: Iterator[Record]
            if suffix == ".csv":
                records = _csv_records(stream, file, text_column)
            elif suffix == ".jsonl":
                records = _jsonl_records(stream, file, text_column)
            else:
                records = text_records(stream)
                text_column = "text"
            yield from chunks(islice(records, start, None), text_column, stream.tell)
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror or error}.") from error


def chunks(
    records: Iterator[Record], text_column: str, position: Callable[[], int], size: int = CHUNK_ROWS
) -> Iterator[Chunk]:
    """Group records into chunks of at most `size` rows and about `CHUNK_CHARACTERS` characters."""
    rows: list[dict[str, Any]] = []
    texts: list[str] = []
    problems: list[str] = []
    characters = 0
    for record in records:
        text = None if record.values is None else record.values.get(text_column)
        if record.values is not None and isinstance(text, str):
            rows.append(record.values)
            texts.append(text)
            characters += len(text)
        else:
            found = "no text" if text is None else f"{type(text).__name__}, not text"
            problems.append(f"{record.where}: {record.problem or f'column {text_column!r} contains {found}'}")
        if len(texts) + len(problems) >= size or characters > CHUNK_CHARACTERS:
            yield Chunk(rows, texts, problems, position())
            rows, texts, problems, characters = [], [], [], 0
    if texts or problems:
        yield Chunk(rows, texts, problems, position())


def text_records(stream: BinaryIO) -> Iterator[Record]:
    """One review per line, in the column `text`; an empty line is an empty review."""
    for where, line, problem in _lines(stream):
        yield Record(where, None if problem else {"text": line}, problem)


def _lines(stream: BinaryIO) -> Iterator[tuple[str, str, str]]:
    """Yield (where, line without line end, problem) for each line."""
    number = 0
    while line := stream.readline(ROW_BYTES):
        number += 1
        where = f"line {number}"
        if len(line) == ROW_BYTES and not line.endswith(b"\n"):
            while (rest := stream.readline(ROW_BYTES)) and not rest.endswith(b"\n"):
                pass
            yield where, "", f"longer than {ROW_BYTES} bytes"
            continue
        try:
            text = line.removeprefix(b"\xef\xbb\xbf" if number == 1 else b"").rstrip(b"\r\n").decode()
        except UnicodeDecodeError as error:
            yield where, "", _not_utf8(error)
        else:
            yield where, text, ""


def _not_utf8(error: UnicodeDecodeError) -> str:
    return f"byte {error.start + 1} is not UTF-8"


def _jsonl_records(stream: BinaryIO, file: Path, text_column: str) -> Iterator[Record]:
    first = True
    for where, line, problem in _lines(stream):
        if problem:
            yield Record(where, None, problem)
            continue
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield Record(where, None, f"not valid JSON: {' '.join(str(error).split())}")
        else:
            if not isinstance(values, dict):
                yield Record(where, None, f"contains a JSON {type(values).__name__}, not an object")
                continue
            if first:
                _check_column(file, text_column, list(values))
                first = False
            yield Record(where, values)


def _csv_records(stream: BinaryIO, file: Path, text_column: str) -> Iterator[Record]:
    csv.field_size_limit(ROW_BYTES)
    # bytes that are not UTF-8 become surrogates, so that they affect only their own row
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    reader = csv.reader(text, strict=True)
    try:
        header = next((fields for fields in reader if fields), [])
    except csv.Error as error:
        raise InputError(f"{file}: the header cannot be read: {error}.") from error
    _check_column(file, text_column, header)
    if repeated := {name for name in header if header.count(name) > 1}:
        raise InputError(f"{file}: column {repeated.pop()!r} occurs twice in the header; rename one.")
    while True:
        first_line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            yield Record(_csv_where(first_line, reader.line_num), None, str(error))
            continue
        if not fields:
            continue
        where = _csv_where(first_line, reader.line_num)
        if len(fields) != len(header):
            yield Record(where, None, f"{len(fields)} fields, but the header has {len(header)}")
        elif any("\ud800" <= character <= "\udfff" for field in fields if not field.isascii() for character in field):
            yield Record(where, None, "bytes that are not UTF-8")
        else:
            yield Record(where, dict(zip(header, fields, strict=True)))
    text.detach()


def _csv_where(first_line: int, last_line: int) -> str:
    return f"line {first_line}" if last_line <= first_line else f"lines {first_line} to {last_line}"


def _check_column(file: Path, text_column: str, columns: Sequence[str]) -> None:
    if text_column not in columns:
        names = ", ".join(map(repr, columns))
        raise InputError(f"{file}: no column {text_column!r}; its columns are {names}. Choose one with --text-column.")


def _open_parquet(file: Path) -> pq.ParquetFile:
    try:
        # pre_buffer would load the whole file into memory
        return pq.ParquetFile(file, pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{file}: not a readable parquet file: {' '.join(str(error).split())[:200]}") from error


def _parquet_chunks(file: Path, text_column: str, start: int) -> Iterator[Chunk]:
    parquet = _open_parquet(file)
    _check_column(file, text_column, parquet.schema_arrow.names)
    kind = parquet.schema_arrow.field(text_column).type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise InputError(f"{file}: column {text_column!r} contains {kind}, not text.")
    row = 0
    try:
        for batch in parquet.iter_batches(batch_size=CHUNK_ROWS):
            begin, row = row, row + len(batch)
            if row <= start:
                continue
            part = batch.slice(max(0, start - begin))
            yield _parquet_chunk(pa.Table.from_batches([part]), text_column, row - len(part), row)
    except (pa.ArrowException, OSError) as error:
        message = " ".join(str(error).split())[:200]
        raise InputError(f"{file}: cannot be read after row {row}: {message}") from error


def _parquet_chunk(table: pa.Table, text_column: str, begin: int, position: int) -> Chunk:
    texts, good, problems = [], [], []
    # as bytes, since a file can contain strings that are not UTF-8
    for index, value in enumerate(pc.cast(table.column(text_column), pa.large_binary()).to_pylist()):
        try:
            if value is None:
                problems.append(f"row {begin + index + 1}: column {text_column!r} contains no text")
            else:
                texts.append(value.decode())
                good.append(index)
        except UnicodeDecodeError as error:
            problems.append(f"row {begin + index + 1}: {_not_utf8(error)}")
    return Chunk(table.take(good) if problems else table, texts, problems, position)


def columns_of(rows: Rows) -> list[str]:
    """Column names of rows."""
    if isinstance(rows, pa.Table):
        return list(rows.column_names)
    return list(dict.fromkeys(name for row in rows for name in row))
