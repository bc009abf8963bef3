"""Write rows with added columns, in the formats that `reader` reads except .txt.

A job writes a part per chunk and joins the parts at the end; only then are all columns known, and the types of all
their values. Parts are JSON lines of [row, added values], or parquet if both the input and the output are parquet.
"""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from sentiment.io.formats import FileFormat
from sentiment.tables.chunk import Chunk
from sentiment.tables.excel import write_excel
from sentiment.tables.values import ColumnTypes, as_table, json_text, plain

_GROUP_ROWS, _GROUP_BYTES = 20_000, 2**26
"""Size of a row group in parquet."""


def part_ending(source: FileFormat, output: FileFormat) -> str:
    """Ending of the names of parts."""
    return ".parquet" if source.name == output.name == "parquet" else ".jsonl"


def write_part(file: Path, chunk: Chunk, added: Mapping[str, Sequence[Any]], types: pa.Schema, ending: str) -> None:
    """Write the rows of a chunk with added values.

    Args:
        file: file to write.
        chunk: the rows.
        added: values to add, one per row.
        types: their types.
        ending: see `part_ending`.

    Raises:
        InputError: if the rows contain bytes, and the output is not parquet.
    """
    if ending == ".parquet":
        table = chunk.rows
        assert isinstance(table, pa.Table)
        for name, values in added.items():
            table = table.append_column(name, pa.array(values, types.field(name).type))
        pq.write_table(table, file)
        return
    rows = chunk.rows.to_pylist() if isinstance(chunk.rows, pa.Table) else chunk.rows
    answers = zip(*added.values(), strict=True)
    lines = (json.dumps([row, answer], default=plain) for row, answer in zip(rows, answers, strict=True))
    file.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")


def join_parts(
    parts: Sequence[Path], stream: BinaryIO, output: FileFormat, types: pa.Schema, text_columns: set[str], textual: bool
) -> None:
    """Join parts into one file.

    Args:
        parts: files of `write_part`, in order.
        stream: where to write.
        output: format of the file.
        types: names and types of the added values. If the input has a column of that name, the added one is called
            `predicted_...`.
        text_columns: columns that stay text.
        textual: whether all values are text as it stands in a .csv or .tsv file. Then columns in which all are numbers
            become numbers.

    Raises:
        InputError: if the output cannot store a value.
        RunError: if a library for the format is not installed.
    """
    if parts[0].suffix == ".parquet":
        _join_tables(parts, stream, types)
        return
    columns = ColumnTypes(textual and output.name not in ("csv", "tsv"), text_columns)
    for part in parts:
        columns.add([row for row, _ in _lines(part)])
    names = added_names(columns.names, types.names)
    kinds = columns.types() | {names[field.name]: field.type for field in types}
    rows = (
        columns.convert(row) | dict(zip(names.values(), added, strict=True))
        for part in parts
        for row, added in _lines(part)
    )
    write_rows(rows, kinds, stream, output)


def added_names(columns: Iterable[str], wanted: Sequence[str]) -> dict[str, str]:
    """{column to add: its name in the output}; `predicted_...` if the input already has a column of that name."""
    taken, names = set(columns), {}
    for name in wanted:
        names[name] = name
        while names[name] in taken:
            names[name] = f"predicted_{names[name]}"
    return names


def _lines(part: Path) -> Iterator[tuple[dict[str, Any], list[Any]]]:
    with part.open(encoding="ascii") as stream:
        for line in stream:
            row, added = json.loads(line)
            yield row, added


def _join_tables(parts: Sequence[Path], stream: BinaryIO, types: pa.Schema) -> None:
    """Join parquet parts, whose last columns are the added ones."""
    schemas = [pq.read_schema(part) for part in parts]
    own = pa.unify_schemas([_without_last(schema, len(types)) for schema in schemas], promote_options="permissive")
    names = added_names(own.names, types.names)
    schema = pa.schema([*own, *(field.with_name(names[field.name]) for field in types)], own.metadata)
    with pq.ParquetWriter(stream, schema) as writer:
        tables: list[pa.Table] = []
        for part in parts:
            table = pq.ParquetFile(part).read()  # which allows two columns of one name
            table = table.rename_columns([*table.column_names[: -len(types)], *names.values()])
            tables.append(pa.concat_tables([schema.empty_table(), table], promote_options="permissive").cast(schema))
            if sum(map(len, tables)) >= _GROUP_ROWS or sum(table.nbytes for table in tables) >= _GROUP_BYTES:
                writer.write_table(pa.concat_tables(tables))
                tables = []
        if tables:
            writer.write_table(pa.concat_tables(tables))


def _without_last(schema: pa.Schema, count: int) -> pa.Schema:
    return pa.schema(list(schema)[:-count], schema.metadata)


Row = dict[str, Any]


def _write_delimited(rows: Iterable[Row], kinds: Mapping[str, pa.DataType], stream: BinaryIO, delimiter: str) -> None:
    def line(values: Sequence[Any]) -> bytes:
        writer.writerow(values)
        return (buffer.pop().removesuffix("\r\n") + "\n").encode("utf-8", "backslashreplace")

    buffer: list[str] = []
    writer = csv.writer(_Sink(buffer), delimiter=delimiter)  # with \r\n as line end, it also quotes a lone \r
    stream.write(line(list(kinds)))
    for row in rows:
        stream.write(line([_cell(row.get(name)) for name in kinds]))


class _Sink:
    """What `csv.writer` writes to."""

    def __init__(self, lines: list[str]) -> None:
        self.write = lines.append


def _cell(value: Any) -> Any:
    return json_text(value) if isinstance(value, list | dict) else value


def _write_jsonl(rows: Iterable[Row], _: Mapping[str, pa.DataType], stream: BinaryIO) -> None:
    for row in rows:
        stream.write(f"{json_text(row)}\n".encode())


def _write_json(rows: Iterable[Row], _: Mapping[str, pa.DataType], stream: BinaryIO) -> None:
    start = b"[\n"
    for row in rows:
        stream.write(start + json_text(row).encode())
        start = b",\n"
    stream.write(b"\n]\n")


def _write_parquet(rows: Iterable[Row], kinds: Mapping[str, pa.DataType], stream: BinaryIO) -> None:
    with pq.ParquetWriter(stream, as_table([], kinds).schema) as writer:
        for group in _groups(rows, _GROUP_ROWS):
            writer.write_table(as_table(group, kinds))


def _groups(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    group: list[Row] = []
    for row in rows:
        group.append(row)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group


_WRITERS: dict[str, Callable[[Iterable[Row], Mapping[str, pa.DataType], BinaryIO], None]] = {
    "csv": lambda rows, kinds, stream: _write_delimited(rows, kinds, stream, ","),
    "tsv": lambda rows, kinds, stream: _write_delimited(rows, kinds, stream, "\t"),
    "jsonl": _write_jsonl,
    "json": _write_json,
    "parquet": _write_parquet,
    "xlsx": lambda rows, kinds, stream: write_excel(
        ([_cell(row.get(name)) for name in kinds] for row in rows), list(kinds), stream
    ),
}
WRITABLE = tuple(_WRITERS)


def write_rows(rows: Iterable[Row], kinds: Mapping[str, pa.DataType], stream: BinaryIO, output: FileFormat) -> None:
    """Write rows in a format of `WRITABLE`; `kinds` are names and types of their columns."""
    _WRITERS[output.name](rows, kinds, stream)
