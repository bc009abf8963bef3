"""Types of columns, found from all their values."""

import json
import logging
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from sentiment.errors import InputError

logger = logging.getLogger(__name__)

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,14}|(0|[1-9][0-9]*)\.[0-9]+)([eE][-+]?[0-9]{1,2})?")
"""Numbers as they are usually written and that a number can hold: not 007, not an id of 20 digits."""


class ColumnTypes:
    """The columns of rows that are added part by part, and the type of each.

    Args:
        textual: whether all values are text, in which numbers are to be found.
        text_columns: columns that stay text.
    """

    def __init__(self, textual: bool, text_columns: set[str]) -> None:
        self._textual, self._text_columns = textual, text_columns
        self._kinds: dict[str, pa.DataType | None] = {}
        """Type of each column so far; None if it has values of different types, which become JSON text."""

    @property
    def names(self) -> list[str]:
        """Names of the columns, in the order of their first values."""
        return list(self._kinds)

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Take more rows into account."""
        for name in dict.fromkeys(name for row in rows for name in row):
            values = [row.get(name) for row in rows]
            before = self._kinds.get(name, pa.null())
            if before is not None:
                found = self._number_type(name, values) if self._textual else _arrow_type(values)
                self._kinds[name] = _common_type(before, found)

    def _number_type(self, name: str, values: Sequence[Any]) -> pa.DataType | None:
        if name in self._text_columns:
            return None
        found = [value for value in values if value]
        if not found:
            return pa.null()
        if all(map(_INTEGER.fullmatch, found)):
            return pa.int64()
        return pa.float64() if all(map(_NUMBER.fullmatch, found)) else None

    def types(self) -> dict[str, pa.DataType]:
        """{name: type}; warns of columns that become JSON text."""
        for name, kind in self._kinds.items():
            if kind is None and not self._textual:
                logger.warning("column %r has values that are not of one type; it is written as JSON text.", name)
        return {
            name: pa.string() if kind is None or pa.types.is_null(kind) else kind for name, kind in self._kinds.items()
        }

    def convert(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row with its numbers as numbers, if all values are text."""
        return {name: self._converted(name, value) for name, value in row.items()} if self._textual else dict(row)

    def _converted(self, name: str, value: Any) -> Any:
        kind = self._kinds[name]
        if kind is None or not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            return value
        if value == "":
            return None
        return int(value) if pa.types.is_integer(kind) else float(value)


def _arrow_type(values: Sequence[Any]) -> pa.DataType | None:
    try:
        kind = pa.array([_encodable(value) for value in values]).type
    except (pa.ArrowException, OverflowError, ValueError, TypeError):
        return None
    return None if _has_empty_struct(kind) else kind


def _common_type(one: pa.DataType, other: pa.DataType | None) -> pa.DataType | None:
    if other is None:
        return None
    try:
        schemas = [pa.schema([("", one)]), pa.schema([("", other)])]
        return pa.unify_schemas(schemas, promote_options="permissive").field(0).type
    except pa.ArrowException:
        return None


def _has_empty_struct(kind: pa.DataType) -> bool:
    """Whether a type contains a struct without fields, which parquet cannot store."""
    if pa.types.is_struct(kind) and kind.num_fields == 0:
        return True
    return any(_has_empty_struct(kind.field(index).type) for index in range(kind.num_fields))


def as_table(rows: Sequence[Mapping[str, Any]], kinds: Mapping[str, pa.DataType]) -> pa.Table:
    """Rows as a table with the given columns; values that are not of a column's type become JSON text."""
    columns = {}
    for name, kind in kinds.items():
        values = [_encodable(row.get(name)) for row in rows]
        if pa.types.is_string(kind):
            values = [value if value is None or isinstance(value, str) else json_text(value) for value in values]
        columns[_encodable(name)] = pa.array(values, kind)
    return pa.table(columns)


def _encodable(value: Any) -> Any:
    """A string without halves of surrogate pairs, which JSON and command lines allow but UTF-8 does not."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def json_text(value: Any) -> str:
    """A value as JSON that UTF-8 can encode; NaN and infinity, which JSON does not know, become null."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=plain, allow_nan=False)
    except ValueError:
        value = _without_nan(value)
        text = json.dumps(value, ensure_ascii=False, default=plain)
    return text if _is_encodable(text) else json.dumps(value, default=plain)


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nan(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def plain(value: Any) -> str:
    """A date, decimal or other value that JSON does not know, as text.

    Raises:
        InputError: for bytes.
    """
    if isinstance(value, bytes):
        raise InputError("a column contains bytes; choose an output that ends in .parquet, which can store them.")
    return str(value)
