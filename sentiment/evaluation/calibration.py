"""Calibration: a temperature for the probabilities, and the score below which a prediction is "uncertain".

Both are fitted on the validation part, never on test reviews, and stored in the model directory.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize, minimize_scalar

from sentiment.evaluation.metrics import accuracy_by_score
from sentiment.inference.bands import Band
from sentiment.inference.postprocessing import Temperature, probability

CONFIDENT_ACCURACY = 0.97
"""Accuracy wanted of the predictions that are not uncertain."""

BAND_ACCURACIES = (*np.arange(0.5, 0.99, 0.01).round(2).tolist(), *np.arange(0.99, 1, 0.001).round(3).tolist(), 1.0)
"""Accuracies for which a band is fitted; `sentiment.inference.bands` finds the one for a wanted accuracy."""

BAND_REVIEWS = 50
"""Fewest validation reviews of a band; the accuracy of fewer says too little."""

TEMPERATURES = (0.05, 20.0)
"""Range of the search; the ends are reached only if the logits say nothing about the labels, or everything."""


@dataclass(frozen=True)
class Answers:
    """A network's answers to labeled texts."""

    logits: np.ndarray
    """[n], of positive."""
    labels: np.ndarray
    """[n], 0 or 1."""
    tokens: np.ndarray
    """[n], tokens of each text."""


def fit_calibration(
    reviews: Answers,
    short_texts: Answers | None = None,
    own_labels: bool = True,
    confident_accuracy: float = CONFIDENT_ACCURACY,
) -> dict[str, Any]:
    """Fit the temperature, the lowest confident score and the bands on a validation part.

    Args:
        reviews: answers to validation reviews.
        short_texts: answers to short texts, such as sentences of them; None for one temperature, whatever the length
            of a text.
        own_labels: whether the labels of the short texts are their own, not those of the reviews that they are from.
        confident_accuracy: accuracy wanted of the predictions that are not uncertain, 0 to 1.

    Returns:
        Values for config.json of a model directory: `temperature` and `temperature_slope` (a probability is
        sigmoid(logit / `Temperature`)), `confident_from` (predictions with a lower score are uncertain; at 0.5 none is,
        at 1 nearly all are), the given `confident_accuracy`, and the `bands` of `fit_bands`.
    """
    temperature = Temperature(fit_temperature(reviews.logits, reviews.labels))
    if short_texts is not None and len(short_texts.labels):
        temperature = fit_temperature_by_length(reviews, short_texts, own_labels)
    labels, probabilities = reviews.labels, probability(reviews.logits, temperature.of(reviews.tokens))
    return {
        "temperature": temperature.whole,
        "temperature_slope": temperature.slope,
        "confident_from": confident_from(probabilities, labels, confident_accuracy),
        "confident_accuracy": confident_accuracy,
        "bands": fit_bands(probabilities, labels),
    }


def fit_bands(probabilities: np.ndarray, labels: np.ndarray) -> list[dict[str, float]]:
    """The widest band for each of `BAND_ACCURACIES` that is reached, from the widest to the narrowest.

    Args:
        probabilities: [n], of positive.
        labels: [n], 0 or 1.

    Returns:
        The fields of each `Band`. Each holds `BAND_REVIEWS` reviews or more; there is none if n is smaller.
    """
    scores, answered, reached = accuracy_by_score(labels, probabilities)
    large = answered >= BAND_REVIEWS
    bands: list[Band] = []
    for accuracy in BAND_ACCURACIES:
        enough = np.flatnonzero(large & (reached >= accuracy))
        if len(enough):
            last = enough[-1]
            score = 0.5 if last == len(scores) - 1 else float(scores[last])
            bands.append(Band(float(reached[last]), score, float(answered[last] / len(labels))))
    return [asdict(band) for band in dict.fromkeys(bands)]


def fit_temperature(logits: np.ndarray, targets: np.ndarray) -> float:
    """The temperature with the lowest log loss (Guo et al. 2017); logits and targets, 0 to 1, are [n]."""
    logits, targets = np.asarray(logits, dtype=np.float64), np.asarray(targets, dtype=np.float64)

    def log_loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        return float(np.mean(np.logaddexp(0, scaled) - targets * scaled))

    low, high = np.log(TEMPERATURES)
    return float(np.exp(minimize_scalar(log_loss, bounds=(low, high), method="bounded").x))


def smoothed(labels: np.ndarray) -> np.ndarray:
    """Targets [n] for few labels, 0 or 1: a little less sure, as if each label were seen once more (Platt 1999)."""
    positive, negative = np.count_nonzero(labels == 1), np.count_nonzero(labels == 0)
    return np.where(labels == 1, (positive + 1) / (positive + 2), 1 / (negative + 2))


def fit_temperature_by_length(reviews: Answers, short_texts: Answers, own_labels: bool) -> Temperature:
    """The temperature of reviews and of short texts with the highest likelihood; both kinds count as much.

    A sentence does not always say what its review says. So without labels of their own, the labels of a share of the
    short texts are taken to be wrong; that share is fitted, too.
    """
    counts = [len(reviews.labels), len(short_texts.labels)]
    tokens = np.concatenate([reviews.tokens, short_texts.tokens])
    signs = np.where(np.concatenate([reviews.labels, short_texts.labels]) == 1, 1.0, -1.0)
    signed = signs * np.concatenate([reviews.logits, short_texts.logits])
    weights = np.repeat(1 / np.array(counts), counts)
    can_be_wrong = np.repeat([0.0, 0.0 if own_labels else 0.5], counts)

    def log_loss(parameters: np.ndarray) -> float:
        log_whole, slope, odds = parameters
        right = probability(signed, Temperature(np.exp(log_whole), slope).of(tokens))
        wrong = can_be_wrong * probability(odds, 1.0)
        return float(-weights @ np.log((1 - wrong) * right + wrong * (1 - right) + np.finfo(np.float64).tiny))

    start = [np.log(fit_temperature(reviews.logits, reviews.labels)), 0.0, -2.0]
    bounds = [tuple(np.log(TEMPERATURES)), (-1.0, 1.0), (-10.0, 10.0)]
    log_whole, slope, _ = minimize(log_loss, start, method="Nelder-Mead", bounds=bounds).x
    return Temperature(float(np.exp(log_whole)), float(slope))


def confident_from(probabilities: np.ndarray, labels: np.ndarray, accuracy: float) -> float:
    """The lowest score such that predictions with this score or a higher one have the wanted accuracy.

    Args:
        probabilities: [n], of positive.
        labels: [n], 0 or 1.
        accuracy: the wanted accuracy, 0 to 1.

    Returns:
        0.5 to 1. It is 1 if even the most confident predictions are not accurate enough.
    """
    scores, _, reached = accuracy_by_score(labels, probabilities)
    enough = np.flatnonzero(reached >= accuracy)
    if not len(enough):
        return 1.0
    return 0.5 if enough[-1] == len(scores) - 1 else float(scores[enough[-1]])
