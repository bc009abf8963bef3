"""From a logit to an answer: the probability, the label, and what a model's calibration may hold.

Imports nothing but numpy: this lies on the way of every prediction, and a cold start counts.
"""

import math
from collections.abc import Mapping

import numpy as np

THRESHOLD = 0.5
"""A review is positive from this probability on; read by `is_positive` alone."""


def probability(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Probability of positive, whatever computed the logit: sigmoid(logit / temperature).

    Args:
        logits: any shape, of positive.
        temperature: of the model's calibration, above 0.

    Returns:
        float64 of the same shape; computed from logarithms, so that no logit overflows.
    """
    return np.exp(-np.logaddexp(0, -np.asarray(logits, dtype=np.float64) / temperature))


def is_positive(probabilities: np.ndarray | float) -> np.ndarray:
    """Predicted labels: bool array of the same shape. The one place where a probability becomes a label."""
    return np.asarray(probabilities) >= THRESHOLD


def checked(values: Mapping[str, float]) -> dict[str, float]:
    """The calibration of a model directory, if its values can be one.

    Raises:
        ValueError: for a temperature that is not positive and finite, or a score outside 0.5 to 1.
    """
    calibration = {str(name): float(value) for name, value in values.items()}
    temperature, score = calibration["temperature"], calibration.get("confident_from", 0.5)
    if not (math.isfinite(temperature) and temperature > 0):
        raise ValueError(f"temperature is {temperature}; it must be positive and finite")
    if not 0.5 <= score <= 1:
        raise ValueError(f"confident_from is {score}; it must lie between 0.5 and 1")
    return calibration
