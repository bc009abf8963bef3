"""How a model reads a sentence or two: pieces cut from validation reviews, judged by the label of the whole review.

A piece can say the opposite of its review, or nothing, so no reader is right on all of them; the same pieces put to
different readers, and how sure each is, are what tells.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from sklearn.metrics import log_loss

from sentiment.answer_cache import default_cache
from sentiment.baselines import NGRAMS, baseline_logits
from sentiment.batching import EncodedReviews
from sentiment.classifier import SentimentClassifier
from sentiment.config import DataConfig
from sentiment.crops import split_sentences
from sentiment.data import read_parts
from sentiment.decision import is_positive, probability
from sentiment.evaluation import wilson_interval

SHORTEST = 5
"""Tokens of the shortest sentence that is asked about; many a shorter one is a heading or a sigh."""
SEED = 0

PIECES: dict[str, Callable[[Sequence[str], Random], Sequence[str]]] = {
    "one sentence, any": lambda sentences, random: [random.choice(sentences)],
    "first sentence": lambda sentences, random: sentences[:1],
    "last sentence": lambda sentences, random: sentences[-1:],
    "first three": lambda sentences, random: sentences[:3],
    "last three": lambda sentences, random: sentences[-3:],
    "first half": lambda sentences, random: sentences[: (len(sentences) + 1) // 2],
    "all": lambda sentences, random: sentences,
}
"""What is read of a review's sentences."""


@dataclass(frozen=True)
class ShortReading:
    """One reader on one kind of piece."""

    piece: str
    reader: str
    accuracy: float
    interval: list[float]
    """95% interval of the accuracy."""
    log_loss: float
    """In nats."""
    sure: float | None
    """Share of the pieces of which the reader is sure; None for one that does not say."""
    sure_accuracy: float | None
    """Of those."""


def measure(classifier: SentimentClassifier, data: DataConfig) -> list[ShortReading]:
    """The model and n-grams on every kind of piece of the reviews that training sets aside.

    Raises:
        InputError: if the reviews cannot be read.
    """
    parts = read_parts(data)
    labels = parts.validation_labels == 1
    texts = pieces(parts.validation)
    encoded = EncodedReviews(map(classifier.text.encode_document, texts))
    model = probability(classifier.logits(encoded), classifier.temperature)
    train_labels = parts.train_labels.astype(int).tolist()
    ngrams = probability(baseline_logits(NGRAMS, parts.train, train_labels, texts, default_cache()), 1.0)
    readings = []
    for index, piece in enumerate(PIECES):
        rows = slice(index * len(labels), (index + 1) * len(labels))
        readings.append(_reading(piece, "model", model[rows], labels, classifier.confident_from))
        readings.append(_reading(piece, "n-grams", ngrams[rows], labels, None))
    return readings


def pieces(reviews: Sequence[str]) -> list[str]:
    """Every kind of piece of every review, kind by kind: [len(PIECES) * len(reviews)], tokens joined by spaces."""
    split = [_sentences(review) for review in reviews]
    random = Random(SEED)
    return [" ".join(cut(sentences, random)) for cut in PIECES.values() for sentences in split]


def _sentences(review: str) -> list[str]:
    """The sentences of a review that are long enough to be asked about; the whole review where none is."""
    sentences = [sentence for sentence in split_sentences(review) if len(sentence.split()) >= SHORTEST]
    return sentences or [review]


def _reading(
    piece: str, reader: str, probabilities: np.ndarray, labels: np.ndarray, confident_from: float | None
) -> ShortReading:
    right = is_positive(probabilities) == labels
    sure = np.maximum(probabilities, 1 - probabilities) >= (confident_from or 1.0)
    return ShortReading(
        piece=piece,
        reader=reader,
        accuracy=float(right.mean()),
        interval=wilson_interval(int(right.sum()), len(right)),
        log_loss=float(log_loss(labels, probabilities, labels=[False, True])),
        sure=float(sure.mean()) if confident_from else None,
        sure_accuracy=float(right[sure].mean()) if confident_from and sure.any() else None,
    )


def table(readings: Sequence[ShortReading]) -> str:
    """The readings as a Markdown table."""
    lines = ["| read of each review | by | accuracy | log loss | sure of | right when sure |", "|" + " --- |" * 6]
    for row in readings:
        low, high = row.interval
        sure, right = (f"{value:.1%}" if value is not None else "" for value in (row.sure, row.sure_accuracy))
        accuracy = f"{row.accuracy:.1%} ({100 * low:.1f}–{100 * high:.1f})"
        lines.append(f"| {row.piece} | {row.reader} | {accuracy} | {row.log_loss:.3f} | {sure} | {right} |")
    return "\n".join(lines)
