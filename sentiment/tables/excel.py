"""Read and write .xlsx files with openpyxl."""

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, BinaryIO

import pyarrow as pa

from sentiment.errors import InputError, RunError
from sentiment.io.formats import FileFormat
from sentiment.tables.chunk import Chunk
from sentiment.tables.records import Record, column_names

logger = logging.getLogger(__name__)

MOST_CHARACTERS, MOST_ROWS = 32_767, 1_048_575
"""Maximum length of a cell, and number of rows below the header, of an .xlsx file."""
_ILLEGAL = re.compile("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\ud800-\\udfff\\ufffe\\uffff]")
"""Characters that XML does not allow."""


def excel_records(stream: BinaryIO, where: str, header: bool) -> Iterator[Record]:
    """The rows of the first sheet that has any. Numbers stay numbers, dates become text.

    A formula is read as its stored result; empty rows at the end are left out.

    Args:
        stream: the file.
        where: its name, for messages.
        header: whether the first row names the columns; otherwise they are called 1, 2, 3, ...

    Raises:
        InputError: if the file is not .xlsx.
        RunError: if openpyxl is not installed.
    """
    openpyxl = _openpyxl()
    number, names, empty = 0, None, 0
    try:
        book = openpyxl.load_workbook(stream, read_only=True, data_only=True)
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # many programs write wrong ones
            for number, row in enumerate(sheet.iter_rows(values_only=True), 1):
                if all(cell is None for cell in row):
                    empty += 1
                    continue
                if names is None:
                    empty = 0
                    names = [str(index) for index in range(1, len(row) + 1)]
                    if header:
                        names = column_names(["" if cell is None else str(cell) for cell in row], where)
                        continue
                for skipped in range(number - empty, number):
                    yield _record(skipped, names, ())
                empty = 0
                yield _record(number, names, row)
            if names is not None:
                _say_which(where, sheet.title, [other.title for other in book.worksheets if other is not sheet])
                return
    except InputError:
        raise
    except Exception as error:  # a damaged file raises errors of zipfile, XML parsers and openpyxl
        reason = " ".join(str(error).split())[:200]
        if number:
            raise InputError(f"{where}: cannot be read after row {number}: {reason}.") from error
        raise InputError(f"{where}: not an .xlsx file ({reason}); save an old .xls file as .xlsx.") from error


def _say_which(where: str, read: str, others: Sequence[str]) -> None:
    if others:
        logger.warning("%s: only the sheet %r was read, not %s.", where, read, ", ".join(map(repr, others)))


def _record(number: int, names: Sequence[str], row: Sequence[Any]) -> Record:
    place = f"row {number}"
    if any(cell is not None for cell in row[len(names) :]):
        return Record(place, None, f"{len(row)} cells, but the header has {len(names)}")
    cells = [*row[: len(names)], *[None] * (len(names) - len(row))]
    return Record(place, {name: _value(cell) for name, cell in zip(names, cells, strict=True)})


def _stored(value: Any) -> Any:
    """A value as .xlsx can hold it: Excel keeps 15 digits, so longer whole numbers become text."""
    if isinstance(value, int) and abs(value) >= 10**15:
        return str(value)
    return _ILLEGAL.sub("\ufffd", value) if isinstance(value, str) else value


def _value(cell: Any) -> Any:
    return cell if cell is None or isinstance(cell, str | bool | int | float) else str(cell)


def check_fits(chunk: Chunk, end: int, output: FileFormat) -> None:
    """Check that an output can hold rows.

    Args:
        chunk: the rows.
        end: number of rows of the output with this chunk.
        output: format of the output; only .xlsx has limits.

    Raises:
        InputError: if there are too many rows, or a text is too long.
    """
    if output.name != "xlsx":
        return
    if end > MOST_ROWS:
        raise InputError(f"an .xlsx file holds at most {MOST_ROWS:,} rows; choose another output, such as .csv.")
    rows = chunk.rows.to_pylist() if isinstance(chunk.rows, pa.Table) else chunk.rows
    for row, place in zip(rows, chunk.places, strict=True):
        for name, value in row.items():
            if isinstance(value, str) and len(value) > MOST_CHARACTERS:
                raise InputError(
                    f"{place}: column {name!r} has {len(value):,} characters, but a cell of an .xlsx file at most "
                    f"{MOST_CHARACTERS:,}; choose another output, such as .csv."
                )


def write_excel(rows: Iterable[Sequence[Any]], header: Sequence[str], stream: BinaryIO) -> None:
    """Write one sheet; characters that .xlsx cannot store, such as NUL, become U+FFFD, with a warning.

    Raises:
        RunError: if openpyxl is not installed.
    """
    openpyxl = _openpyxl()
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    replaced = 0
    for values in chain([header], rows):
        cells = []
        for value in values:
            stored = _stored(value)
            replaced += isinstance(value, str) and stored != value
            cell = openpyxl.cell.WriteOnlyCell(sheet, stored)
            if isinstance(stored, str):
                cell.data_type = "s"  # a text that starts with "=" is no formula
            cells.append(cell)
        sheet.append(cells)
    if replaced:
        logger.warning("characters that .xlsx cannot store were replaced by \ufffd (in %d cells).", replaced)
    book.save(stream)


def _openpyxl() -> Any:
    try:
        import openpyxl
        import openpyxl.cell.cell
    except ImportError as error:
        raise RunError(".xlsx files need openpyxl; install it with: pip install openpyxl") from error
    return openpyxl
