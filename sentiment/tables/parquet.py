"""The rows of parquet files, in chunks that keep the types of all columns."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sentiment.config import DataConfig
from sentiment.errors import InputError
from sentiment.io.formats import FileFormat
from sentiment.tables.chunk import CHUNK_ROWS, FIRST_ROWS, Chunk, described, total_size
from sentiment.tables.columns import choose_text_column
from sentiment.tables.opening import STANDARD_INPUT


def parquet_chunks(
    content: BufferedReader,
    stored: BinaryIO,
    file: Path,
    found: FileFormat,
    config: DataConfig,
    label_column: str | None,
) -> Iterator[Chunk]:
    """Chunks of a parquet file; the arguments are those of `reader.read_chunks` and `opening.open_binary`.

    Raises:
        InputError: if the file cannot be read, or the column of the review is missing, not clear, or not text.
    """
    name, rows = described(file), 0
    seekable = found.compression is None and file != STANDARD_INPUT
    try:
        # pre_buffer would load the whole file into memory
        parquet = pq.ParquetFile(file if seekable else BytesIO(content.read()), pre_buffer=False)
        tables = (pa.Table.from_batches([batch]) for batch in parquet.iter_batches(batch_size=CHUNK_ROWS))
        size = total_size([file]) or 0
        for chunk in table_chunks(tables, file, config, label_column):
            rows += chunk.rows_read
            yield replace(chunk, position=size * rows // parquet.metadata.num_rows)
    except (pa.ArrowException, OSError) as error:
        message = " ".join(str(error).split())[:200]
        where = f"cannot be read after row {rows}" if rows else "not a readable parquet file"
        raise InputError(f"{name}: {where}: {message}") from error


def table_chunks(
    tables: Iterable[pa.Table], file: Path, config: DataConfig, label_column: str | None = None
) -> Iterator[Chunk]:
    """A chunk for each table; see `read_chunks`.

    Args:
        tables: tables with the same columns.
        file: their file, or the id of their data set, for messages.
        config: the column of the review.
        label_column: a column that is not the review.

    Raises:
        InputError: if the column of the review is missing or not clear, or is not text.
    """
    text_column, row = None, 0
    for table in tables:
        if text_column is None:
            columns = _columns(table, described(file))
            text_column = choose_text_column(described(file), columns, config.text_column, label_column)
        yield _table_chunk(table, file, text_column, row)
        row += len(table)


def _columns(table: pa.Table, where: str) -> dict[str, list[Any]]:
    """The first values of each column that is text; other columns have none."""
    names = table.schema.names
    if repeated := [name for name in names if names.count(name) > 1]:
        raise InputError(f"{where}: column {repeated[0]!r} occurs twice; rename one.")
    first = table.slice(0, FIRST_ROWS)
    # as bytes, since a file can contain strings that are not UTF-8
    return {
        name: [value.decode(errors="replace") for value in _as_bytes(first.column(name)).drop_null().to_pylist()]
        if _is_text(first.schema.field(name).type)
        else []
        for name in names
    }


def _table_chunk(table: pa.Table, file: Path, text_column: str, begin: int) -> Chunk:
    column = table.column(text_column)
    if not _is_text(column.type):
        raise InputError(f"{described(file)}: column {text_column!r} contains {column.type}, not text.")
    texts, good, places, problems = [], [], [], []
    for index, value in enumerate(_as_bytes(column).to_pylist()):
        place = f"row {begin + index + 1}"
        try:
            text = None if value is None else value.decode()
        except UnicodeDecodeError:
            problems.append(f"{place}: contains bytes that are not UTF-8")
            continue
        texts.append(text if text and text.strip() else None)
        good.append(index)
        places.append(place)
    return Chunk(file, text_column, table.take(good) if problems else table, texts, places, good, problems, 0)


def _is_text(kind: pa.DataType) -> bool:
    """Whether a type holds text, in any of Arrow's ways; a column of nulls may be text."""
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        kind = kind.value_type
    kinds = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)
    return any(is_kind(kind) for is_kind in kinds)


def _as_bytes(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """A column of text as binary, since a file can contain strings that are not UTF-8."""
    if isinstance(column, pa.ChunkedArray):
        return pa.chunked_array([_as_bytes(chunk) for chunk in column.chunks], pa.large_binary())
    if isinstance(column, pa.DictionaryArray):
        column = column.dictionary.take(column.indices)
    elif pa.types.is_run_end_encoded(column.type):
        column = pc.run_end_decode(column)
    if pa.types.is_string_view(column.type):
        column = pc.cast(column, pa.binary_view())
    return pc.cast(column, pa.large_binary())
