"""Probabilities that mean what they say: a temperature, and a band in which the answer is "uncertain".

Both are fitted on the validation part, never on test reviews, and stored in the model directory.
"""

import numpy as np
from scipy.optimize import minimize_scalar

from sentiment.decision import probability
from sentiment.evaluation import accuracy_by_score

CONFIDENT_ACCURACY = 0.97
"""Share of right answers, among those not called uncertain, that the band is chosen for."""

TEMPERATURES = (0.05, 20.0)
"""Range that is searched; its ends are reached only by logits that tell nothing, or everything."""


def fit(logits: np.ndarray, labels: np.ndarray, confident_accuracy: float = CONFIDENT_ACCURACY) -> dict[str, float]:
    """Temperature and band of a validation part.

    Args:
        logits: [n], of positive, by the network that is kept.
        labels: [n], 0 or 1.
        confident_accuracy: share of right answers wanted outside the band.

    Returns:
        What config.json of a model directory holds: `temperature` (a probability is sigmoid(logit / temperature)),
        `confident_from` (answers of a lower score are uncertain; 0.5 calls none so, 1 nearly all), and the
        `confident_accuracy` it was chosen for.
    """
    temperature = fit_temperature(logits, labels)
    return {
        "temperature": temperature,
        "confident_from": confident_from(probability(logits, temperature), labels, confident_accuracy),
        "confident_accuracy": confident_accuracy,
    }


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature of least log loss (Guo et al. 2017)."""
    logits = np.asarray(logits, dtype=np.float64)
    signs = np.where(np.asarray(labels) == 1, 1.0, -1.0)

    def log_loss(log_temperature: float) -> float:
        return float(np.mean(np.logaddexp(0, -signs * logits / np.exp(log_temperature))))

    low, high = np.log(TEMPERATURES)
    return float(np.exp(minimize_scalar(log_loss, bounds=(low, high), method="bounded").x))


def confident_from(probabilities: np.ndarray, labels: np.ndarray, accuracy: float) -> float:
    """The lowest score from which on the answers are right often enough.

    Args:
        probabilities: [n], of positive.
        labels: [n], 0 or 1.
        accuracy: the share of right answers wanted.

    Returns:
        0.5 to 1. Where even the surest answers are wrong too often it is 1, so that no answer is called sure.
    """
    scores, _, reached = accuracy_by_score(labels, probabilities)
    enough = np.flatnonzero(reached >= accuracy)
    if not len(enough):
        return 1.0
    return 0.5 if enough[-1] == len(scores) - 1 else float(scores[enough[-1]])
