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
    r"""([.!?…]+)["'”’)\]]*(?=\s|<|$)"""
    r"""|(?<=[a-z])([.!?]+)(?=[A-Z][a-z])"""  # with no space behind it
    r"""|(?:\s*<[bB][rR]\s*/?>\s*|\s*\n\s*){2,}"""  # an empty line
    r"""|\n\s*(?=(?:[-*•+]|\d{1,3}[.)])\s)"""  # an entry of a list
)
_INSIDE_WORD = re.compile(r"(?<=\w)['’](?=\w)|(?<=\d)[.,](?=\d)|(?<=\b[A-Za-z])\.(?=[A-Za-z]\b)")
_ELLIPSIS, _LOWER_CASE = re.compile(r"\.\.|…"), re.compile(r"\s+[a-z]")
_ABBREVIATION = re.compile(
    r"(?:\b(?:[A-Z]|[a-z]\.[a-z]|Mr|Mrs|Ms|Dr|St|Jr|Sr|Lt|Sgt|Capt|Col|Gen|Rev|Prof|vs|etc|[Nn]o(?=\.\s*\d))"
    r"|(?:^|\n)\s*\d{1,3})\."
)
_BETWEEN_CLAUSES = re.compile(r"""[\n;:"“”«»()\[\]|]|(?<!<)/(?!>)|<(?:br|p|li)\b""", re.IGNORECASE)


def checked(by: str) -> By:
    """Check what a review is to be divided into.

    Raises:
        InputError: if there is no such kind of part.
    """
    if by not in get_args(By):
        raise InputError(f"by is {by!r}; it must be one of {', '.join(get_args(By))}.")
    return by  # type: ignore[return-value]  # checked


def words(text: str, offsets: np.ndarray) -> list[Span]:
    """The words as they were typed, as spans of tokens: "it's" and "3.5" have three, and "★★★★☆" four.

    Args:
        text: the text as it was typed.
        offsets: [tokens, 2]: start and end of each token in it, in text order.
    """
    inside = {found.start() for found in _INSIDE_WORD.finditer(text)}
    starts = [
        token
        for token, (start, end) in enumerate(offsets.tolist())
        if token == 0 or (start < end and start not in inside and start - 1 not in inside)
    ]
    return list(pairwise([*starts, len(offsets)]))


def sentences(text: str, offsets: np.ndarray) -> list[Span]:
    """The sentences of a text, as spans of tokens.

    Args:
        text: the text as it was typed.
        offsets: [tokens, 2]: start and end of each token in it, in text order.
    """
    if not len(offsets):
        return []
    ends = [found.end() for found in _SENTENCE_END.finditer(text) if _is_end(text, found)]
    borders = np.unique([0, *np.searchsorted(offsets[:, 1], ends, side="right"), len(offsets)])
    return list(pairwise(borders.tolist()))


def _is_end(text: str, found: re.Match[str]) -> bool:
    if found[1] is None:
        return True
    goes_on = _LOWER_CASE.match(text, found.end()) is not None
    if goes_on and (_ELLIPSIS.search(found[1]) or found.end() > found.end(1)):  # "Really?" he asked
        return False
    before = text[max(0, found.start() - 8) : found.end() + 3]
    return not any(match.end() == found.end(1) - max(0, found.start() - 8) for match in _ABBREVIATION.finditer(before))


def clauses(text: str, tokens: Sequence[str], offsets: np.ndarray, sentences: Sequence[Span]) -> list[Span]:
    """Runs of words with no mark, bracket, quotation mark or line break between them, each within a sentence."""
    found = []
    for start, end in sentences:
        first = start
        for token in range(start, end):
            is_mark = not any(map(str.isalnum, tokens[token]))
            gap = text[offsets[token - 1, 1] : offsets[token, 0]] if token > first else ""
            if is_mark or _BETWEEN_CLAUSES.search(gap):
                found.append((first, token))
                first = token + 1 if is_mark else token
        found.append((first, end))
    return [(start, end) for start, end in found if start < end]


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
