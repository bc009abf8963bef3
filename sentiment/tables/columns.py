"""Which column is the review, and which is the label."""

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sentiment.errors import InputError

logger = logging.getLogger(__name__)

TEXT_NAMES = ["text", "review", "reviews", "reviewtext", "reviewbody", "reviewcontent", "content", "body", "sentence"]
TEXT_NAMES += ["phrase", "snippet", "comment", "comments", "opinion", "feedback", "message", "tweet", "document"]
LABEL_NAMES = ["label", "labels", "sentiment", "polarity", "class", "target"]
RATING_NAMES = ["rating", "stars", "star", "score", "overall", "starrating", "reviewrating"]
"""Usual names of columns, in lower case and without spaces and punctuation."""
_NUMBER = re.compile(r"\s*[-+]?\d+([.,]\d+)?\s*")
_MOST_SHOWN = 60
"""Characters of a name that are shown where it may be a review."""
_NO_TEXT = re.compile(r"\s*([-+]?\d+([.,]\d+)?\s*$|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}\b|https?://\S+\s*$)")
"""Numbers, dates and links."""


class MissingColumnError(InputError):
    """A file does not have a column that is needed."""


def choose_text_column(
    where: str, columns: Mapping[str, Sequence[Any]], wanted: str | None, label_column: str | None = None
) -> str:
    """Choose the column of the review.

    Args:
        where: source of the rows, for messages.
        columns: the first values of each column.
        wanted: the column that the caller named; None for `text`, or else the one column that is obviously the text,
            which a message names.
        label_column: the column of the label, if the caller named it.

    Raises:
        InputError: if there is no such column, or several could be meant.
    """
    if wanted is not None:
        if wanted in columns:
            return wanted
        raise MissingColumnError(f"{where}: no column {wanted!r}; {_described(columns, '--text-column')}")
    if "text" in columns and label_column != "text":
        return "text"
    others = [name for name in columns if name != label_column and _plain(name) not in LABEL_NAMES + RATING_NAMES]
    texts = [name for name in others if _share_of_words(columns[name], 1) > 0]
    found = [name for name in texts if is_text_name(name)]
    if not found:
        for name in others:
            if is_text_name(name) and any(isinstance(value, dict | list) for value in columns[name]):
                raise InputError(f"{where}: {name!r} contains no text but objects; name the column with --text-column.")
        check_header(where, list(columns))
    found = found or (texts if len(texts) == 1 else [name for name in texts if _share_of_words(columns[name], 3) > 0.5])
    if len(found) > 1:
        candidates = " and ".join(map(repr, found))
        raise InputError(f"{where}: {candidates} could be the column of the review; choose one with --text-column.")
    if not found:
        raise MissingColumnError(f"{where}: no column 'text'; {_described(columns, '--text-column')}")
    logger.info("%s: the reviews are in the column %r.", where, found[0])
    return found[0]


def choose_label_column(where: str, columns: Iterable[str], wanted: str | None, ratings: bool, text_column: str) -> str:
    """Choose the column of the label.

    Args:
        where: source of the rows, for messages.
        columns: names of the columns.
        wanted: the column that the caller named; None for `label`, or else the one with a usual name, which a message
            names.
        ratings: whether labels are made from ratings.
        text_column: the column of the review.

    Raises:
        InputError: if there is no such column, or several could be meant.
    """
    names = list(columns)
    if wanted is not None:
        if wanted in names:
            return wanted
        raise MissingColumnError(f"{where}: no column {wanted!r}; {_described(names, '--label-column')}")
    if "label" in names and text_column != "label":
        return "label"
    found = [name for name in names if _plain(name) in RATING_NAMES] if ratings else []
    found = found or [name for name in names if _plain(name) in LABEL_NAMES and name != text_column]
    if len(found) != 1:
        stars = not ratings and any(_plain(name) in RATING_NAMES for name in names)
        hint = " For stars or other ratings, add --positive-from and --negative-to." if stars else ""
        raise MissingColumnError(f"{where}: no column 'label'; {_described(names, '--label-column')}{hint}")
    logger.info("%s: the labels are in the column %r.", where, found[0])
    return found[0]


def is_text_name(name: str) -> bool:
    """Whether a column of this name is usually the review."""
    return _plain(name) in TEXT_NAMES


def _described(columns: Iterable[str], option: str) -> str:
    return f"its columns are {', '.join(map(repr, columns))}. Choose one with {option}."


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()


def _share_of_words(values: Sequence[Any], words: int) -> float:
    """Share of the values that are text of at least so many words; 0 if all are numbers, dates or links."""
    texts = [value for value in values if isinstance(value, str) and value.strip()]
    if all(map(_NO_TEXT.match, texts)):
        return 0.0
    return sum(len(text.split()) >= words for text in texts) / len(texts)


def check_header(where: str, names: Sequence[str]) -> None:
    """Check that names of columns are not a review, and not several names that are not divided.

    Raises:
        InputError: if they are.
    """
    if list(names) == [str(number) for number in range(1, len(names) + 1)]:
        return  # the file has no header
    shown = ", ".join(f'"{name[:_MOST_SHOWN]}{" …" * (len(name) > _MOST_SHOWN)}"' for name in names)
    words = 3 if len(names) > 1 else 2
    if len(names) == 1 and len(parts := re.split(r"[^\w\s]+|\x01", names[0])) > 1 and any(map(is_text_name, parts)):
        raise InputError(f"{where}: the first line is {shown}; if these are several columns, add --delimiter.")
    if any(len(name.split()) >= words or _NUMBER.fullmatch(name) for name in names):
        raise InputError(
            f"{where}: the first line is {shown}; if these are the names of the columns, choose one with "
            "--text-column; if they are a review, add --no-header."
        )
