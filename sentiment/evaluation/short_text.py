"""Accuracy on short texts: excerpts of validation reviews, with the label of the whole review.

An excerpt can be neutral or say the opposite of its review, so no model can reach 100%. Compare models on the same
excerpts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from sklearn.metrics import log_loss

from sentiment.classifier import SentimentClassifier
from sentiment.config import DataConfig
from sentiment.data.augmentation import split_sentences
from sentiment.data.batching import EncodedReviews
from sentiment.data.splitting import read_parts
from sentiment.evaluation.baselines import NGRAMS, baseline_logits
from sentiment.evaluation.metrics import wilson_interval
from sentiment.inference.postprocessing import is_positive, probability
from sentiment.io.cache import cache_directory
from sentiment.io.progress import in_proportion, review_bar, step

SHORTEST = 5
"""Minimum tokens of a sentence; shorter ones are often headings or interjections."""
SEED = 0

EXCERPTS: dict[str, Callable[[Sequence[str], Random], Sequence[str]]] = {
    "one sentence, any": lambda sentences, random: [random.choice(sentences)],
    "first sentence": lambda sentences, random: sentences[:1],
    "last sentence": lambda sentences, random: sentences[-1:],
    "first three": lambda sentences, random: sentences[:3],
    "last three": lambda sentences, random: sentences[-3:],
    "first half": lambda sentences, random: sentences[: (len(sentences) + 1) // 2],
    "all": lambda sentences, random: sentences,
}
"""Kinds of excerpts: which of a review's sentences the model reads."""


@dataclass(frozen=True)
class ShortTextResult:
    """One model on one kind of excerpt."""

    piece: str
    """Kind of excerpt, one of `EXCERPTS`."""
    reader: str
    """"model" or "n-grams"."""
    accuracy: float
    interval: list[float]
    """95% interval of the accuracy."""
    log_loss: float
    """In nats."""
    confident_share: float | None
    """Share of the excerpts whose prediction is not uncertain; None for n-grams."""
    confident_accuracy: float | None
    """Accuracy of those; None if there are none."""


def measure(classifier: SentimentClassifier, data: DataConfig) -> list[ShortTextResult]:
    """Evaluate the model and the n-gram baseline on all excerpts of the validation reviews.

    Raises:
        InputError: if the reviews cannot be read.
    """
    with step(f"reading {data.source}"):
        parts = read_parts(data)
    labels = parts.validation_labels == 1
    texts = excerpts(parts.validation)
    encoded = EncodedReviews(map(classifier.text.encode_document, texts))
    with review_bar(len(labels), "predict") as bar:
        count = in_proportion(bar.update, len(texts), len(labels))
        model = probability(classifier.logits(encoded, on_batch=count), classifier.temperature.of(encoded.lengths))
    train_labels = parts.train_labels.astype(int).tolist()
    ngrams = probability(baseline_logits(NGRAMS, parts.train, train_labels, texts, cache_directory()), 1.0)
    results = []
    for index, excerpt in enumerate(EXCERPTS):
        rows = slice(index * len(labels), (index + 1) * len(labels))
        results.append(_result(excerpt, "model", model[rows], labels, classifier.confident_from))
        results.append(_result(excerpt, "n-grams", ngrams[rows], labels, None))
    return results


def excerpts(reviews: Sequence[str]) -> list[str]:
    """All excerpts, kind by kind: [len(EXCERPTS) * len(reviews)], tokens joined by spaces."""
    split = [_sentences(review) for review in reviews]
    random = Random(SEED)
    return [" ".join(select(sentences, random)) for select in EXCERPTS.values() for sentences in split]


def _sentences(review: str) -> list[str]:
    """The sentences of a review with at least `SHORTEST` tokens; the whole review if there are none."""
    sentences = [sentence for sentence in split_sentences(review) if len(sentence.split()) >= SHORTEST]
    return sentences or [review]


def _result(
    excerpt: str, reader: str, probabilities: np.ndarray, labels: np.ndarray, confident_from: float | None
) -> ShortTextResult:
    correct = is_positive(probabilities) == labels
    confident = np.maximum(probabilities, 1 - probabilities) >= (confident_from or 1.0)
    return ShortTextResult(
        piece=excerpt,
        reader=reader,
        accuracy=float(correct.mean()),
        interval=wilson_interval(int(correct.sum()), len(correct)),
        log_loss=float(log_loss(labels, probabilities, labels=[False, True])),
        confident_share=float(confident.mean()) if confident_from else None,
        confident_accuracy=float(correct[confident].mean()) if confident_from and confident.any() else None,
    )


def table(results: Sequence[ShortTextResult]) -> str:
    """The results as a Markdown table."""
    lines = ["| excerpt | model | accuracy | log loss | not uncertain | accuracy of those |", "|" + " --- |" * 6]
    for row in results:
        low, high = row.interval
        shares = (row.confident_share, row.confident_accuracy)
        confident = " | ".join("" if share is None else f"{share:.1%}" for share in shares)
        accuracy = f"{row.accuracy:.1%} ({100 * low:.1f}–{100 * high:.1f})"
        lines.append(f"| {row.piece} | {row.reader} | {accuracy} | {row.log_loss:.3f} | {confident} |")
    return "\n".join(lines)
