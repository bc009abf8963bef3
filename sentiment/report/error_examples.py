"""Example reviews for the report: the most confident errors and the least confident predictions, explained."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from markupsafe import Markup

from sentiment.classifier import SentimentClassifier
from sentiment.evaluation.predictions import LabeledPredictions
from sentiment.explanation.shading import shaded, showable
from sentiment.explanation.summary import answer
from sentiment.io.files import write_text
from sentiment.io.progress import review_bar


@dataclass(frozen=True)
class Example:
    """A review with its labels, and what each word adds."""

    row: int
    """Position in the source, from 0."""
    actual: str
    """Label in the source."""
    answer: str
    """The predicted label and its reasons, in a sentence."""
    probability: float
    """Predicted probability of positive, 0 to 1."""
    text: Markup
    """The review as it was typed, shaded by what each word or phrase adds."""
    truncated: bool
    """Whether the model read only a part of it."""


def most_confident_errors(predictions: LabeledPredictions, most: int | None = None) -> np.ndarray:
    """Rows of the errors with the highest score, most confident first; None for all errors."""
    scores = np.maximum(predictions.probabilities, 1 - predictions.probabilities)
    errors = np.flatnonzero(~predictions.correct)
    return errors[np.argsort(-scores[errors], kind="stable")][:most]


def least_confident(predictions: LabeledPredictions, most: int) -> np.ndarray:
    """Rows of the predictions closest to 0.5."""
    return np.argsort(np.abs(predictions.probabilities - 0.5), kind="stable")[:most]


def explain_examples(
    classifier: SentimentClassifier, predictions: LabeledPredictions, rows: Sequence[int] | np.ndarray
) -> list[Example]:
    """Explain the reviews in the given rows, which have words."""
    examples = []
    with review_bar(len(rows), "explain examples") as bar:
        for row in map(int, rows):
            explanation = classifier.explain(predictions.texts[row], by="phrase")
            explanation = replace(explanation, text=showable(explanation.text))
            examples.append(
                Example(
                    row=int(predictions.rows[row]),
                    actual=_actual(predictions, row),
                    answer=answer(explanation),
                    probability=float(predictions.probabilities[row]),
                    text=shaded(explanation),
                    truncated=explanation.prediction.truncated,
                )
            )
            bar.update()
    return examples


def write_errors(predictions: LabeledPredictions, file: Path) -> None:
    """Write all errors as CSV, most confident first, atomically.

    Raises:
        RunError: if the file cannot be written.
    """
    lines = io.StringIO()
    writer = csv.writer(lines)
    writer.writerow(["row", "actual", "predicted", "probability", "text"])
    for row in most_confident_errors(predictions):
        probability = float(predictions.probabilities[row])
        predicted, text = predictions.predictions[row].label, showable(predictions.texts[row])
        writer.writerow([predictions.rows[row], _actual(predictions, row), predicted, f"{probability:.6f}", text])
    write_text(file, lines.getvalue())


def _actual(predictions: LabeledPredictions, row: int) -> str:
    return "positive" if predictions.labels[row] == 1 else "negative"
