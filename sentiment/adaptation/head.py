"""New heads on the features of a frozen network: a share of the old logit, plus a linear function of the features."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from sklearn.linear_model import LogisticRegression

from sentiment.adaptation.cross_validation import Fold
from sentiment.integrations.features import Features
from sentiment.integrations.sklearn import CONSTANT, MAX_ITERATIONS, SHIPPED_WEIGHT
from sentiment.models.surgery import with_linear
from sentiment.persistence.checkpoint import Checkpoint

STRENGTHS = (0.3, 1.0, 3.0, 10.0)
"""Strengths of a new head, from the one that changes least."""


@dataclass(frozen=True)
class Head:
    """The logit is scale · old logit + slopes · features + bias."""

    scale: float
    slopes: np.ndarray
    """[width]."""
    bias: float

    def logits(self, features: np.ndarray, old: np.ndarray) -> np.ndarray:
        """Logits [n], from features [n, width] and old logits [n]."""
        found: np.ndarray = self.scale * old + features @ self.slopes + self.bias
        return found


Fit: TypeAlias = Callable[[np.ndarray, np.ndarray, np.ndarray], Head]
"""Fits a head to features [n, width], old logits [n] and labels [n], 0 or 1."""


def fit_scale(features: np.ndarray, old: np.ndarray, labels: np.ndarray) -> Head:
    """Only scale and bias change (Platt 1999), nearly without penalty."""
    regression = LogisticRegression(C=100.0).fit(old[:, None], labels)
    return Head(float(regression.coef_[0, 0]), np.zeros(features.shape[1]), float(regression.intercept_[0]))


def fit_linear(strength: float) -> Fit:
    """Everything changes, with an L2 penalty: the smaller the strength, the stronger it is."""

    def fit(features: np.ndarray, old: np.ndarray, labels: np.ndarray) -> Head:
        mean, deviation = features.mean(axis=0), features.std(axis=0)
        each = 1 / (np.where(deviation > CONSTANT, deviation, np.inf) * math.sqrt(features.shape[1]))
        constant = np.full((len(old), 1), SHIPPED_WEIGHT)
        inputs = np.hstack([(features - mean) * each, SHIPPED_WEIGHT * old[:, None], constant])
        regression = LogisticRegression(C=strength, fit_intercept=False, max_iter=MAX_ITERATIONS).fit(inputs, labels)
        *slopes, scale, bias = regression.coef_[0]
        slopes = np.asarray(slopes) * each
        return Head(float(SHIPPED_WEIGHT * scale), slopes, float(SHIPPED_WEIGHT * bias - slopes @ mean))

    return fit


class HeadChange:
    """A change of the head alone; the network gets it as a part of its weights.

    Args:
        fit: fits the head.
        start: the model.
        features: features of n reviews [n, width] float64.
        old: their logits before [n] float64.
        labels: their labels [n], 0 or 1.
    """

    def __init__(self, fit: Fit, start: Checkpoint, features: np.ndarray, old: np.ndarray, labels: np.ndarray) -> None:
        self.fit, self.start, self.features, self.old, self.labels = fit, start, features, old, labels

    def out_of_fold(self, folds: Sequence[Fold]) -> np.ndarray:
        """Logits [n] of reviews that the head was not fitted on; NaN for those that no fold predicts."""
        logits = np.full(len(self.labels), np.nan)
        for fold in folds:
            head = self._fitted(fold.train)
            logits[fold.held_out] = head.logits(self.features[fold.held_out], self.old[fold.held_out])
        return logits

    def changed(self, folds: Sequence[Fold]) -> Checkpoint:
        """The model with the head that all reviews give, whatever the folds."""
        head = self._fitted(np.arange(len(self.labels)))
        weights, settings = with_linear(
            self.start.weights, self.start.model_settings, head.scale, head.slopes, head.bias
        )
        return replace(self.start, weights=weights, model_settings=settings)

    def _fitted(self, rows: np.ndarray) -> Head:
        return self.fit(self.features[rows], self.old[rows], self.labels[rows])


def head_changes(start: Checkpoint, features: Features, labels: np.ndarray) -> dict[str, HeadChange]:
    """{name: change} of the head, from the one that changes least."""
    fits: dict[str, Fit] = {"scale and bias": fit_scale}
    fits |= {f"head, strength {strength:g}": fit_linear(strength) for strength in STRENGTHS}
    pooled, old = features.pooled.astype(np.float64), features.logits.astype(np.float64)
    return {name: HeadChange(fit, start, pooled, old, labels) for name, fit in fits.items()}
