"""From a logit to an answer: the probability, the label, and what a model's calibration may hold.

Imports nothing but numpy: this lies on the way of every prediction, and a cold start counts.
"""

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
