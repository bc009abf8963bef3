"""Where the tokens of a text stand in it as it was written.

Normalization and tokenization rewrite a text step by step. A `TracedText` goes through the same steps as any string and
remembers from where in the original each of its characters came. So the steps use `sub`, `rewrite` and `collapse` of
this module, where a plain string would forget its origin; for plain strings these do nothing more.

>>> tokens, offsets = split(sub(re.compile("&amp;"), "&", TracedText("Tom &amp; Jerry")))
>>> [("Tom &amp; Jerry"[start:end], token) for token, (start, end) in zip(tokens, offsets)]
[('Tom', 'Tom'), ('&amp;', '&'), ('Jerry', 'Jerry')]
"""

import re
from collections.abc import Callable, Iterable
from difflib import SequenceMatcher

import numpy as np

Edit = tuple[int, int, str]
"""Start and end of a part of a text, and what takes its place."""

_SPACES, _EDGES = re.compile(r"\s+"), re.compile(r"^\s+|\s+$")
_WORD = re.compile(r"\S+")
_WORD_AND_SPACES = re.compile(r"\S+\s*|\s+")


class TracedText(str):
    """A string that knows where its characters come from.

    Args:
        text: the string.
        origins: [characters, 2] int64: start and end, in the original text, of what each character stands for. None for
            the original text itself.
    """

    origins: np.ndarray

    def __new__(cls, text: str, origins: np.ndarray | None = None) -> "TracedText":
        """A string cannot be changed once it exists, hence not `__init__`."""
        traced = super().__new__(cls, text)
        traced.origins = np.stack([np.arange(len(text)), np.arange(len(text)) + 1], 1) if origins is None else origins
        return traced

    def replace(self, old: str, new: str, count: int = -1) -> "TracedText":  # type: ignore[override]  # named arguments
        """Like `str.replace`, but traced."""
        found = list(re.finditer(re.escape(old), self))
        return self.edited((match.start(), match.end(), new) for match in found[: None if count < 0 else count])

    def lower(self) -> "TracedText":
        """Like `str.lower`, but traced; the lower case of a letter can be two characters."""
        lengths = [len(letter.lower()) for letter in self]
        return TracedText(super().lower(), np.repeat(self.origins, lengths, axis=0))

    def edited(self, edits: Iterable[Edit]) -> "TracedText":
        """The text with some parts replaced; they must be in order and must not overlap."""
        pieces, origins, done = [], [], 0
        for start, end, new in edits:
            pieces += [self[done:start], new]
            origins += [self.origins[done:start], self._origins_of(start, end, new)]
            done = end
        if not pieces:
            return self
        return TracedText("".join([*pieces, self[done:]]), np.concatenate([*origins, self.origins[done:]]))

    def _origins_of(self, start: int, end: int, new: str) -> np.ndarray:
        """Origins of what replaces a part: its own for letters that stay, all of the part for other characters."""
        old, own = self[start:end], self.origins[start:end]
        first = last = 0
        if any(map(str.isalnum, new)):  # a sign stands for all that it replaces, as "&" for "&amp;"
            place = old.find(new.strip())
            if place >= 0:
                kept = own[place : place + len(new.strip())]
                return np.pad(kept, ((len(new) - len(new.lstrip()), len(new) - len(new.rstrip())), (0, 0)), "edge")
            first = _common(old, new)
            last = _common(old[first:][::-1], new[first:][::-1])
        middle = own[first : len(old) - last]
        before = self.origins[start + first - 1, 1] if start + first else 0
        whole = (middle[0, 0], middle[-1, 1]) if len(middle) else (before, before)
        inserted = np.tile(np.array(whole, dtype=np.int64), (len(new) - first - last, 1))
        return np.concatenate([own[:first], inserted, own[len(old) - last :]])


def _common(one: str, other: str) -> int:
    """Number of characters at the start that are the same in both."""
    differences = (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(differences, min(len(one), len(other)))


def sub(pattern: re.Pattern[str], new: str | Callable[[re.Match[str]], str], text: str) -> str:
    """`pattern.sub(new, text)`, traced if the text is."""
    if not isinstance(text, TracedText):
        return pattern.sub(new, text)
    if isinstance(new, str):
        template = new
        new = (lambda match: match.expand(template)) if "\\" in new else (lambda _: template)
    return text.edited((*match.span(), new(match)) for match in pattern.finditer(text))


def rewrite(function: Callable[[str], str], text: str, parts: re.Pattern[str] | None = None) -> str:
    """`function(text)`, traced if the text is.

    Args:
        function: what rewrites a text.
        text: the text.
        parts: what `function` rewrites one by one. Without it, or where it gives another text, the words before and
            after are compared.
    """
    new = function(str(text))
    if not isinstance(text, TracedText):
        return new
    if new == text:
        return text
    if parts and (traced := sub(parts, lambda found: function(found[0]), text)) == new:
        return traced
    words, new_words = _WORD_AND_SPACES.findall(text), _WORD_AND_SPACES.findall(new)
    starts = np.cumsum([0, *map(len, words)]).tolist()
    edits: list[Edit] = []
    for kind, low, high, new_low, new_high in SequenceMatcher(None, words, new_words).get_opcodes():
        if kind == "replace" and high - low == new_high - new_low:
            pairs = zip(starts[low:high], words[low:high], new_words[new_low:new_high], strict=True)
            for start, word, new_word in pairs:  # and the spaces behind it by themselves
                end, new_end = len(word.rstrip()), len(new_word.rstrip())
                edits.append((start, start + end, new_word[:new_end]))
                edits.append((start + end, start + len(word), new_word[new_end:]))
        elif kind != "equal":
            edits.append((starts[low], starts[high], "".join(new_words[new_low:new_high])))
    return text.edited(edits)


def collapse(text: str) -> str:
    """The words of a text, with one space between them."""
    if not isinstance(text, TracedText):
        return " ".join(text.split())
    return sub(_SPACES, " ", sub(_EDGES, "", text))


def split(text: TracedText) -> tuple[list[str], np.ndarray]:
    """Split at white space.

    Returns:
        The words, and where each stands in the original text: [words, 2] int64, start and end. They are in order and do
        not overlap; of several words that stand for one part of the original, the others are empty, at its end.
    """
    words = list(_WORD.finditer(text))
    offsets = np.zeros((len(words), 2), np.int64)
    done = 0
    for row, word in enumerate(words):
        start, end = text.origins[word.start(), 0], text.origins[word.end() - 1, 1]
        offsets[row] = max(start, done), max(end, done)
        done = int(offsets[row, 1])
    return [word[0] for word in words], offsets
