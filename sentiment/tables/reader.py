"""Read files of reviews in chunks, so that long files do not need more memory: the one reader of all commands.

A row that cannot be read does not stop the reading: the chunk contains a message about it, and the caller decides what
to do. A row without a text is not such a row: its text is None.
"""

import functools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from io import BufferedReader, BytesIO, TextIOWrapper
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO

from sentiment.config import DataConfig
from sentiment.errors import InputError
from sentiment.io.formats import FileFormat
from sentiment.tables.chunk import CHUNK_ROWS, FIRST_ROWS, Chunk, described, total_size
from sentiment.tables.columns import choose_text_column, is_text_name
from sentiment.tables.delimited import DELIMITERS, csv_records
from sentiment.tables.excel import excel_records
from sentiment.tables.opening import STANDARD_INPUT, buffered, check_readable, likely_encoding, open_binary, open_text
from sentiment.tables.parquet import parquet_chunks
from sentiment.tables.records import Record, json_records, jsonl_records, line_records

CHUNK_CHARACTERS = 4_000_000
MOST_FIRST_ROWS = 10_000
"""Rows that are read to find `FIRST_ROWS` that can be read."""


def read_chunks(files: Sequence[Path], config: DataConfig, label_column: str | None = None) -> Iterator[Chunk]:
    """Read files in chunks.

    Args:
        files: the files; "-" is standard input.
        config: format, encoding, delimiter, header, and the column of the review.
        label_column: a column that is not the review.

    Raises:
        InputError: if a file cannot be read, or the column of the review is missing or not clear.
        RunError: if a library for the format is not installed.
    """
    before = 0
    for file in files:
        found, name = check_readable(file, config.format), described(file)
        try:
            with open_binary(file, found.compression) as (content, stored):
                parquet = found.name == "parquet"
                read = parquet_chunks if parquet else _record_chunks
                for chunk in read(content, stored, file, found, config, label_column):
                    yield replace(chunk, position=before + chunk.position)
        except OSError as error:
            raise InputError(f"{name}: cannot be read: {error.strerror or ' '.join(str(error).split())}.") from error
        except UnicodeError as error:  # other encodings give surrogates, not errors
            raise InputError(f"{name}: not {config.encoding or 'utf-16'}: {' '.join(str(error).split())}.") from error
        before += total_size([file]) or 0


def line_chunks(stream: BinaryIO, size: int) -> Iterator[Chunk]:
    """Chunks of at most `size` rows from standard input with one review per line.

    Raises:
        InputError: if the stream is not text, or its first line shows that it is a table.
    """
    text = open_text(buffered(stream), STANDARD_INPUT, None, "\n")
    records = _not_a_table(line_records(text, str), "standard input")
    try:
        yield from _chunks(records, STANDARD_INPUT, "text", int, size)
    except UnicodeError as error:
        raise InputError(f"standard input: not {text.encoding}: {' '.join(str(error).split())}.") from error
    text.detach()  # otherwise it closes standard input


def _not_a_table(records: Iterator[Record], where: str) -> Iterator[Record]:
    """The lines, after a check that the first one is not the start of a table.

    Raises:
        InputError: if it is.
    """
    for first in records:
        if first.values is not None and (found := table_format(first.values["text"])) is not None:
            option = "--input - " if where == "standard input" else ""
            raise InputError(
                f"{where}: the first line is not a review but the start of a table; add {option}--input-format {found} "
                f"(or {option}--input-format txt, if it is a review)."
            )
        yield first
        break
    yield from records


def table_format(line: str) -> str | None:
    """Format of a table, if a line is its first: a JSON object, or names of columns of which one is known."""
    start = line.strip()
    if start.startswith('{"'):
        return "jsonl"
    if start.startswith("[{") or start in ("[", "{"):
        return "json"
    for delimiter in DELIMITERS:
        names = [name.strip(' "') for name in line.split(delimiter)]
        short = all(name.replace(" ", "_").isidentifier() and name.count(" ") < 3 for name in names)
        if len(names) > 1 and short and any(map(is_text_name, names)):
            return "tsv" if delimiter == "\t" else "csv"
    return None


