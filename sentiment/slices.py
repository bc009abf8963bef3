"""Kinds of reviews, and whether a model is worse on some of them than on the others beyond noise.

A slice is a property of the text and of the words that a model knows; labels and answers do not enter it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import false_discovery_control, fisher_exact

from sentiment.evaluation import wilson_interval
from sentiment.text import Vocabulary, normalise, tokenise


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NEGATIONS = _words("not no never none nothing nobody neither nor nowhere without hardly barely cannot")
CONTRASTS = _words("but however although though yet despite nevertheless nonetheless whereas")
SENTIMENT_WORDS = _words(
    """great good best excellent wonderful brilliant superb amazing fantastic perfect beautiful loved love enjoyed enjoy
    fun funny favorite masterpiece delightful charming touching recommend recommended gem bad worst awful terrible
    horrible boring dull poor poorly waste wasted stupid lame ridiculous annoying disappointing disappointed mess
    pathetic crap garbage predictable fails failed avoid unfunny pointless weak"""
)
_NEGATED_VERB = re.compile(r"(do|does|did|is|are|was|were|has|have|had|wo|ca|could|would|should|must|need|ai)nt")
_RATING = re.compile(r"\d\s*/\s*(10|5|4)\b|\b\d+\s+out\s+of\s+\d+|\b\d+(\.5)?\s+stars?\b|\*{2,}", re.IGNORECASE)

FALSE_DISCOVERIES = 0.05
"""Expected share of chance findings among the marked slices (Benjamini & Hochberg 1995)."""


@dataclass(frozen=True)
class Slice:
    """A model on one kind of reviews."""

    family: str
    name: str
    n: int
    accuracy: float
    interval: list[float]
    """95% interval of the accuracy."""
    difference: float
    """Accuracy minus that on all other reviews; 0 where there are none."""
    marked: bool
    """Whether that difference is beyond noise (Fisher's exact test, with all slices taken into account)."""


def properties(text: str, vocabulary: Vocabulary | frozenset[str]) -> dict[str, str]:
    """The slice that a review falls into, per family.

    Args:
        text: the review, raw.
        vocabulary: words that the model knows.
    """
    clean = normalise(text)
    tokens = tokenise(clean)
    words = [token for token in tokens if token[0].isalnum()]
    negated = sum(word in NEGATIONS or _NEGATED_VERB.fullmatch(word) is not None for word in words)
    return {
        "length": f"{_step(len(tokens), (100, 200, 400, 800))} tokens",
        "negation": _share(negated, len(words), (1, 2, 3)),
        "contrast words (but, however)": _share(sum(word in CONTRASTS for word in words), len(words), (1, 2)),
        "unknown words": _share(sum(word not in vocabulary for word in words), len(words), (1, 2, 4)),
        "numbers": "rating" if _RATING.search(clean) else "other digits" if re.search(r"\d", clean) else "none",
        "where the sentiment stands": _position(words),
    }


def _share(part: int, whole: int, limits: Sequence[int]) -> str:
    return f"{_step(100 * part / whole, limits)}% of words" if part else "none"


def _step(value: float, limits: Sequence[int]) -> str:
    """Name of the step that a value lies on."""
    low = [limit for limit in limits if value > limit]
    high = [limit for limit in limits if value <= limit]
    if not low:
        return f"up to {limits[0]}"
    return f"{low[-1]} to {high[0]}" if high else f"over {limits[-1]}"


def _position(words: Sequence[str]) -> str:
    """Which part of a review holds its sentiment words, by their mean position."""
    positions = [index / max(1, len(words) - 1) for index, word in enumerate(words) if word in SENTIMENT_WORDS]
    if not positions:
        return "no common sentiment word"
    mean = sum(positions) / len(positions)
    return "early" if mean < 0.4 else "late" if mean > 0.6 else "middle or spread"


def slices(found: Sequence[dict[str, str]], correct: np.ndarray) -> list[Slice]:
    """Accuracy by slice.

    Args:
        found: `properties` of n reviews.
        correct: [n] bool, where the model is right.

    Returns:
        One row a slice that occurs, families in their order, slices in the order of their steps.
    """
    rows, p_values = [], []
    for family, name, mask in _masks(found):
        inside, outside = correct[mask], correct[~mask]
        table = [[inside.sum(), (~inside).sum()], [outside.sum(), (~outside).sum()]]
        p_values.append(fisher_exact(table).pvalue if len(outside) else 1.0)
        difference = float(inside.mean() - outside.mean()) if len(outside) else 0.0
        rows.append((family, name, inside, difference))
    marked = false_discovery_control(p_values) < FALSE_DISCOVERIES
    return [
        Slice(family, name, len(hits), float(hits.mean()), wilson_interval(int(hits.sum()), len(hits)), gap, bool(mark))
        for (family, name, hits, gap), mark in zip(rows, marked, strict=True)
    ]


def _masks(found: Sequence[dict[str, str]]) -> Iterator[tuple[str, str, np.ndarray]]:
    for family in found[0]:
        names = np.array([review[family] for review in found])
        for name in sorted(set(names.tolist()), key=_order):
            yield family, name, names == name


def _order(name: str) -> tuple[int, float, str]:
    """Steps by their number; names without one after "none" by the alphabet."""
    number = re.search(r"\d+", name)
    rank = 0 if name == "none" else 1 if name.startswith("up to") else 3 if name.startswith("over") else 2
    return rank, float(number[0]) if number else 0.0, name
