"""New heads on the features of a frozen network: a share of the old logit, plus a linear function of the features."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from sklearn.linear_model import LogisticRegression

from sentiment.integrations.sklearn import CONSTANT, MAX_ITERATIONS, SHIPPED_WEIGHT


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
