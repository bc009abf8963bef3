"""Cross-validation: what each change of a model does for reviews that it was not fitted on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from sentiment.errors import InputError
from sentiment.evaluation.metrics import wilson_interval
from sentiment.inference.postprocessing import is_positive, probability

FEWEST = 4
"""Fewest different reviews of each label."""
FOLDS = {200: 10, 500: 5}
"""{up to this number of reviews: folds}; more reviews take longer and need fewer."""
FEWEST_FOLDS = 3
MANY = 5000
"""Reviews from which a single fold is enough."""
HELD_OUT = 10
"""Of so many reviews, a single fold holds one out."""


@dataclass(frozen=True)
class Fold:
    """Rows to fit on, and rows to predict."""

    train: np.ndarray
    held_out: np.ndarray


@dataclass(frozen=True)
class Change:
    """What may change in a model, and how it does in cross-validation, on reviews that it was not fitted on."""

    name: str
    accuracy: float
    """0 to 1."""
    accuracy_95: Sequence[float]
    """Wilson interval."""
    log_loss: float
    """Mean, in nats."""
    gain: float
    """By how much the log loss is lower than that of the model as it was."""
    gain_error: float
    """Standard error of the gain."""
    reviews: int

    @property
    def clear(self) -> bool:
        """Whether the gain is more than chance: over 1 + 16 / reviews standard errors."""
        return self.gain > (1 + 16 / self.reviews) * self.gain_error


def make_folds(labels: np.ndarray, units: np.ndarray) -> list[Fold]:
    """Divide reviews for cross-validation; those of one unit, which are equal, stay on one side.

    Args:
        labels: [n], 0 or 1.
        units: number of the unit of each review [n].

    Returns:
        Folds that together predict each review once; from `MANY` on a single one, which predicts one in `HELD_OUT`.

    Raises:
        InputError: if there are too few reviews.
    """
    negative, positive = (len(set(units[labels == label])) for label in (0, 1))
    if min(negative, positive) < FEWEST:
        raise InputError(
            f"too few different reviews to adapt to: {negative} negative and {positive} positive; give at least "
            f"{FEWEST} of each."
        )
    count = next((count for most, count in FOLDS.items() if len(labels) <= most), FEWEST_FOLDS)
    count = min(HELD_OUT if len(labels) >= MANY else count, negative, positive)
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=0)
    folds = [Fold(*rows) for rows in splitter.split(labels, labels, units)]
    # equal reviews with unequal labels can leave a fold with one label, or empty
    folds = [fold for fold in folds if len(fold.held_out) and len(set(labels[fold.train])) == 2]
    return folds[:1] if len(labels) >= MANY else folds


def compare(log_odds: Mapping[str, np.ndarray], labels: np.ndarray) -> list[Change]:
    """What each change does, beside the first one.

    Args:
        log_odds: {name of the change: calibrated log-odds [n] of reviews that it was not fitted on}.
        labels: [n], 0 or 1.
    """
    signs, first, changes = np.where(labels == 1, 1.0, -1.0), None, []
    for name, answers in log_odds.items():
        losses = np.logaddexp(0, -signs * answers)
        first = losses if first is None else first
        gains = first - losses
        right = int((is_positive(probability(answers, 1.0)) == (labels == 1)).sum())
        changes.append(
            Change(
                name,
                right / len(labels),
                wilson_interval(right, len(labels)),
                float(losses.mean()),
                float(gains.mean()),
                float(gains.std(ddof=1) / np.sqrt(len(gains))),
                len(labels),
            )
        )
    return changes
