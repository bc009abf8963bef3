"""New heads on the features of a frozen network: a share of the old logit, plus a linear function of the features."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from sklearn.linear_model import LogisticRegression

OLD_WEIGHT = 0.3
"""Scale of the old logit and of the bias, beside features that together have length 1. The larger it is, the less a new
head differs from the old one. It is that of `SentimentEstimator`."""
CONSTANT = 1e-6
"""Standard deviation up to which a feature counts as constant, and is left out."""
MAX_ITERATIONS = 1000
"""Enough for a head to converge, which takes a few dozen."""


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
        constant = np.full((len(old), 1), OLD_WEIGHT)
        inputs = np.hstack([(features - mean) * each, OLD_WEIGHT * old[:, None], constant])
        regression = LogisticRegression(C=strength, fit_intercept=False, max_iter=MAX_ITERATIONS).fit(inputs, labels)
        *slopes, scale, bias = regression.coef_[0]
        slopes = np.asarray(slopes) * each
        return Head(float(OLD_WEIGHT * scale), slopes, float(OLD_WEIGHT * bias - slopes @ mean))

    return fit
