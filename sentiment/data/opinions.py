"""Short opinions of kinds that classifiers misread (opinions.yaml): double negatives, idioms, irony, scores and more.

Some have typos, and some have no punctuation, as people type them. The checklist has opinions of the same kinds in
other words; whoever wrote those had not seen these.
"""

import functools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import yaml

DATA = Path(__file__).with_name("opinions.yaml")
MISTYPED, UNPUNCTUATED, REPEATED = 0.1, 0.1, 0.15
"""Shares of the opinions with one typo, without punctuation, and with a second opinion on the same side."""
CLEAR = 0.15
"""An opinion is clearly on a side if its probability is at most this far from 0 or 1."""
_SLOT = re.compile(r"\{(\w+)\}")
_PUNCTUATION = re.compile(r"[^\w\s'+]")
_LONG_WORD = re.compile(r"[a-z]{5,}")


def opinions(count: int, seed: int) -> list[tuple[str, float]]:
    """Draw opinions, as many of each kind, each with its target probability of positive, 0 to 1.

    Equal arguments give equal opinions.
    """
    data, random = _data(), Random(seed)
    kinds = list(data["kinds"].values())
    drawn = []
    for number in range(count):
        frames = kinds[number % len(kinds)]
        frame, label = random.choice(frames)
        text = _filled(frame, data["words"], random)
        if random.random() < REPEATED and min(label, 1 - label) <= CLEAR:
            side = [other for other, p in random.choice(kinds) if abs(p - label) <= CLEAR]
            text = f"{text} {_filled(random.choice(side), data['words'], random)}" if side else text
        if random.random() < MISTYPED:
            text = mistyped(text, random)
        if random.random() < UNPUNCTUATED:
            text = _PUNCTUATION.sub("", text)
        drawn.append((text, float(label)))
    return drawn


@functools.cache
def _data() -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(DATA.read_text("utf-8"))
    return data


def _filled(frame: str, words: Mapping[str, Sequence[str]], random: Random) -> str:
    text = _SLOT.sub(lambda slot: random.choice(words[slot[1]]), frame)
    return re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", text)


def mistyped(text: str, random: Random) -> str:
    """A text with one typo in a word of at least five letters, if there is one; the first letter stays.

    Two letters are swapped, one is left out, or one is typed twice.
    """
    words = list(_LONG_WORD.finditer(text))
    if not words:
        return text
    word = random.choice(words)
    at = random.randrange(word.start() + 1, word.end() - 1)
    here = text[at]
    typed = random.choice((text[at + 1] + here, text[at + 1], here + here + text[at + 1]))
    return text[:at] + typed + text[at + 2 :]
