"""Contrast pairs: a review and a minimally edited copy, usually with the opposite label.

A model that uses the words that matter gets both right; a model that relies on other words gets only one right
(Gardner et al. 2020, Kaushik et al. 2020).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from sentiment.config import DataConfig
from sentiment.data.loading import load_reviews
from sentiment.errors import InputError
from sentiment.evaluation.metrics import wilson_interval
from sentiment.inference.postprocessing import is_positive
from sentiment.tables.columns import MissingColumnError


@dataclass(frozen=True)
class Pairs:
    """Texts and labels (0 or 1) of the originals and their edits; each has n entries."""

    original: Sequence[str]
    edited: Sequence[str]
    label_original: np.ndarray
    label_edited: np.ndarray

    @property
    def texts(self) -> list[str]:
        """All originals, then all edits."""
        return [*self.original, *self.edited]


def load_pairs(file: Path, on_bad_row: Literal["stop", "skip"] = "stop") -> Pairs:
    """Read a file with the columns original, edited, label_original and label_edited.

    Raises:
        InputError: if it cannot be read, a column is missing, or a label is not valid.
    """
    columns = ("original", "edited", "label_original", "label_edited")
    sides = {}
    for side in ("original", "edited"):
        data = DataConfig(source=str(file), text_column=side, label_column=f"label_{side}", on_bad_row=on_bad_row)
        try:
            sides[side] = {review["row"]: review for review in load_reviews(data, "test")}
        except MissingColumnError as error:
            found = str(error).partition("Choose")[0].strip()
            raise InputError(f"{found} Contrast pairs need the columns {', '.join(columns)}.") from error
    rows = sorted(sides["original"].keys() & sides["edited"].keys())  # a text can be missing on one side
    original, edited = ([side[row] for row in rows] for side in sides.values())
    return Pairs(
        [review["text"] for review in original],
        [review["text"] for review in edited],
        np.array([review["label"] for review in original]),
        np.array([review["label"] for review in edited]),
    )


def evaluate_pairs(pairs: Pairs, probabilities: Mapping[str, float]) -> dict[str, Any]:
    """Accuracy on originals and edits, and consistency (share of pairs with both right), with 95% intervals.

    Args:
        pairs: the pairs.
        probabilities: probability of positive of each text.
    """
    original = _correct(pairs.original, pairs.label_original, probabilities)
    edited = _correct(pairs.edited, pairs.label_edited, probabilities)
    metrics: dict[str, Any] = {"n": len(original)}
    for name, correct in (
        ("accuracy_original", original),
        ("accuracy_edited", edited),
        ("consistency", original & edited),
    ):
        metrics[name] = float(correct.mean())
        metrics[f"{name}_95"] = wilson_interval(int(correct.sum()), len(correct))
    return metrics


def _correct(texts: Sequence[str], labels: np.ndarray, probabilities: Mapping[str, float]) -> np.ndarray:
    correct: np.ndarray = is_positive(np.array([probabilities[text] for text in texts])) == (labels == 1)
    return correct
