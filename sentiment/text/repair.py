"""Repair of words that a model does not know: stretched letters, joined words, and slips of the finger.

Known words stay as they are, so this changes little in texts like those that the model was trained on.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from string import ascii_lowercase

from sentiment.text.tracing import Edit, TracedText

_RUN = re.compile(r"(.)\1{2,}")
_JOINT, _BETWEEN_JOINTS = re.compile(r"[-/_+~|*]+"), re.compile(r"[^-/_+~|*]+")
_TOKEN = re.compile(r"\S+")

MOST_RUNS = 6
"""Runs of a letter in a word up to which all ways to shorten them are tried."""
SHORT_TEXT = 60
"""Tokens of a text up to which spelling is repaired: there a single word can decide, and it takes little time."""
LETTERS = range(4, 31)
"""Lengths of words whose spelling is repaired: shorter ones are one letter apart from too many others, and longer ones
are no words."""
FEWEST = 20
"""Times that a word must be in the training texts for others to be repaired to it."""

Counts = Mapping[str, int]
"""{known word: times that it is in the training texts}."""


def shorten_runs(word: str, counts: Counts) -> str | None:
    """The most frequent word with one or two letters in place of each run of three or more: "loooved" is "loved"."""
    pieces = _RUN.split(word)  # between, letter, between, letter, ..., between
    runs = len(pieces) // 2
    if not 0 < runs <= MOST_RUNS:
        return None
    found = (
        "".join(piece * (lengths[index // 2] if index % 2 else 1) for index, piece in enumerate(pieces))
        for lengths in product((1, 2), repeat=runs)
    )
    return max((word for word in found if word in counts), key=counts.__getitem__, default=None)


def split_joints(word: str, counts: Counts) -> list[str] | None:
    """The parts of words joined by slashes, hyphens or the like: "great/lovely"."""
    if word.isalpha():  # most words, so that they need not be split
        return None
    parts = [part for part in _JOINT.split(word) if part]
    return parts if parts and parts != [word] else None


def correct_spelling(word: str, counts: Counts) -> str | None:
    """The most frequent word that is one edit away: a letter more, less or another, or two in the wrong order.

    The first letter stays, since it is rarely the wrong one.
    """
    if len(word) not in LETTERS or not word.isalpha():
        return None
    found = (other for other in _edits(word) if counts.get(other, 0) >= FEWEST)
    return max(found, key=counts.__getitem__, default=None)


def _edits(word: str) -> Iterator[str]:
    for place in range(1, len(word) + 1):
        before, after = word[:place], word[place:]
        if after:
            yield before + after[1:]
            yield from (before + letter + after[1:] for letter in ascii_lowercase)
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]
        yield from (before + letter + after for letter in ascii_lowercase)


REPAIRS: Mapping[str, Callable[[str, Counts], str | list[str] | None]] = {
    "joints": split_joints,
    "runs": shorten_runs,
    "spelling": correct_spelling,
}
"""{name in a model directory: repair}."""


def repair(tokens: list[str], counts: Counts, steps: Sequence[str]) -> list[str]:
    """Repair unknown tokens, each by the first of `steps` that finds a known word.

    Args:
        tokens: tokens of a text.
        counts: the vocabulary.
        steps: names of repairs, in their order; other names are ignored.
    """
    repaired = _repaired(tokens, counts, steps)
    return [part for token in tokens for part in repaired.get(token, (token,))] if repaired else tokens


def repair_traced(text: TracedText, counts: Counts, steps: Sequence[str]) -> TracedText:
    """`repair` for tokens with white space between them; the parts of joined words keep their places."""
    tokens = list(_TOKEN.finditer(text))
    repaired = _repaired([token[0] for token in tokens], counts, steps)
    edits: list[Edit] = []
    for token in tokens:
        parts = repaired.get(token[0])
        if parts is None:
            continue
        pieces = [piece.span() for piece in _BETWEEN_JOINTS.finditer(text, *token.span())]
        if len(pieces) != len(parts):
            edits.append((*token.span(), " ".join(parts)))
            continue
        done = token.start()
        for (start, end), part in zip(pieces, parts, strict=True):
            edits += [(done, start, " "), (start, end, part)]
            done = end
        edits.append((done, token.end(), " "))
    return text.edited(edits)


def _repaired(tokens: Sequence[str], counts: Counts, steps: Sequence[str]) -> dict[str, list[str]]:
    """{token that is not known: what to read instead}."""
    unknown = set(tokens).difference(counts)
    if not unknown:
        return {}
    repairs = [REPAIRS[step] for step in steps if step in REPAIRS]
    if len(tokens) > SHORT_TEXT and correct_spelling in repairs:
        repairs.remove(correct_spelling)
    return {token: parts for token in unknown if (parts := _parts(token, counts, repairs)) != [token]}


def _parts(token: str, counts: Counts, repairs: Sequence[Callable[[str, Counts], str | list[str] | None]]) -> list[str]:
    for function in repairs:
        found = function(token, counts)
        if isinstance(found, list):
            return [part for word in found for part in ([word] if word in counts else _parts(word, counts, repairs))]
        if found is not None:
            return [found]
    return [token]
