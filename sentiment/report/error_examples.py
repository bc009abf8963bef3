"""Example reviews for the report: most confident errors and least confident predictions, with word attributions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from sentiment.classifier import SentimentClassifier
from sentiment.evaluation.predictions import LabeledPredictions
from sentiment.explanation.attribution import integrated_gradients
from sentiment.inference.threads import one_thread

MOST_WORDS = 240
"""Words shown of a review; of a longer one, the beginning and the end."""
MOST_SPLITS = 2
"""Splits of the path of integrated gradients: accurate enough for `LEVELS` shades."""
LEVELS = 3
"""Shades per direction."""


@dataclass(frozen=True)
class Word:
    """A word with its shade."""

    text: str
    level: int
    """-LEVELS (strongly negative) to LEVELS (strongly positive); 0 means little attribution."""


@dataclass(frozen=True)
class Example:
    """A review, its prediction, and the attribution of its words."""

    row: int
    """Position in the source, from 0."""
    label: str
    """Actual label."""
    probability: float
    """Predicted probability of positive."""
    words: list[Word]
    left_out: int
    """Number of words in the middle that are not shown."""
    gap_at: int
    """Index in `words` where they are missing."""
    strongest: list[tuple[str, float]]
    """The words with the largest attribution, in logits of positive."""
    note: str
    """Whether the review was truncated, and why the text cannot be classified ("no words"); usually empty."""


def most_confident_errors(predictions: LabeledPredictions, most: int) -> np.ndarray:
    """Rows of the errors with the highest score, most confident first."""
    scores = np.maximum(predictions.probabilities, 1 - predictions.probabilities)
    errors = np.flatnonzero(~predictions.correct)
    return errors[np.argsort(-scores[errors], kind="stable")][:most]


def least_confident(predictions: LabeledPredictions, most: int) -> np.ndarray:
    """Rows of the predictions closest to 0.5."""
    return np.argsort(np.abs(predictions.probabilities - 0.5), kind="stable")[:most]


def explain_examples(
    classifier: SentimentClassifier, predictions: LabeledPredictions, rows: Sequence[int] | np.ndarray
) -> list[Example]:
    """Explain the reviews in the given rows by integrated gradients."""
    with one_thread():
        return [_example(classifier, predictions, int(row)) for row in rows]


def _example(classifier: SentimentClassifier, predictions: LabeledPredictions, row: int) -> Example:
    text, prediction = classifier.text, predictions.predictions[row]
    tokens = text.tokenize(predictions.texts[row])
    read, contribution = list(text.tokens_read(tokens)), np.zeros(0)
    if read:
        input_ids = torch.tensor(text.encode(tokens), dtype=torch.int64, device=classifier.device)
        contribution, _, _ = integrated_gradients(classifier.model, input_ids, MOST_SPLITS)
    if text.direction == "backward":
        read, contribution = read[::-1], contribution[::-1]
    levels = _levels(contribution)
    words = [Word(word, int(level)) for word, level in zip(read, levels, strict=True)]
    left_out, half = max(0, len(words) - MOST_WORDS), MOST_WORDS // 2
    strongest = np.argsort(-np.abs(contribution), kind="stable")[:6]
    notes = ["truncated"] * prediction.truncated + [prediction.reason] * (prediction.reason is not None)
    return Example(
        row=int(predictions.rows[row]),
        label="positive" if predictions.labels[row] == 1 else "negative",
        probability=float(predictions.probabilities[row]),
        words=words[:half] + words[-half:] if left_out else words,
        left_out=left_out,
        gap_at=half,
        strongest=[(read[position], float(contribution[position])) for position in strongest],
        note="; ".join(note for note in notes if note),
    )


def _levels(contribution: np.ndarray) -> np.ndarray:
    """Shade of each word, relative to the word with the largest attribution."""
    largest = np.abs(contribution).max(initial=1e-9)
    return np.asarray(np.trunc(contribution / largest * (LEVELS + 0.999)).clip(-LEVELS, LEVELS))
