"""The ensemble of teachers: a weighted sum of the logits of classifiers and an n-gram baseline."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from sentiment.data.batching import EncodedReviews
from sentiment.data.splitting import Parts
from sentiment.data.texts import Texts
from sentiment.errors import InputError
from sentiment.evaluation.baselines import NGRAMS, baseline_logits
from sentiment.inference.torch_network import TorchNetwork, predict_logits
from sentiment.io.cache import cache_directory, cached_by_text
from sentiment.io.progress import review_bar
from sentiment.models.inference_lstm import inference_network
from sentiment.models.lstm import SentimentRNN
from sentiment.persistence.checkpoint import Checkpoint, load_checkpoint
from sentiment.persistence.hub import is_hub_id
from sentiment.persistence.model_directory import locate_model
from sentiment.persistence.transformer import holds_transformer, load_transformer
from sentiment.training.hardware import Hardware

FOLDS = 10
"""Folds of the cross-validation; fewer if a label has fewer validation reviews."""
VERSION = 3
"""Increase it when the predictions of a network change; cached predictions of other versions are not used."""


@dataclass(frozen=True)
class Teacher:
    """A classifier that predicts texts for a student."""

    name: str
    """Its directory, hub id, or name of a shipped model."""
    network: TorchNetwork
    encode: Callable[[Sequence[str]], Iterable[Sequence[int]]]
    """From texts to the network's token ids."""
    digest: str
    """What its predictions depend on."""
    checkpoint: Checkpoint | None
    """Of an LSTM; None for a transformer, which reads texts as they were written, not as our tokens."""

    def logits(self, texts: Texts, hardware: Hardware) -> np.ndarray:
        """Logits of positive [len(texts)] float32; cached by model and text."""
        device, precision = hardware.accelerator.device, hardware.accelerator.mixed_precision
        key = (f"version {VERSION}", self.digest, str(precision), device.type)
        with review_bar(len(texts), f"predict with {self.name}", shown=hardware.accelerator.is_main_process) as bar:

            def predict(part: Sequence[str]) -> np.ndarray:
                with hardware.accelerator.autocast():  # for a GPU; `InferenceLSTM` has its own precision
                    return predict_logits(self.network, EncodedReviews(self.encode(part)), device, on_batch=bar.update)

            read = texts.written if self.checkpoint is None else texts.documents
            logits = cached_by_text(cache_directory(), key, read, predict)
            bar.update(len(texts) - bar.n)  # those that were cached
            return logits


def load_teacher(name: str, hardware: Hardware) -> Teacher:
    """Load a teacher.

    Args:
        name: a model directory, the name of a shipped model, or the directory or hub id of a transformer.
        hardware: device and precision.

    Raises:
        InputError: if it cannot be read.
        RunError: if the hub cannot be reached.
    """
    device, directory = hardware.accelerator.device, locate_model(name)
    if holds_transformer(directory) or (not directory.exists() and is_hub_id(name)):
        transformer = load_transformer(name)
        return Teacher(name, transformer.to(device), transformer.encode, transformer.digest(), None)
    checkpoint = load_checkpoint(directory, "sentiment-rnn")
    lstm = checkpoint.build().to(device)
    assert isinstance(lstm, SentimentRNN)
    network = inference_network(lstm, "auto" if hardware.accelerator.mixed_precision == "bf16" else "fp32", device)
    return Teacher(name, network, partial(map, checkpoint.text.encode_document), checkpoint.digest(), checkpoint)


@dataclass(frozen=True)
class EnsembleLogits:
    """What teachers say together; all float64."""

    validation: np.ndarray
    """[validation reviews], by cross-validation."""
    texts: np.ndarray
    """[n], of other texts."""
    transformers: np.ndarray
    """[n], of the transformers alone; those of all teachers if none is a transformer."""


def ensemble_logits(teachers: Sequence[Teacher], parts: Parts, texts: Texts, hardware: Hardware) -> EnsembleLogits:
    """Logits of the ensemble for the validation part and for other texts.

    The weights come from a logistic regression of the validation labels on the teachers' logits, so the sum is
    calibrated on the validation part. The validation reviews themselves are predicted by cross-validation, with weights
    fitted on the other folds. Their labels may still have influenced the choice of each teacher's best epoch.

    Args:
        teachers: the classifiers.
        parts: training part, to fit the n-gram baseline, and validation part.
        texts: other texts.
        hardware: device and precision of the networks.

    Raises:
        InputError: if there are fewer than two validation reviews of a label.
    """
    folds = min(FOLDS, int(np.bincount(parts.validation_labels.astype(int), minlength=2).min()))
    if folds < 2:
        raise InputError(
            "the validation part has fewer than two reviews of a label, too few to weight the teachers; increase "
            "data.validation_fraction."
        )
    everything = Texts(parts.validation_texts, parts.validation) + texts
    labels = parts.train_labels.astype(int).tolist()
    columns = [baseline_logits(NGRAMS, parts.train, labels, everything.documents, cache_directory())]
    columns += [teacher.logits(everything, hardware) for teacher in teachers]
    logits = np.stack(columns, axis=1).astype(np.float64)
    size, targets, regression = len(parts.validation), parts.validation_labels, LogisticRegression()

    def weighted(chosen: np.ndarray) -> np.ndarray:
        """The sum of some columns for the other texts, calibrated."""
        found = regression.fit(logits[:size, chosen], targets).decision_function(logits[:, chosen])[size:]
        return np.asarray(found)

    is_transformer = np.array([False, *(teacher.checkpoint is None for teacher in teachers)])
    all_teachers = np.ones(len(columns), dtype=bool)
    return EnsembleLogits(
        cross_val_predict(regression, logits[:size], targets, cv=folds, method="decision_function"),
        weighted(all_teachers),
        weighted(is_transformer if is_transformer.any() else all_teachers),
    )
