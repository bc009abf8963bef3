"""Slices: kinds of reviews, and whether a model's accuracy on one of them differs significantly from the others.

A slice depends only on the text and the model's vocabulary, not on labels or predictions.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import false_discovery_control, fisher_exact

from sentiment.evaluation.metrics import wilson_interval
from sentiment.text.normalization import normalize
from sentiment.text.tokenizer import tokenize
from sentiment.text.vocabulary import Vocabulary


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
"""False discovery rate: expected share of chance findings among the marked slices (Benjamini & Hochberg 1995)."""


@dataclass(frozen=True)
class Slice:
    """Accuracy of a model on one kind of reviews."""

    family: str
    name: str
    n: int
    accuracy: float
    interval: list[float]
    """95% interval of the accuracy."""
    difference: float
    """Accuracy minus the accuracy on all other reviews; 0 if there are no others."""
    marked: bool
    """Whether the difference is significant (Fisher's exact test, corrected for the number of slices)."""


def properties(text: str, vocabulary: Vocabulary | frozenset[str]) -> dict[str, str]:
    """The slices of a review, one per family: {family: slice}.

    Args:
        text: the raw review.
        vocabulary: words that the model knows.
    """
    clean = normalize(text)
    tokens = tokenize(clean)
    words = [token for token in tokens if token[0].isalnum()]
    negated = sum(word in NEGATIONS or _NEGATED_VERB.fullmatch(word) is not None for word in words)
    return {
        "length": f"{_step(len(tokens), (100, 200, 400, 800))} tokens",
        "negation": _share(negated, len(words), (1, 2, 3)),
        "contrast words (but, however)": _share(sum(word in CONTRASTS for word in words), len(words), (1, 2)),
        "unknown words": _share(sum(word not in vocabulary for word in words), len(words), (1, 2, 4)),
        "numbers": "rating" if _RATING.search(clean) else "other digits" if re.search(r"\d", clean) else "none",
        "position of sentiment words": _position(words),
    }


def _share(part: int, whole: int, limits: Sequence[int]) -> str:
    return f"{_step(100 * part / whole, limits)}% of words" if part else "none"


def _step(value: float, limits: Sequence[int]) -> str:
    """Name of the range that a value lies in."""
    low = [limit for limit in limits if value > limit]
    high = [limit for limit in limits if value <= limit]
    if not low:
        return f"up to {limits[0]}"
    return f"{low[-1]} to {high[0]}" if high else f"over {limits[-1]}"


def _position(words: Sequence[str]) -> str:
    """Where the sentiment words of a review are, by their mean position."""
    positions = [index / max(1, len(words) - 1) for index, word in enumerate(words) if word in SENTIMENT_WORDS]
    if not positions:
        return "no sentiment words"
    mean = sum(positions) / len(positions)
    return "early" if mean < 0.4 else "late" if mean > 0.6 else "middle or spread"


def slices(reviews: Sequence[dict[str, str]], correct: np.ndarray) -> list[Slice]:
    """Accuracy by slice.

    Args:
        reviews: `properties` of n reviews.
        correct: [n] bool, where the prediction is correct.

    Returns:
        One row per slice that occurs; slices of a family in the order of their ranges.
    """
    rows, p_values = [], []
    for family, name, mask in _masks(reviews):
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


def _masks(reviews: Sequence[dict[str, str]]) -> Iterator[tuple[str, str, np.ndarray]]:
    for family in reviews[0]:
        names = np.array([review[family] for review in reviews])
        for name in sorted(set(names.tolist()), key=_order):
            yield family, name, names == name


def _order(name: str) -> tuple[int, float, str]:
    """Sort key: "none" first, then ranges by their number, and names without a number alphabetically."""
    number = re.search(r"\d+", name)
    rank = 0 if name == "none" else 1 if name.startswith("up to") else 3 if name.startswith("over") else 2
    return rank, float(number[0]) if number else 0.0, name
