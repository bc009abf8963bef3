"""The ensemble of teachers: a weighted sum of the logits of classifiers and an n-gram baseline."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from sentiment.data.batching import EncodedReviews
from sentiment.data.splitting import Parts
from sentiment.errors import InputError
from sentiment.evaluation.baselines import NGRAMS, baseline_logits
from sentiment.inference.torch_network import predict_logits
from sentiment.io.cache import cache_directory, cached
from sentiment.io.progress import review_bar
from sentiment.models.inference_lstm import inference_network
from sentiment.models.lstm import SentimentRNN
from sentiment.persistence.checkpoint import load_checkpoint
from sentiment.training.hardware import Hardware

FOLDS = 10
"""Folds of the cross-validation; fewer if a label has fewer validation reviews."""
VERSION = 2
"""Increase it when the predictions of a network change; cached predictions of other versions are not used."""


def teacher_logits(directory: Path, documents: Sequence[str], hardware: Hardware) -> np.ndarray:
    """Logits of one model for reviews given as tokens joined by spaces: [len(documents)] float32; cached."""
    checkpoint = load_checkpoint(directory, "sentiment-rnn")
    device, precision = hardware.accelerator.device, hardware.accelerator.mixed_precision

    def predict() -> np.ndarray:
        model = checkpoint.build().to(device)
        assert isinstance(model, SentimentRNN)
        network = inference_network(model, "auto" if precision == "bf16" else "fp32", device)
        reviews = EncodedReviews(map(checkpoint.text.encode_document, documents))
        bar = review_bar(len(documents), f"predict with {directory}", shown=hardware.accelerator.is_main_process)
        with bar as shown, hardware.accelerator.autocast():  # for a GPU; `InferenceLSTM` has its own precision
            return predict_logits(network, reviews, device, on_batch=shown.update)

    key = (f"version {VERSION}", checkpoint.digest(), str(precision), device.type, *documents)
    return cached(cache_directory(), key, len(documents), predict)


def ensemble_logits(
    teachers: Sequence[Path], parts: Parts, documents: Sequence[str], hardware: Hardware
) -> tuple[np.ndarray, np.ndarray]:
    """Logits of the ensemble for the validation part and for other reviews.

    The weights come from a logistic regression of the validation labels on the teachers' logits, so the sum is
    calibrated on the validation part. The validation reviews themselves are predicted by cross-validation, with weights
    fitted on the other folds. Their labels may still have influenced the choice of each teacher's best epoch.

    Args:
        teachers: model directories.
        parts: training part, to fit the n-gram baseline, and validation part.
        documents: other reviews, tokens joined by spaces.
        hardware: device and precision of the networks.

    Returns:
        Logits of the validation reviews [len(parts.validation)] and of the other reviews [len(documents)], both
        float64.

    Raises:
        InputError: if a teacher cannot be read, or there are fewer than two validation reviews of a label.
    """
    folds = min(FOLDS, int(np.bincount(parts.validation_labels.astype(int), minlength=2).min()))
    if folds < 2:
        raise InputError(
            "the validation part has fewer than two reviews of a label, too few to weight the teachers; increase "
            "data.validation_fraction."
        )
    all_documents = [*parts.validation, *documents]
    labels = parts.train_labels.astype(int).tolist()
    columns = [baseline_logits(NGRAMS, parts.train, labels, all_documents, cache_directory())]
    columns += [teacher_logits(directory, all_documents, hardware) for directory in teachers]
    logits = np.stack(columns, axis=1).astype(np.float64)
    size, regression = len(parts.validation), LogisticRegression()
    inputs, targets = logits[:size], parts.validation_labels
    cross_validated = cross_val_predict(regression, inputs, targets, cv=folds, method="decision_function")
    return cross_validated, regression.fit(inputs, targets).decision_function(logits)[size:]
