"""`Chunk`, consecutive rows of a file: what the reader yields."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa

from sentiment.tables.opening import STANDARD_INPUT

CHUNK_ROWS = 1024
FIRST_ROWS = 100
"""Rows from which the column of the review is chosen."""

Rows: TypeAlias = list[dict[str, Any]] | pa.Table
"""Rows with all their columns: dictionaries, or a table if they come from parquet, which keeps the types."""


@dataclass(frozen=True)
class Chunk:
    """Consecutive rows of a file."""

    file: Path
    text_column: str
    rows: Rows
    """The rows that could be read, with all columns."""
    texts: list[str | None]
    """The reviews of these rows; None for a row without a text (null, or only white space)."""
    places: list[str]
    """Places of these rows in the file, such as "line 7"."""
    indices: list[int]
    """Numbers of these rows among all rows of the chunk, from 0; rows that could not be read count, too."""
    problems: list[str]
    """A message for each row that could not be read."""
    position: int
    """Number of (compressed) bytes that were read up to here, of all files."""

    @property
    def rows_read(self) -> int:
        """Number of rows in this chunk, including those that could not be read."""
        return len(self.texts) + len(self.problems)


def columns_of(rows: Rows) -> list[str]:
    """Names of the columns of rows."""
    if isinstance(rows, pa.Table):
        return list(rows.column_names)
    return list(dict.fromkeys(name for row in rows for name in row))


def described(file: Path) -> str:
    """Name of a file in messages."""
    return "standard input" if file == STANDARD_INPUT else str(file)


def total_size(files: Sequence[Path]) -> int | None:
    """`Chunk.position` after the last chunk; None for standard input."""
    return None if STANDARD_INPUT in files else sum(file.stat().st_size for file in files)
