"""Figures of merit of probabilities against labels; all of them by scikit-learn and scipy."""

from typing import Any

import numpy as np
from scipy.stats import binomtest
from sklearn import metrics as sk

THRESHOLD = 0.5
"""A review is positive from this probability on; the one place that says so."""

CALIBRATION_BINS = 15


def is_positive(probabilities: np.ndarray) -> np.ndarray:
    """Predicted labels: bool array of the same shape."""
    return np.asarray(probabilities) >= THRESHOLD


def classification_metrics(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, Any]:
    """Metrics of the probabilities of positive.

    Args:
        labels: [n], 0 or 1.
        probabilities: [n], 0 to 1.

    Returns:
        accuracy (with its 95% Wilson interval), precision, recall, f1, roc_auc, log_loss (nats), brier, ece,
        confusion_matrix ([[true negative, false positive], [false negative, true positive]]) and n. A figure that
        these labels do not define (ROC AUC of one class, recall of a class that does not occur) is None.
    """
    labels = np.asarray(labels).astype(int)
    probabilities = np.asarray(probabilities, dtype=np.float64)
    predicted = is_positive(probabilities).astype(int)
    correct = int((predicted == labels).sum())
    return {
        "accuracy": correct / len(labels),
        "accuracy_95": wilson_interval(correct, len(labels)),
        "precision": _defined(sk.precision_score(labels, predicted, zero_division=np.nan)),
        "recall": _defined(sk.recall_score(labels, predicted, zero_division=np.nan)),
        "f1": _defined(sk.f1_score(labels, predicted, zero_division=np.nan)),
        "roc_auc": float(sk.roc_auc_score(labels, probabilities)) if len(set(labels)) == 2 else None,
        "log_loss": float(sk.log_loss(labels, probabilities, labels=[0, 1])),
        "brier": float(np.mean((probabilities - labels) ** 2)),
        "ece": expected_calibration_error(labels, probabilities),
        "confusion_matrix": sk.confusion_matrix(labels, predicted, labels=[0, 1]).tolist(),
        "n": len(labels),
    }


def _defined(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def wilson_interval(successes: int, n: int) -> list[float]:
    """95% interval [low, high] of a proportion (Wilson 1927); [0, 1] for n = 0."""
    if n == 0:
        return [0.0, 1.0]
    interval = binomtest(successes, n).proportion_ci(0.95, method="wilson")
    return [float(interval.low), float(interval.high)]


def expected_calibration_error(labels: np.ndarray, probabilities: np.ndarray, bins: int = CALIBRATION_BINS) -> float:
    """Mean distance between the stated probability and the observed frequency, 0 to 1.

    Over bins of equal mass, so that each holds enough reviews to be judged (Nixon et al. 2019).
    """
    order = np.argsort(probabilities, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    gaps = [len(part) * abs(float(np.mean(probabilities[part])) - float(np.mean(labels[part]))) for part in parts]
    return sum(gaps) / len(order)
