"""From a logit to a probability and a label.

This module imports only numpy, so that predictions start fast.
"""

from dataclasses import dataclass

import numpy as np

WHOLE = 200
"""Tokens from which a text counts as a whole review."""
THRESHOLD = 0.5
"""Probability from which a review is positive; used only in `is_positive`."""


@dataclass(frozen=True)
class Temperature:
    """What the logit of a text is divided by; it depends on the length of the text.

    A network is less sure of a sentence than it could be, since it has learned from reviews, which say a thing many
    times. So a short text has a lower temperature.
    """

    whole: float
    """Temperature of texts of `WHOLE` tokens and more, above 0."""
    slope: float = 0.0
    """Exponent: a text of n tokens has the temperature whole · (n / WHOLE)^slope. At 0 all texts have the same."""

    def of(self, tokens: np.ndarray | int) -> np.ndarray:
        """The temperature of texts of these numbers of tokens, any shape: float64 of the same shape."""
        return self.whole * (np.clip(tokens, 1, WHOLE) / WHOLE) ** self.slope


def probability(logits: np.ndarray, temperature: np.ndarray | float) -> np.ndarray:
    """Probability of the positive label: sigmoid(logit / temperature).

    Args:
        logits: logits of the positive label, any shape.
        temperature: temperature of each, or of all of them, above 0.

    Returns:
        float64 of the same shape. It is computed with logarithms, so it does not overflow.
    """
    return np.exp(-np.logaddexp(0, -np.asarray(logits, dtype=np.float64) / temperature))


def is_positive(probabilities: np.ndarray | float) -> np.ndarray:
    """Predicted labels: bool array of the same shape. All labels of this package come from here."""
    return np.asarray(probabilities) >= THRESHOLD
