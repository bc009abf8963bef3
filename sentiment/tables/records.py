"""The rows of .txt, .json and .jsonl files, one by one; for a row that cannot be read, the reason."""

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TextIO

from sentiment.errors import InputError
from sentiment.tables.opening import wrong_bytes

logger = logging.getLogger(__name__)

LINE_CHARACTERS = 16 * 2**20
"""Maximum length of a line or CSV field; anything longer is a damaged file, not a review."""


@dataclass(frozen=True)
class Record:
    """One row: its columns, or None and the problem."""

    place: str
    """Place in the file, such as "line 7"."""
    values: dict[str, Any] | None
    problem: str = ""


def line_records(stream: TextIO, encoding_advice: Callable[[], str]) -> Iterator[Record]:
    """One review per line, in the column `text`; an empty line is a row without a text."""
    for place, line, problem in _lines(stream, encoding_advice):
        yield Record(place, None if problem else {"text": line}, problem)


def jsonl_records(stream: TextIO, encoding_advice: Callable[[], str]) -> Iterator[Record]:
    """One JSON object per line; blank lines are ignored."""
    for place, line, problem in _lines(stream, encoding_advice):
        if problem:
            yield Record(place, None, problem)
        elif line.strip():
            try:
                value = json.loads(line, object_pairs_hook=_object)
            except (ValueError, RecursionError) as error:
                yield Record(place, None, _json_problem(line, error))
            else:
                yield _json_record(place, value)


def json_records(stream: TextIO, where: str, encoding_advice: Callable[[], str]) -> Iterator[Record]:
    """The objects of one JSON array, or of the array `data` of one JSON object; they are read into memory.

    Raises:
        InputError: if the file is not such JSON.
    """
    text = stream.read()
    if wrong_bytes(text):
        raise InputError(f"{where}: {not_decoded(stream)}{encoding_advice()}.")
    try:
        content = json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        hint = "; one object per line is .jsonl, so rename it" if reason.startswith("Extra data") else ""
        raise InputError(f"{where}: not valid JSON: {reason}{hint}.") from error
    rows = content.get("data") if isinstance(content, dict) else content
    if not isinstance(rows, list):
        keys = ", ".join(list(content)[:5]) if isinstance(content, dict) else ""
        found = "no list" if not isinstance(content, dict) else f"an object with {keys}" if keys else "an empty object"
        raise InputError(
            f'{where}: contains {found}; write the reviews as a list of objects, [{{"text": "..."}}, ...], or as '
            '{"data": [...]} (with pandas: to_json(orient="records")).'
        )
    for number, value in enumerate(rows, 1):
        yield _json_record(f"item {number}", value)


def column_names(header: list[str], where: str) -> list[str]:
    """Names of the columns: a name that is empty or repeated gets its number, so that no column hides another.

    Raises:
        InputError: if the header is empty.
    """
    if not any(name.strip() for name in header):
        raise InputError(f"{where}: the header is empty; name the columns, such as text,label.")
    names: list[str] = []
    for number, name in enumerate(header, 1):
        new = name if name.strip() else f"column {number}"
        while new in names or (new != name and new in header):
            new = f"{new} {number}"
        if new != name:
            found = f"column {name!r} occurs twice" if name.strip() else "a column has no name"
            logger.info("%s: %s; the one at position %d is called %r.", where, found, number, new)
        names.append(new)
    return names


def _lines(stream: TextIO, encoding_advice: Callable[[], str]) -> Iterator[tuple[str, str, str]]:
    """Yield (place, line without line end, problem) for each line."""
    number = 0
    while line := stream.readline(LINE_CHARACTERS):
        number += 1
        place, problem = f"line {number}", ""
        if len(line) == LINE_CHARACTERS and not line.endswith("\n"):
            while (rest := stream.readline(LINE_CHARACTERS)) and not rest.endswith("\n"):
                pass
            problem = f"longer than {LINE_CHARACTERS:,} characters"
        elif wrong_bytes(line):
            problem = f"{not_decoded(stream)}{encoding_advice()}"
        yield place, "" if problem else line.rstrip("\r\n"), problem


def not_decoded(stream: TextIO) -> str:
    """Problem of a row with bytes that do not belong to the encoding."""
    return f"contains bytes that are not {stream.encoding.removesuffix('-sig').upper()}"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} occurs twice in one object")
    return values


def _json_problem(line: str, error: Exception) -> str:
    if line.lstrip().startswith("[") and not line.rstrip().endswith("]"):
        return "not valid JSON; if the file is one JSON array, rename it to .json or add --input-format json"
    if line.startswith("\ufeff"):
        return "starts with a byte order mark, perhaps because two files were joined; remove it"
    return f"not valid JSON: {' '.join(str(error).split())}"


def _json_record(place: str, value: Any) -> Record:
    if isinstance(value, dict):
        return Record(place, value)
    return Record(place, None, 'not an object such as {"text": "..."}')
