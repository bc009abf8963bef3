"""How sure a prediction has to be: the bands of scores that are not "uncertain", by the accuracy that is wanted.

This module does not import torch, so that ONNX Runtime (`sentiment.inference.onnx`) starts fast.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sentiment.errors import InputError


@dataclass(frozen=True)
class Band:
    """The predictions from a score on, and what they were worth on validation reviews."""

    accuracy: float
    """Accuracy of these predictions, 0 to 1."""
    confident_from: float
    """Lowest score, 0.5 to 1."""
    coverage: float
    """Share of the reviews that have such a score, 0 to 1."""


def find_band(bands: Sequence[Mapping[str, float]], target_accuracy: float) -> Band:
    """The widest band that reached an accuracy on validation reviews.

    Args:
        bands: fields of each `Band`, as `sentiment.evaluation.calibration.fit_bands` finds them.
        target_accuracy: the accuracy wanted of the predictions that are not uncertain, above 0.5 and at most 1.

    Raises:
        InputError: if no band reached it, or the model has none.
    """
    if not 0.5 < target_accuracy <= 1:
        raise InputError(f"target_accuracy is {target_accuracy:g}; give a share above 0.5, such as 0.99.")
    if not bands:
        raise InputError("this model was saved without bands, so it has no target_accuracy; train it again.")
    found = [Band(**band) for band in bands]
    reached = [band for band in found if band.accuracy >= target_accuracy]
    if not reached:
        best = max(found, key=lambda band: band.accuracy)
        raise InputError(
            f"target_accuracy is {target_accuracy:g}, but on validation reviews no band of this model reached more "
            f"than {best.accuracy:.4f}, and that for {best.coverage:.0%} of them; give a lower one."
        )
    return max(reached, key=lambda band: band.coverage)
