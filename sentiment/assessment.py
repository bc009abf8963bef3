"""What is measured of one model on one set of labelled reviews: all answers gathered once, then every figure.

The answers come from `SentimentClassifier.predict`, the same way on which anybody's reviews go.
"""

import hashlib
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.metrics import classification_report
from tqdm import tqdm

from sentiment.classifier import Prediction, SentimentClassifier
from sentiment.evaluation import classification_metrics, is_positive
from sentiment.files import replacing

CHUNK = 2048
"""Reviews per call of the classifier; bounds memory and moves the progress bar."""

LABELS = ("negative", "positive")
PACKAGES = ("sentiment-rnn", "torch", "torchtext", "datasets", "scikit-learn", "scipy", "numpy")


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


def gather(classifier: SentimentClassifier, texts: Sequence[str], labels: Sequence[int]) -> Answers:
    """Ask the model about every review, once."""
    predictions: list[Prediction] = []
    with tqdm(total=len(texts), unit="review", desc="predict", mininterval=1) as bar:
        for start in range(0, len(texts), CHUNK):
            chunk = texts[start : start + CHUNK]
            predictions += classifier.predict(chunk)
            bar.update(len(chunk))
    probabilities = np.array([prediction.probability for prediction in predictions], dtype=np.float64)
    return Answers(texts, np.asarray(labels, dtype=np.int64), predictions, probabilities)


def reviews_fingerprint(texts: Sequence[str], labels: Sequence[int]) -> str:
    """SHA-256 over the reviews and labels in their order."""
    digest = hashlib.sha256()
    for text, label in zip(texts, labels, strict=True):
        digest.update(f"{label}\t{len(text)}\t{text}\n".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def machine() -> dict[str, str]:
    """Python, processor and package versions that the figures were made with."""
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        **{name: version(name) for name in PACKAGES},
    }


def assess(answers: Answers, model: str, source: str, split: str) -> dict[str, Any]:
    """The content of metrics.json: figures, and what was evaluated on what."""
    return classification_metrics(answers.labels, answers.probabilities) | {
        "model": model,
        "data": source,
        "split": split,
        "data_sha256": reviews_fingerprint(answers.texts, answers.labels.tolist()),
        "truncated": sum(prediction.truncated for prediction in answers.predictions),
        "versions": machine(),
    }


def summary(metrics: dict[str, Any], answers: Answers) -> str:
    """The figures as text, accuracy with its interval first."""
    low, high = metrics["accuracy_95"]
    figures = ("roc_auc", "log_loss", "brier", "ece")
    defined = [f"{name} {metrics[name]:.4f}" for name in figures if metrics[name] is not None]
    left_out = [name for name in ("precision", "recall", "f1", "roc_auc") if metrics[name] is None]
    table = classification_report(
        answers.labels,
        is_positive(answers.probabilities),
        labels=[0, 1],
        target_names=LABELS,
        digits=4,
        zero_division=0,
    )
    lines = [
        f"accuracy {metrics['accuracy']:.2%}, 95% interval {low:.2%} to {high:.2%}, on {metrics['n']:,} reviews",
        *([f"left out, not defined by these labels: {', '.join(left_out)}"] if left_out else []),
        "",
        table,
        ", ".join(defined),
    ]
    return "\n".join(lines)


def write_predictions(answers: Answers, file: Path) -> None:
    """One row a review, in the order of the source: row number, label, and the answer's fields.

    Raises:
        RunError: if it cannot be written.
    """
    columns: dict[str, Any] = {"row": np.arange(len(answers.labels)), "true_label": answers.labels}
    rows = [prediction.to_dict() for prediction in answers.predictions]
    with replacing(file) as temporary:
        pq.write_table(pa.table(columns | {name: [row[name] for row in rows] for name in rows[0]}), temporary)