def _record_chunks(
    content: BufferedReader,
    stored: BinaryIO,
    file: Path,
    found: FileFormat,
    config: DataConfig,
    label_column: str | None,
) -> Iterator[Chunk]:
    @functools.cache
    def encoding_advice() -> str:
        return "" if config.encoding is not None else _encoding_advice(file, found)

    stream, records = _records(content, file, found, config, encoding_advice)
    start: list[Record] = []
    columns: dict[str, list[Any]] = {}
    good = 0
    for record in islice(records, MOST_FIRST_ROWS):
        start.append(record)
        for name, value in (record.values or {}).items():
            columns.setdefault(name, []).append(value)
        good += record.values is not None
        if good == FIRST_ROWS:
            break
    if not columns:
        text_column = config.text_column or "text"
    elif found.name == "txt":
        text_column = "text"
    else:
        text_column = choose_text_column(described(file), columns, config.text_column, label_column)

    if found.name == "xlsx":
        start, records = list(_as_text(start, text_column)), _as_text(records, text_column)

    def position() -> int:
        return 0 if file == STANDARD_INPUT else stored.tell()

    yield from _chunks(chain(start, records), file, text_column, position, CHUNK_ROWS)
    if stream is not None:
        stream.detach()  # otherwise it closes standard input


def _as_text(records: Iterable[Record], column: str) -> Iterator[Record]:
    """The rows of a spreadsheet, in which a review such as 1984 is stored as a number."""
    for record in records:
        if record.values is not None and isinstance(record.values.get(column), int | float):
            record = replace(record, values=record.values | {column: str(record.values[column])})
        yield record


def _encoding_advice(file: Path, found: FileFormat) -> str:
    likely = likely_encoding(file, found.compression)
    if likely is None:
        return "; give the encoding of the file with --encoding"
    return "" if likely == "utf-8" else f"; the file looks like {likely}: add --encoding {likely}"


def _records(
    content: BufferedReader, file: Path, found: FileFormat, config: DataConfig, encoding_advice: Callable[[], str]
) -> tuple[TextIOWrapper | None, Iterator[Record]]:
    """The text of a file, if it is one, and its rows."""
    if found.name == "xlsx":
        return None, excel_records(BytesIO(content.read()), described(file), config.header)
    tabular = found.name in ("csv", "tsv")
    # the csv module finds line ends itself; a line of JSON has no other
    newline = "" if tabular else None if found.name == "txt" else "\n"
    stream = open_text(content, file, config.encoding, newline)
    if tabular:
        usual = "\t" if found.name == "tsv" else ","
        return stream, csv_records(stream, described(file), config, usual, encoding_advice)
    if found.name == "json":
        return stream, json_records(stream, described(file), encoding_advice)
    if found.name == "jsonl":
        return stream, jsonl_records(stream, encoding_advice)
    lines = line_records(stream, encoding_advice)
    return stream, lines if config.format == "txt" else _not_a_table(lines, described(file))


def _chunks(
    records: Iterable[Record], file: Path, text_column: str, position: Callable[[], int], size: int
) -> Iterator[Chunk]:
    """Group records into chunks of at most `size` rows and about `CHUNK_CHARACTERS` characters."""
    rows: list[dict[str, Any]] = []
    texts: list[str | None] = []
    places: list[str] = []
    indices: list[int] = []
    problems: list[str] = []
    characters = 0
    for record in records:
        problem = record.problem
        if record.values is not None:
            text = record.values.get(text_column)
            if isinstance(text, float) and math.isnan(text):
                text = None
            if text_column not in record.values:
                problem = f"the row has no {text_column!r}"
            elif text is not None and not isinstance(text, str):
                problem = f"column {text_column!r} contains {_described(text)}, not text"
        if problem or record.values is None:
            problems.append(f"{record.place}: {problem}")
        else:
            rows.append(record.values)
            indices.append(len(texts) + len(problems))
            texts.append(text if text and text.strip() else None)
            places.append(record.place)
            characters += len(text or "")
        if len(texts) + len(problems) >= size or characters > CHUNK_CHARACTERS:
            yield Chunk(file, text_column, rows, texts, places, indices, problems, position())
            rows, texts, places, indices, problems, characters = [], [], [], [], [], 0
    if texts or problems:
        yield Chunk(file, text_column, rows, texts, places, indices, problems, position())


def _described(value: Any) -> str:
    return {dict: "an object", list: "a list", bool: "true or false"}.get(type(value), "a number")
