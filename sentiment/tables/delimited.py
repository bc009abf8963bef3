"""The rows of .csv and .tsv files, one by one, strict about the number of fields.

Python's `csv` module parses: of four readers tried, only it reports each bad row with its lines and reads on after it
(docs/design.md). Fields are text as they stand: `NA`, `null` and `007` are not interpreted.
"""

import csv
import logging
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import Any, TextIO

from sentiment.config import DataConfig
from sentiment.errors import InputError
from sentiment.tables.columns import check_header
from sentiment.tables.opening import wrong_bytes
from sentiment.tables.records import LINE_CHARACTERS, Record, column_names, not_decoded

logger = logging.getLogger(__name__)

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "|"}
_FIRST_LINES = 20
"""Lines from which the delimiter is found."""
_ORDINARY = "if quotation marks are ordinary characters in this file, add --no-quotes"
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\r?\n?')
"""First line in files for Excel, which names the delimiter."""


def csv_records(
    stream: TextIO, where: str, config: DataConfig, usual: str, encoding_advice: Callable[[], str]
) -> Iterator[Record]:
    """Rows of a file with comma-separated values. Blank lines are ignored.

    Args:
        stream: the text, with its line ends as they are.
        where: name of the file, for messages.
        config: delimiter, and whether there is a header and quotation marks enclose fields.
        usual: delimiter of this format, a comma or a tab; another one that is found is reported.
        encoding_advice: what to do about a header with bytes that are not of the encoding.

    Raises:
        InputError: if the header cannot be read, or a row is broken so that the next one cannot be found.
    """
    csv.field_size_limit(LINE_CHARACTERS)
    start = list(islice(stream, _FIRST_LINES))
    delimiter, skipped = "\t" if config.delimiter == "tab" else config.delimiter, 0
    if start and (separator := _SEPARATOR_LINE.fullmatch(start[0])) is not None:
        delimiter, skipped = delimiter or separator[1], 1
    if delimiter is None:
        delimiter = _likely_delimiter(start[skipped:], usual, config.quotes)
        if delimiter != usual:
            logger.info("%s: the fields are divided by %s.", where, DELIMITERS[delimiter])
    reader = _parse(chain(start[skipped:], stream), delimiter, config.quotes, strict=True)
    divided = f", divided by {DELIMITERS.get(delimiter, delimiter)}"
    header: list[str] = []
    names, rows = None, 0
    for place, fields, problem in _rows(reader, skipped, config.quotes):
        if names is None and config.header:
            if problem:
                raise InputError(f"{where}: the header cannot be read: {problem}.")
            if any(map(wrong_bytes, fields)):
                raise InputError(f"{where}: the header {not_decoded(stream)}{encoding_advice()}.")
            names, header = column_names(fields, where), fields
            continue
        names = names or [str(number) for number in range(1, len(fields) + 1)]
        rows += 1
        if problem:
            if len(names) == 1 or "longer" in problem:  # what follows could be a piece of this row
                raise InputError(
                    f"{where}: {place}: {problem}. It cannot be skipped, since nobody knows where the next row begins; "
                    "correct it."
                )
            yield Record(place, None, problem)
        elif len(fields) != len(names):
            hint = "; put a field that contains the delimiter in quotation marks" if len(fields) > len(names) else ""
            hint = "; if the first line is a title, remove it" if config.header and len(names) == 1 else hint
            first = f"the {'header' if config.header else 'first row'} has {len(names)}{divided}"
            yield Record(place, None, f"{len(fields)} field{'s' if len(fields) > 1 else ''}, but {first}{hint}")
        elif fields == header and len(fields) > 1:
            yield Record(place, None, "the header again, perhaps because two files were joined")
        elif delimiter == "\t" and any("\t" in field and "\n" in field for field in fields):
            yield Record(place, None, f"a quotation mark joins rows; {_ORDINARY}")
        elif any(map(wrong_bytes, fields)):
            yield Record(place, None, f"{not_decoded(stream)}{encoding_advice()}")
        else:
            yield Record(place, dict(zip(names, fields, strict=True)))
    if names is not None and rows == 0:
        check_header(where, names)


def _parse(lines: Iterable[str], delimiter: str, quotes: bool, strict: bool) -> Any:
    if quotes:
        return csv.reader(lines, delimiter=delimiter, strict=strict)
    return csv.reader(lines, delimiter=delimiter, strict=strict, quoting=csv.QUOTE_NONE)


def _rows(reader: Any, skipped: int, quotes: bool) -> Iterator[tuple[str, list[str], str]]:
    """Yield (place, fields, problem) for each row."""
    while True:
        first = skipped + reader.line_num + 1
        try:
            fields, problem = next(reader), ""
        except StopIteration:
            return
        except csv.Error as error:
            fields, problem = [], _in_plain_words(str(error), quotes)
        last = skipped + reader.line_num
        if fields or problem:
            yield (f"line {first}" if last <= first else f"lines {first} to {last}"), fields, problem


def _in_plain_words(error: str, quotes: bool) -> str:
    ordinary = f"; {_ORDINARY}" if quotes else ""
    if error == "unexpected end of data":
        return f"a quotation mark opens a field and is never closed{ordinary}"
    if "expected after" in error:
        return f"a quotation mark inside a quoted field; write it twice{ordinary}"
    if "field larger" in error:
        return f"a field is longer than {LINE_CHARACTERS:,} characters{ordinary}"
    return error


def _likely_delimiter(lines: list[str], usual: str, quotes: bool) -> str:
    """The delimiter that divides the most rows like the first one, and this into the most fields."""

    def quality(delimiter: str) -> tuple[bool, float, int, bool]:
        try:
            rows = [len(fields) for fields in _parse(lines, delimiter, quotes, strict=False) if fields]
        except csv.Error:
            rows = []
        counts = rows or [0]
        return counts[0] > 1, counts.count(counts[0]) / len(counts), counts[0], delimiter == usual

    best = max(DELIMITERS, key=quality)
    return best if quality(best)[0] else usual
