"""All answers of a model to labelled reviews, gathered once; every figure is computed from them.

They come from `SentimentClassifier.predict`, the same way on which anybody's reviews go.
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
from tqdm import tqdm

from sentiment.classifier import SentimentClassifier
from sentiment.decision import is_positive
from sentiment.errors import InputError
from sentiment.files import replacing
from sentiment.prediction import Prediction
from sentiment.sharing import predict_together
from sentiment.stopping import listening

CHUNK = 2048
"""Reviews per call of the classifier; bounds memory and moves the progress bar."""

FINGERPRINT = b"data_sha256"
"""Metadata of predictions.parquet: which reviews it answers."""


@dataclass(frozen=True)
class Answers:
    """Labelled reviews and what a model said to each.

    Attributes:
        texts: n reviews.
        labels: [n] int, 0 or 1.
        predictions: the n answers.
        probabilities: [n] float64, of positive.
    """

    texts: Sequence[str]
    labels: np.ndarray
    predictions: Sequence[Prediction]
    probabilities: np.ndarray

    @property
    def correct(self) -> np.ndarray:
        """[n] bool: where the label that was answered is the true one."""
        correct: np.ndarray = is_positive(self.probabilities) == (self.labels == 1)
        return correct

    @functools.cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the reviews and labels in their order."""
        digest = hashlib.sha256()
        for text, label in zip(self.texts, self.labels.tolist(), strict=True):
            digest.update(f"{label}\t{len(text)}\t{text}\n".encode("utf-8", "surrogatepass"))
        return digest.hexdigest()


def gather(classifier: SentimentClassifier, texts: Sequence[str], labels: Sequence[int]) -> Answers:
    """Ask the model about every review, once.

    Raises:
        Stopped: after SIGINT or SIGTERM.
    """
    predictions: list[Prediction] = []
    with listening(), tqdm(total=len(texts), unit="review", desc="predict", mininterval=1) as bar:
        for start in range(0, len(texts), CHUNK):
            chunk = texts[start : start + CHUNK]
            predictions += predict_together(classifier, chunk)
            bar.update(len(chunk))
    probabilities = np.array([prediction.probability for prediction in predictions], dtype=np.float64)
    return Answers(texts, np.asarray(labels, dtype=np.int64), predictions, probabilities)


def write_predictions(answers: Answers, file: Path) -> None:
    """One row a review, in the order of the source: row number, true label, and the answer's fields.

    Raises:
        RunError: if it cannot be written.
    """
    columns: dict[str, Any] = {"row": np.arange(len(answers.labels)), "true_label": answers.labels}
    rows = [prediction.to_dict() for prediction in answers.predictions]
    table = pa.table(columns | {name: [row[name] for row in rows] for name in rows[0]})
    with replacing(file) as temporary:
        pq.write_table(table.replace_schema_metadata({FINGERPRINT: answers.fingerprint}), temporary)


def read_predictions(file: Path, answers: Answers) -> np.ndarray:
    """Probabilities [n] of a `predictions.parquet` that another evaluation on the same reviews has written.

    Raises:
        InputError: if the file cannot be read, or answers other reviews.
    """
    try:
        table = pq.read_table(file)
        probabilities = np.asarray(table["probability"].to_pylist(), dtype=np.float64)
    except (OSError, pa.ArrowException, KeyError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{file}: not a predictions.parquet of an evaluation: {reason}.") from error
    if len(probabilities) != len(answers.labels):
        raise InputError(
            f"{file}: {len(probabilities)} predictions, where {len(answers.labels)} reviews are evaluated."
        )
    if (table.schema.metadata or {}).get(FINGERPRINT) != answers.fingerprint.encode():
        raise InputError(f"{file}: answers other reviews than those evaluated here; evaluate that model again.")
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise InputError(f"{file}: holds probabilities outside 0 to 1.")
    return probabilities
