"""Single reviews worth reading: the surest errors and the least sure answers, with what each word added."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from sentiment.classifier import SentimentClassifier
from sentiment.explanation import integrated_gradients
from sentiment.gathering import Answers
from sentiment.text import normalise, tokenise

MOST_WORDS = 240
"""Words of a review that are shown; from a longer one its beginning and its end."""
MOST_SPLITS = 2
"""Of the path of integrated gradients: enough for the few degrees of weight that are shown."""
LEVELS = 3
"""Degrees of a word's weight that are told apart."""


@dataclass(frozen=True)
class Word:
    """A word as it is shown."""

    text: str
    level: int
    """-LEVELS (speaks strongly for negative) to LEVELS (for positive); 0 says little."""


@dataclass(frozen=True)
class Example:
    """A review, the answer, and the words behind it."""

    row: int
    """Position in the source, from 0."""
    label: str
    """The true one."""
    probability: float
    words: list[Word]
    left_out: int
    """Words that are not shown, in the middle."""
    gap_at: int
    """Where they are left out."""
    strongest: list[tuple[str, float]]
    """The words that added most, and how many logits of positive."""
    note: str
    """"read in part" or why the text cannot be judged, where that holds."""


def surest_errors(answers: Answers, most: int) -> np.ndarray:
    """Rows of the errors with the highest score, surest first."""
    scores = np.maximum(answers.probabilities, 1 - answers.probabilities)
    errors = np.flatnonzero(~answers.correct)
    return errors[np.argsort(-scores[errors], kind="stable")][:most]


def least_sure(answers: Answers, most: int) -> np.ndarray:
    """Rows of the answers closest to one half."""
    return np.argsort(np.abs(answers.probabilities - 0.5), kind="stable")[:most]


def examples(classifier: SentimentClassifier, answers: Answers, rows: Sequence[int] | np.ndarray) -> list[Example]:
    """The given reviews, explained by integrated gradients."""
    return [_example(classifier, answers, int(row)) for row in rows]


def _example(classifier: SentimentClassifier, answers: Answers, row: int) -> Example:
    text, prediction = classifier.text, answers.predictions[row]
    tokens = tokenise(normalise(answers.texts[row]))
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
    notes = ["the model read it in part"] * prediction.truncated + [prediction.reason] * (prediction.reason is not None)
    return Example(
        row=row,
        label="positive" if answers.labels[row] == 1 else "negative",
        probability=float(answers.probabilities[row]),
        words=words[:half] + words[-half:] if left_out else words,
        left_out=left_out,
        gap_at=half,
        strongest=[(read[position], float(contribution[position])) for position in strongest],
        note="; ".join(note for note in notes if note),
    )


def _levels(contribution: np.ndarray) -> np.ndarray:
    """Degrees of weight, relative to the review's strongest word."""
    largest = np.abs(contribution).max(initial=1e-9)
    return np.asarray(np.trunc(contribution / largest * (LEVELS + 0.999)).clip(-LEVELS, LEVELS))
