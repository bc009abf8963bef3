"""Metrics of predicted probabilities against labels, computed with scikit-learn and scipy."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import binomtest
from sklearn import metrics as sk

from sentiment.inference.postprocessing import is_positive

CALIBRATION_BINS = 15


def classification_metrics(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, Any]:
    """Standard metrics of binary classification.

    Args:
        labels: [n], 0 or 1.
        probabilities: [n], of positive, 0 to 1.

    Returns:
        accuracy (with its 95% Wilson interval), precision, recall, f1, roc_auc, log_loss (nats), brier, ece,
        confusion_matrix ([[true negative, false positive], [false negative, true positive]]) and n. A metric that
        these labels do not define (such as ROC AUC if only one label occurs) is None.
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


@dataclass(frozen=True)
class Bin:
    """A bin of a reliability diagram: reviews with similar probabilities."""

    n: int
    predicted: float
    """Mean predicted probability of positive."""
    observed: float
    """Share of the reviews that are positive."""
    interval: list[float]
    """95% interval of `observed`."""


def reliability(labels: np.ndarray, probabilities: np.ndarray, bins: int = CALIBRATION_BINS) -> list[Bin]:
    """Bins with equally many reviews, by rising probability."""
    labels, probabilities = np.asarray(labels), np.asarray(probabilities, dtype=np.float64)
    parts = [part for part in np.array_split(np.argsort(probabilities, kind="stable"), bins) if len(part)]
    return [
        Bin(
            n=len(part),
            predicted=float(probabilities[part].mean()),
            observed=float(labels[part].mean()),
            interval=wilson_interval(int(labels[part].sum()), len(part)),
        )
        for part in parts
    ]


def expected_calibration_error(labels: np.ndarray, probabilities: np.ndarray, bins: int = CALIBRATION_BINS) -> float:
    """Mean distance between predicted probability and observed share of positive, 0 to 1.

    The bins hold equally many reviews (Nixon et al. 2019).
    """
    parts = reliability(labels, probabilities, bins)
    return sum(part.n * abs(part.predicted - part.observed) for part in parts) / len(labels)


def error_if_calibrated(probabilities: np.ndarray, bins: int = CALIBRATION_BINS, draws: int = 200) -> float:
    """Mean calibration error that a perfectly calibrated model has by chance, 0 to 1.

    If the measured error is close to this one, no miscalibration was found.

    Args:
        probabilities: [n], of positive, of the evaluated model.
        bins: bins of equally many reviews.
        draws: how many times labels are drawn from the probabilities.
    """
    probabilities = np.sort(np.asarray(probabilities, dtype=np.float64))
    generator = np.random.default_rng(0)
    gaps = np.zeros(draws)
    for part in np.array_split(probabilities, min(bins, len(probabilities))):
        positives = np.array([(generator.random(len(part)) < part).sum() for _ in range(draws)])
        gaps += np.abs(positives - part.sum())
    return float(gaps.mean() / len(probabilities))


def accuracy_by_score(labels: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Accuracy of the predictions with at least a given score.

    Returns:
        Three arrays [distinct scores]: the scores, falling; the number of predictions with at least that score; their
        accuracy.
    """
    scores = np.maximum(probabilities, 1 - np.asarray(probabilities))
    correct = is_positive(probabilities) == (np.asarray(labels) == 1)
    order = np.argsort(-scores, kind="stable")
    answered = np.arange(1, len(order) + 1)
    last_of_score = np.append(np.diff(scores[order]) != 0, True)  # equal scores stay together
    accuracy = np.cumsum(correct[order]) / answered
    return scores[order][last_of_score], answered[last_of_score], accuracy[last_of_score]


def risk_coverage(labels: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Accuracy if only the most confident predictions are used.

    Returns:
        Coverage (share of reviews answered, rising to 1) and accuracy of those reviews, both [distinct scores].
    """
    _, answered, accuracy = accuracy_by_score(labels, probabilities)
    return answered / len(labels), accuracy


def paired_comparison(correct: np.ndarray, other: np.ndarray) -> dict[str, float | int | list[float]]:
    """Difference in accuracy of two models on the same reviews.

    Args:
        correct: [n] bool, where the first model is correct.
        other: [n] bool, where the second model is correct.

    Returns:
        difference (first minus second), its difference_95 (Wald interval with half a review added to each cell,
        Agresti & Min 2005), only_first and only_second (reviews that only one of them gets right), and p_value (exact
        McNemar test).
    """
    first, second, n = int((correct & ~other).sum()), int((other & ~correct).sum()), len(correct)
    total, b, c = n + 2, first + 0.5, second + 0.5
    middle, half = (b - c) / total, 1.96 * np.sqrt(b + c - (b - c) ** 2 / total) / total
    return {
        "difference": (first - second) / n,
        "difference_95": [float(max(-1.0, middle - half)), float(min(1.0, middle + half))],
        "only_first": first,
        "only_second": second,
        "p_value": float(binomtest(first, first + second).pvalue) if first + second else 1.0,
    }
