"""Write rows with added columns as .csv, .jsonl or .parquet.

The output is written in parts, one per chunk, and joined at the end. All parts must have the columns of the first.
"""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sentiment.batch.readers import CHUNK_ROWS, Rows, columns_of
from sentiment.errors import InputError

WRITABLE = (".csv", ".jsonl", ".parquet")


def added_names(columns: Sequence[str], wanted: Sequence[str]) -> dict[str, str]:
    """{column to add: its name in the output}; `predicted_...` if the input already has a column of that name."""
    names = {}
    for name in wanted:
        names[name] = name
        while names[name] in columns:
            names[name] = f"predicted_{names[name]}"
    return names


def write_rows(file: Path, suffix: str, rows: Rows, added: dict[str, list[Any]], template: Path | None) -> None:
    """Write one part: the rows, with the added columns last.

    Args:
        file: file to write.
        suffix: ".csv", ".jsonl" or ".parquet".
        rows: rows of the input.
        added: columns to add, one value per row.
        template: an earlier part of the same output, which has the columns that these rows must have; None for the
            first part.

    Raises:
        InputError: if the rows do not fit the columns, or the format cannot store a value.
    """
    if suffix == ".parquet":
        pq.write_table(_as_table(rows, added, None if template is None else pq.read_schema(template)), file)
        return
    plain = rows.to_pylist() if isinstance(rows, pa.Table) else rows
    joined = [row | {name: values[index] for name, values in added.items()} for index, row in enumerate(plain)]
    if suffix == ".jsonl":
        file.write_bytes(b"".join(_json_line(row) for row in joined))
        return
    header = [*columns_of(rows), *added]
    if template is not None:
        with template.open(encoding="utf-8", newline="") as stream:
            first = next(csv.reader(stream))
        _check_same(first, header)
        header = first
    with file.open("w", encoding="utf-8", errors="backslashreplace", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        if template is None:
            writer.writerow(header)
        writer.writerows([_csv_field(row.get(name)) for name in header] for row in joined)


def join_files(parts: Sequence[Path], suffix: str, output: Path) -> None:
    """Join the parts that `write_rows` wrote into one file."""
    if suffix != ".parquet":
        with output.open("wb") as stream:
            for part in parts:
                stream.write(part.read_bytes())
        return
    tables: list[pa.Table] = []
    with pq.ParquetWriter(output, pq.read_schema(parts[0])) as writer:
        for index, part in enumerate(parts):
            tables.append(pq.read_table(part))
            enough = sum(map(len, tables)) >= 20_000 or sum(table.nbytes for table in tables) >= 2**26
            if enough or index == len(parts) - 1:
                writer.write_table(pa.concat_tables(tables))
                tables = []


def _check_same(first: Sequence[str], names: Sequence[str]) -> None:
    if extra := [name for name in names if name not in first]:
        raise InputError(
            f"column {extra[0]!r} is not in the first {CHUNK_ROWS} rows, so the output does not have it; "
            "choose an output that ends in .jsonl."
        )


def _as_table(rows: Rows, added: dict[str, list[Any]], schema: pa.Schema | None) -> pa.Table:
    try:
        if isinstance(rows, pa.Table):
            table = rows
        else:
            names = columns_of(rows)
            if schema is not None:
                _check_same(schema.names, names)
                names = [name for name in schema.names if name not in added]
            table = pa.table({name: [_storable(row.get(name)) for row in rows] for name in names})
        for name, values in added.items():
            kind = ADDED_TYPES[type(next((value for value in values if value is not None), ""))]
            table = table.append_column(name, pa.array(values, kind))
        return table if schema is None else table.cast(schema)
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        if isinstance(error, InputError):
            raise
        message = " ".join(str(error).split())[:200]
        raise InputError(
            f"a column has values of different types, or of a type that parquet cannot store ({message}); "
            "choose an output that ends in .jsonl."
        ) from error


ADDED_TYPES = {str: pa.string(), float: pa.float64(), int: pa.int64(), bool: pa.bool_()}


def _json_line(row: dict[str, Any]) -> bytes:
    line = json.dumps(row, ensure_ascii=False, default=_plain) + "\n"
    try:
        return line.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON allows but UTF-8 does not
        return (json.dumps(row, default=_plain) + "\n").encode()


def _csv_field(value: Any) -> Any:
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=_plain)
    return _plain(value) if isinstance(value, bytes) else value


def _plain(value: Any) -> str:
    if isinstance(value, bytes):
        raise InputError("a column contains bytes; choose an output that ends in .parquet, which can store them.")
    return str(value)


def _storable(value: Any) -> Any:
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
