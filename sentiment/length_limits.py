"""What to do with a review over the length limit, measured on validation reviews: which part is read, at what cost.

Every strategy reads the same reviews with the same network; only the tokens it is given differ.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sentiment.batching import EncodedReviews
from sentiment.classifier import SentimentClassifier
from sentiment.config import DataConfig
from sentiment.data import load_reviews, split_validation, tokenise_reviews
from sentiment.decision import is_positive, probability
from sentiment.evaluation import wilson_interval
from sentiment.inference import predict_logits

Tokens = Sequence[str]

STRATEGIES: dict[str, Callable[[Tokens, int], list[Tokens]]] = {
    "head": lambda tokens, limit: [tokens[:limit]],
    "tail": lambda tokens, limit: [tokens[-limit:]],
    "head + tail": lambda tokens, limit: [[*tokens[: limit // 2], *tokens[-(limit - limit // 2) :]]],
    "windows, mean logit": lambda tokens, limit: windows(tokens, limit),
    "whole": lambda tokens, limit: [tokens],
}
"""What is read of a review over the limit: one text, or several whose logits are averaged."""


def windows(tokens: Tokens, limit: int) -> list[Tokens]:
    """Stretches of `limit` tokens that cover a review evenly, neighbours overlapping by half or more."""
    steps = -(-(len(tokens) - limit) // max(1, limit // 2))
    starts = np.linspace(0, len(tokens) - limit, steps + 1).round().astype(int)
    return [tokens[start : start + limit] for start in starts]


@dataclass(frozen=True)
class Reading:
    """A strategy at one limit."""

    limit: int
    strategy: str
    accuracy: float
    """Of all reviews."""
    long: int
    """Reviews over the limit."""
    long_accuracy: float
    """Of those."""
    long_interval: list[float]
    """95% interval of that."""
    tokens: float
    """Tokens read per review, the cost."""


def measure(classifier: SentimentClassifier, data: DataConfig, limits: Sequence[int]) -> list[Reading]:
    """Every strategy at every limit.

    Args:
        classifier: the model; its own limit is set aside.
        data: labelled reviews: the validation part of train, as training sets it aside; a file is read whole.
        limits: most tokens read at a time.

    Raises:
        InputError: if the reviews cannot be read.
    """
    reviews = load_reviews(data, "train")
    if not Path(data.source).is_file():
        _, rows = split_validation(reviews, data.validation_fraction, data.validation_seed)
        reviews = reviews.select(rows)
    tokens = [line.split() for line in tokenise_reviews(reviews)["tokens"]]
    labels = np.asarray(reviews["label"]) == 1
    return [_reading(classifier, tokens, labels, limit, strategy) for limit in limits for strategy in STRATEGIES]


def _reading(
    classifier: SentimentClassifier, tokens: Sequence[Tokens], labels: np.ndarray, limit: int, strategy: str
) -> Reading:
    long = np.array([len(review) > limit for review in tokens])
    read = STRATEGIES[strategy]
    parts = [read(review, limit) if over else [review] for review, over in zip(tokens, long, strict=True)]
    owners = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    texts = [text for part in parts for text in part]
    backward = classifier.text.direction == "backward"
    vocabulary = classifier.text.vocabulary
    encoded = EncodedReviews(vocabulary.encode(text[::-1] if backward else text) for text in texts)
    logits = predict_logits(classifier.model, encoded, classifier.device).astype(np.float64)
    mean = np.bincount(owners, logits, len(parts)) / np.bincount(owners, minlength=len(parts))
    correct = is_positive(probability(mean, classifier.temperature)) == labels
    hits, over = int(correct[long].sum()), int(long.sum())
    return Reading(
        limit=limit,
        strategy=strategy,
        accuracy=float(correct.mean()),
        long=over,
        long_accuracy=hits / over if over else float("nan"),
        long_interval=wilson_interval(hits, over),
        tokens=float(encoded.lengths.sum() / len(tokens)),
    )


def table(readings: Sequence[Reading]) -> str:
    """The readings as text."""
    names = f"{'limit':>6}  {'read':20} {'accuracy':>8}  {'reviews over it':>15}  {'accuracy of those':>28}"
    lines = [f"{names}  tokens/review"]
    for row in readings:
        low, high = row.long_interval
        those = f"{row.long_accuracy:.2%} ({low:.1%} to {high:.1%})"
        lines.append(
            f"{row.limit:6}  {row.strategy:20} {row.accuracy:8.2%}  {row.long:15}  {those:>28}  {row.tokens:13.0f}"
        )
    return "\n".join(lines)
