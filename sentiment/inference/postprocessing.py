"""From a logit to a probability and a label.

This module imports only numpy, so that predictions start fast.
"""

import numpy as np

THRESHOLD = 0.5
"""Probability from which a review is positive; used only in `is_positive`."""


def probability(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Probability of the positive label: sigmoid(logit / temperature).

    Args:
        logits: logits of the positive label, any shape.
        temperature: temperature of the model's calibration, above 0.

    Returns:
        float64 of the same shape. It is computed with logarithms, so it does not overflow.
    """
    return np.exp(-np.logaddexp(0, -np.asarray(logits, dtype=np.float64) / temperature))


def is_positive(probabilities: np.ndarray | float) -> np.ndarray:
    """Predicted labels: bool array of the same shape. All labels of this package come from here."""
    return np.asarray(probabilities) >= THRESHOLD
