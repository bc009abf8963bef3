"""The parts of a review that an explanation speaks of: words, phrases and sentences, as the reader typed them."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, get_args

import numpy as np

from sentiment.errors import InputError

By = Literal["word", "phrase", "sentence"]
Span = tuple[int, int]
"""First, and the one after the last: of tokens, or of characters."""

LONG = 60
"""Words from which a review is first shown by sentence."""
_SENTENCE_END = re.compile(
    r"""([.!?…]+)["'”’)\]]*(?=\s|<|$)|(?:\s*<br\s*/?>\s*|\s*\n\s*){2,}""", re.IGNORECASE
)  # or an empty line
_APOSTROPHE = re.compile(r"(?<=\w)['’](?=\w)")
_ELLIPSIS, _LOWER_CASE = re.compile(r"\.\.|…"), re.compile(r"\s+[a-z]")
_ABBREVIATION = re.compile(r"\b(?:[A-Z]|[a-z]\.[a-z]|Mr|Mrs|Ms|Dr|St|Jr|Sr|Prof|vs|etc)\.$")


def checked(by: str) -> By:
    """Check what a review is to be divided into.

    Raises:
        InputError: if there is no such kind of part.
    """
    if by not in get_args(By):
        raise InputError(f"by is {by!r}; it must be one of {', '.join(get_args(By))}.")
    return by  # type: ignore[return-value]  # checked


def words(text: str, offsets: np.ndarray) -> list[Span]:
    """The words as they were typed, as spans of tokens: "it's" has three, and "★★★★☆" four.

    Args:
        text: the text as it was typed.
        offsets: [tokens, 2]: start and end of each token in it, in text order.
    """
    apostrophes = {found.start() for found in _APOSTROPHE.finditer(text)}
    starts = [
        token
        for token, (start, end) in enumerate(offsets.tolist())
        if token == 0 or (start < end and start not in apostrophes and start - 1 not in apostrophes)
    ]
    return list(pairwise([*starts, len(offsets)]))


def sentences(text: str, offsets: np.ndarray) -> list[Span]:
    """The sentences of a text, as spans of tokens.

    Args:
        text: the text as it was typed.
        offsets: [tokens, 2]: start and end of each token in it, in text order.
    """
    ends = [found.end() for found in _SENTENCE_END.finditer(text) if _is_end(text, found)]
    borders = np.unique([0, *np.searchsorted(offsets[:, 0], ends), len(offsets)]).tolist() if len(offsets) else []
    return list(pairwise(borders))


def _is_end(text: str, found: re.Match[str]) -> bool:
    if found[1] is None:
        return True
    if _ELLIPSIS.search(found[1]):
        return not _LOWER_CASE.match(text, found.end())
    return not _ABBREVIATION.search(text, max(0, found.end(1) - 8), found.end(1))


def clauses(tokens: Sequence[str], sentences: Sequence[Span]) -> list[Span]:
    """Runs of words without punctuation, each within a sentence."""
    found = []
    for start, end in sentences:
        marks = [token for token in range(start, end) if not any(map(str.isalnum, tokens[token]))]
        borders = [start - 1, *marks, end]
        found += [(low + 1, high) for low, high in pairwise(borders) if low + 1 < high]
    return found


def with_phrases(words: Sequence[Span], phrases: Sequence[Span]) -> list[Span]:
    """The words, with those of a phrase as one span. A phrase that ends inside a word takes all of it."""
    found: list[Span] = []
    for start, end in words:
        phrase = next((span for span in phrases if span[0] < end and start < span[1]), None)
        if found and phrase is not None and phrase[0] < found[-1][1]:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found
