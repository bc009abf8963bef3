"""What runs on the nodes of a Ray cluster: read files in chunks, predict a chunk and write it as one shard.

A chunk is a row of the dataset, so that its borders do not depend on how Ray divides its blocks. A shard is named after
the file and the first row of its chunk. So a chunk that is predicted again, after a node is lost, replaces its shard.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sentiment.config import DataConfig
from sentiment.errors import InputError, RunError
from sentiment.inference.arrow import append_predictions
from sentiment.inference.base import Predictor
from sentiment.tables.chunk import Chunk, columns_of
from sentiment.tables.reader import read_chunks
from sentiment.tables.remote import OutputDirectory, local_copy
from sentiment.tables.values import as_table
from sentiment.tables.writer import added_names

CHUNK = pa.schema(
    {
        "file": pa.int64(),
        "row": pa.int64(),
        "rows": pa.int64(),
        "position": pa.int64(),
        "without_text": pa.int64(),
        "problems": pa.list_(pa.string()),
        "columns": pa.list_(pa.string()),
        "table": pa.large_binary(),
        "texts": pa.large_binary(),
        "error": pa.string(),
        "wrong_input": pa.bool_(),
    }
)
"""A chunk: number of its file, its first row, rows read, bytes of the file read so far, rows without a text, messages
about rows that cannot be read, names of its columns; the rows (Arrow) and reviews (JSON), null if the shard is there
already. After the last chunk of a file comes one without rows, at the position -1. What cannot be read or written has
an error."""
SOURCE_FILE, SOURCE_ROW = "source_file", "source_row"
"""Names of the columns that say where a row comes from: its file, and its number in it, from 0."""


def shard_name(file: int, row: int) -> str:
    """Name of the shard of the chunk that begins with a row of a file."""
    return f"part-{file:06d}-{row:012d}.parquet"


def chunks_of_files(batch: Mapping[str, Any], data: DataConfig, output: OutputDirectory) -> Iterator[pa.Table]:
    """Read the files of a batch: yields one row of `CHUNK` per chunk, and one at the end of each file."""
    for file, name in zip(batch["file"].tolist(), batch["name"].tolist(), strict=True):
        row = 0
        try:
            with local_copy(name) as path:
                for chunk in read_chunks([path], data):
                    there = output.exists(shard_name(file, row))
                    yield _row(file, row, chunk, b"" if there else _rows_as_arrow(chunk, name, row))
                    row += chunk.rows_read
            yield _row(file, row, None, b"")
        except (InputError, RunError) as error:
            failed = {"file": file, "row": row, "error": str(error), "wrong_input": isinstance(error, InputError)}
            yield pa.Table.from_pylist([failed], CHUNK)


def _row(file: int, row: int, chunk: Chunk | None, table: bytes) -> pa.Table:
    if chunk is None:
        return pa.Table.from_pylist([{"file": file, "row": row, "rows": 0, "position": -1}], CHUNK)
    described = {
        "file": file,
        "row": row,
        "rows": chunk.rows_read,
        "position": chunk.position,
        "without_text": chunk.texts.count(None),
        "problems": chunk.problems,
        "columns": columns_of(chunk.rows),
        "table": table or None,
        "texts": json.dumps(["" if text is None else text for text in chunk.texts]).encode() if table else None,
    }
    return pa.Table.from_pylist([described], CHUNK)


def _rows_as_arrow(chunk: Chunk, name: str, first: int) -> bytes:
    """The rows that could be read, with their source, in Arrow's IPC format; b"" if there are none."""
    if not chunk.texts:
        return b""
    if isinstance(chunk.rows, pa.Table):
        table = chunk.rows
    else:  # each chunk sees only some of the values, so all columns are text: the same type in every shard
        table = as_table(chunk.rows, dict.fromkeys(columns_of(chunk.rows), pa.string()))
    names = added_names(table.column_names, (SOURCE_FILE, SOURCE_ROW))
    table = table.append_column(names[SOURCE_FILE], pa.array([name] * len(table), pa.string()))
    table = table.append_column(names[SOURCE_ROW], pa.array([first + index for index in chunk.indices], pa.int64()))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


class ChunkScorer:
    """Predicts chunks and writes their shards; holds the model.

    Args:
        classifier: the model.
        device: device to compute on.
        output: directory of the shards.
    """

    def __init__(self, classifier: Predictor, device: str, output: OutputDirectory) -> None:
        self.classifier, self.output = classifier.to(device), output

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Rows of `CHUNK` → the same without the rows and reviews, once their shards are written."""
        chunks = batch.to_pylist()
        for chunk in chunks:
            table, texts = chunk.pop("table"), chunk.pop("texts")
            if table is not None:
                try:
                    self._write(chunk["file"], chunk["row"], table, json.loads(texts))
                except RunError as error:
                    chunk |= {"error": str(error), "wrong_input": False}
        return pa.Table.from_pylist(chunks, CHUNK)

    def _write(self, file: int, row: int, content: bytes, texts: Sequence[str]) -> None:
        with pa.ipc.open_stream(content) as reader:
            table = append_predictions(reader.read_all(), self.classifier.predict_columns(texts))
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink)
        self.output.write(shard_name(file, row), bytes(sink.getvalue()))
