"""Teachers together: classifiers and n-grams, their logits added with weights from the validation part."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from sentiment.answer_cache import default_cache, remembered
from sentiment.baselines import NGRAMS, baseline_logits
from sentiment.batching import EncodedReviews
from sentiment.checkpoint import load_checkpoint
from sentiment.data import Parts
from sentiment.errors import InputError
from sentiment.hardware import Hardware
from sentiment.inference import predict_logits
from sentiment.model import SentimentRNN
from sentiment.prediction_network import prediction_network

FOLDS = 10
"""Of the validation part; fewer where a class has fewer reviews."""
VERSION = 2
"""Raised when a network's answers change, so that none that was kept before is taken."""


def member_logits(directory: Path, documents: Sequence[str], hardware: Hardware) -> np.ndarray:
    """Logits of one model directory for reviews given as tokens joined by spaces: [len(documents)] float32."""
    checkpoint = load_checkpoint(directory, "sentiment-rnn")
    device, precision = hardware.accelerator.device, hardware.accelerator.mixed_precision

    def answer() -> np.ndarray:
        model = checkpoint.build().to(device)
        assert isinstance(model, SentimentRNN)
        network = prediction_network(model, "auto" if precision == "bf16" else "fp32", device)
        reviews = EncodedReviews(map(checkpoint.text.encode_document, documents))
        with hardware.accelerator.autocast():  # for a network on a GPU; a `PredictionNetwork` rounds by itself
            return predict_logits(network, reviews, device)

    question = (f"version {VERSION}", checkpoint.digest(), str(precision), device.type, *documents)
    return remembered(default_cache(), question, len(documents), answer)


def ensemble_logits(
    teachers: Sequence[Path], parts: Parts, documents: Sequence[str], hardware: Hardware
) -> tuple[np.ndarray, np.ndarray]:
    """Logits of all teachers together, for the validation part and for other reviews.

    The weights are those of a logistic regression of the validation labels on the teachers' logits, so the sum is
    calibrated there. The validation part itself is answered out of fold, by weights that did not see the review's
    label, so that its figures are not those of the data that was fitted; the choice of each teacher's best epoch may
    still have seen it.

    Args:
        teachers: model directories.
        parts: training part, on which the n-grams are fitted, and validation part.
        documents: other reviews, tokens joined by spaces.
        hardware: device and precision of the networks.

    Returns:
        Out of fold [len(parts.validation)], and with the weights of the whole validation part [len(documents)], both
        float64.

    Raises:
        InputError: for a teacher that cannot be read, or fewer than two validation reviews of a class.
    """
    folds = min(FOLDS, int(np.bincount(parts.validation_labels.astype(int), minlength=2).min()))
    if folds < 2:
        raise InputError(
            "the validation part has fewer than two reviews of a class, too few to weigh the teachers; raise "
            "data.validation_fraction."
        )
    everything = [*parts.validation, *documents]
    labels = parts.train_labels.astype(int).tolist()
    columns = [baseline_logits(NGRAMS, parts.train, labels, everything, default_cache())]
    columns += [member_logits(directory, everything, hardware) for directory in teachers]
    logits = np.stack(columns, axis=1).astype(np.float64)
    held_out = len(parts.validation)
    known, truth, weights = logits[:held_out], parts.validation_labels, LogisticRegression()
    out_of_fold = cross_val_predict(weights, known, truth, cv=folds, method="decision_function")
    return out_of_fold, weights.fit(known, truth).decision_function(logits)[held_out:]
