"""Minimally edited pairs: a review and its edit, whose label is often the other one.

Who reads the words that matter gets both right; who reads the rest gets one (Gardner et al. 2020, Kaushik et al. 2020).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sentiment.config import DataConfig
from sentiment.data import load_reviews
from sentiment.decision import is_positive
from sentiment.evaluation import wilson_interval


@dataclass(frozen=True)
class Pairs:
    """Texts and labels (0 or 1) of both sides."""

    original: Sequence[str]
    edited: Sequence[str]
    label_original: np.ndarray
    label_edited: np.ndarray

    @property
    def texts(self) -> list[str]:
        """All texts of both sides."""
        return [*self.original, *self.edited]


def read_pairs(file: Path) -> Pairs:
    """Read a parquet, csv or jsonl file with the columns original, edited, label_original and label_edited.

    Raises:
        InputError: if it cannot be read, or lacks a column or valid labels.
    """
    sides = {}
    for side in ("original", "edited"):
        sides[side] = load_reviews(DataConfig(str(file), text_column=side, label_column=f"label_{side}"), "test")
    return Pairs(
        list(sides["original"]["text"]),
        list(sides["edited"]["text"]),
        np.asarray(sides["original"]["label"]),
        np.asarray(sides["edited"]["label"]),
    )


def judge_pairs(pairs: Pairs, probabilities: Mapping[str, float]) -> dict[str, Any]:
    """Accuracy on each side, and the share of pairs of which both sides are right (consistency), with 95% intervals.

    Args:
        pairs: the pairs.
        probabilities: probability of positive of each text.
    """
    original = _right(pairs.original, pairs.label_original, probabilities)
    edited = _right(pairs.edited, pairs.label_edited, probabilities)
    figures: dict[str, Any] = {"n": len(original)}
    for name, right in (
        ("accuracy_original", original),
        ("accuracy_edited", edited),
        ("consistency", original & edited),
    ):
        figures[name] = float(right.mean())
        figures[f"{name}_95"] = wilson_interval(int(right.sum()), len(right))
    return figures


def _right(texts: Sequence[str], labels: np.ndarray, probabilities: Mapping[str, float]) -> np.ndarray:
    right: np.ndarray = is_positive(np.array([probabilities[text] for text in texts])) == (labels == 1)
    return right
