"""A model's predictions for labeled reviews; all metrics are computed from them.

They come from `SentimentClassifier.predict`, the same code that predicts any other review.
"""

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sentiment.classifier import SentimentClassifier
from sentiment.errors import InputError
from sentiment.inference.postprocessing import is_positive
from sentiment.inference.prediction import Prediction
from sentiment.io.files import atomic_file
from sentiment.io.signals import catch_signals

FINGERPRINT = b"data_sha256"
"""Metadata key of predictions.parquet: the hash of the reviews that it belongs to."""


@dataclass(frozen=True)
class LabeledPredictions:
    """Labeled reviews and a model's prediction for each of them.

    Attributes:
        texts: n reviews.
        labels: [n] int, 0 or 1.
        predictions: one per review.
        probabilities: [n] float64, of positive, 0 to 1; 0.5 for a text without words.
        rows: [n] int, their rows in the source, from 0.
    """

    texts: Sequence[str]
    labels: np.ndarray
    predictions: Sequence[Prediction]
    probabilities: np.ndarray
    rows: np.ndarray

    def with_label(self) -> "LabeledPredictions":
        """Without the texts that have no words, which no model can judge."""
        kept = [index for index, prediction in enumerate(self.predictions) if prediction.label is not None]
        if len(kept) == len(self.predictions):
            return self
        if not kept:
            raise InputError("none of the reviews has words, so there is nothing to evaluate.")
        return LabeledPredictions(
            [self.texts[index] for index in kept],
            self.labels[kept],
            [self.predictions[index] for index in kept],
            self.probabilities[kept],
            self.rows[kept],
        )

    @property
    def correct(self) -> np.ndarray:
        """[n] bool: where the predicted label is the actual one."""
        correct: np.ndarray = is_positive(self.probabilities) == (self.labels == 1)
        return correct

    @functools.cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the reviews and labels in their order."""
        digest = hashlib.sha256()
        for text, label in zip(self.texts, self.labels.tolist(), strict=True):
            digest.update(f"{label}\t{len(text)}\t{text}\n".encode("utf-8", "surrogatepass"))
        return digest.hexdigest()


def collect_predictions(
    classifier: SentimentClassifier, texts: Sequence[str], labels: Sequence[int], rows: Sequence[int] | None = None
) -> LabeledPredictions:
    """Predict all reviews, with a progress bar; `rows` are by default 0, 1, 2, ...

    Raises:
        Stopped: after SIGINT or SIGTERM.
    """
    with catch_signals():
        predictions = classifier.predict(texts, show_progress=True)
    probabilities = np.array([0.5 if (p := prediction.probability) is None else p for prediction in predictions])
    numbers = np.arange(len(texts)) if rows is None else np.asarray(rows, dtype=np.int64)
    return LabeledPredictions(texts, np.asarray(labels, dtype=np.int64), predictions, probabilities, numbers)


def write_predictions(predictions: LabeledPredictions, file: Path) -> None:
    """Write a parquet file, one row per review in order: row number, actual label, and the fields of `Prediction`.

    Raises:
        RunError: if the file cannot be written.
    """
    columns: dict[str, Any] = {"row": predictions.rows, "true_label": predictions.labels}
    rows = [prediction.to_dict() for prediction in predictions.predictions]
    table = pa.table(columns | {name: [row[name] for row in rows] for name in rows[0]})
    with atomic_file(file) as temporary:
        pq.write_table(table.replace_schema_metadata({FINGERPRINT: predictions.fingerprint}), temporary)


def read_predictions(file: Path, predictions: LabeledPredictions) -> np.ndarray:
    """Probabilities [n] from the `predictions.parquet` of another evaluation on the same reviews.

    Raises:
        InputError: if the file cannot be read, or belongs to other reviews.
    """
    try:
        table = pq.read_table(file)
        probabilities = np.asarray(table["probability"].to_pylist(), dtype=np.float64)
    except (OSError, pa.ArrowException, KeyError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{file}: not a predictions.parquet of an evaluation: {reason}.") from error
    if len(probabilities) != len(predictions.labels):
        raise InputError(
            f"{file}: {len(probabilities)} predictions, but {len(predictions.labels)} reviews are evaluated."
        )
    if (table.schema.metadata or {}).get(FINGERPRINT) != predictions.fingerprint.encode():
        raise InputError(f"{file}: belongs to other reviews; evaluate that model on these reviews.")
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise InputError(f"{file}: holds probabilities outside 0 to 1.")
    return probabilities
