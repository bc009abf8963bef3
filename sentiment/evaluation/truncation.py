"""Truncation: which part of a long review to read, measured by accuracy and cost on validation reviews.

All strategies use the same reviews and the same network; only the tokens that the network reads differ.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sentiment.classifier import SentimentClassifier
from sentiment.config import DataConfig
from sentiment.data.batching import EncodedReviews
from sentiment.data.loading import load_reviews, tokenize_texts
from sentiment.data.named_splits import has_splits
from sentiment.data.splitting import split_validation
from sentiment.evaluation.metrics import wilson_interval
from sentiment.inference.postprocessing import is_positive, probability
from sentiment.io.progress import in_proportion, review_bar, step
from sentiment.text.long_text import windows

Tokens = Sequence[str]

STRATEGIES: dict[str, Callable[[Tokens, int], list[Tokens]]] = {
    "head": lambda tokens, limit: [tokens[:limit]],
    "tail": lambda tokens, limit: [tokens[-limit:]],
    "head + tail": lambda tokens, limit: [[*tokens[: limit // 2], *tokens[-(limit - limit // 2) :]]],
    "windows, mean logit": lambda tokens, limit: windows(tokens, limit),
    "whole": lambda tokens, limit: [tokens],
}
"""What is read of a review over the limit: one text, or several texts whose logits are averaged."""


@dataclass(frozen=True)
class TruncationResult:
    """One strategy at one length limit."""

    limit: int
    strategy: str
    accuracy: float
    """Accuracy on all reviews."""
    long: int
    """Number of reviews over the limit."""
    long_accuracy: float
    """Accuracy on the reviews over the limit; NaN if there are none."""
    long_interval: list[float]
    """95% interval of `long_accuracy`."""
    tokens: float
    """Tokens read per review: the cost."""


def measure(classifier: SentimentClassifier, data: DataConfig, limits: Sequence[int]) -> list[TruncationResult]:
    """Evaluate every strategy at every limit.

    Args:
        classifier: the model; its own length limit is ignored.
        data: source of labeled reviews; the validation part of its train split is used, or all reviews if it has no
            splits.
        limits: length limits in tokens.

    Raises:
        InputError: if the reviews cannot be read.
    """
    with step(f"reading {data.source}"):
        reviews = load_reviews(data, "train")
        if has_splits(data):
            _, rows = split_validation(reviews, data.validation_fraction, data.validation_seed)
            reviews = reviews.select(rows)
        tokens = [line.split() for line in tokenize_texts(reviews["text"])]
    labels = np.asarray(reviews["label"]) == 1
    return [_result(classifier, tokens, labels, limit, strategy) for limit in limits for strategy in STRATEGIES]


def _result(
    classifier: SentimentClassifier, tokens: Sequence[Tokens], labels: np.ndarray, limit: int, strategy: str
) -> TruncationResult:
    long = np.array([len(review) > limit for review in tokens])
    read = STRATEGIES[strategy]
    parts = [read(review, limit) if over else [review] for review, over in zip(tokens, long, strict=True)]
    owners = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    texts = [text for part in parts for text in part]
    backward = classifier.text.direction == "backward"
    vocabulary = classifier.text.vocabulary
    encoded = EncodedReviews(vocabulary.encode(text[::-1] if backward else text) for text in texts)
    with review_bar(len(parts), f"{strategy}, {limit} tokens") as bar:
        count = in_proportion(bar.update, len(encoded), len(parts))
        logits = classifier.logits(encoded, on_batch=count).astype(np.float64)
    mean = np.bincount(owners, logits, len(parts)) / np.bincount(owners, minlength=len(parts))
    correct = is_positive(probability(mean, 1.0)) == labels
    hits, over = int(correct[long].sum()), int(long.sum())
    return TruncationResult(
        limit=limit,
        strategy=strategy,
        accuracy=float(correct.mean()),
        long=over,
        long_accuracy=hits / over if over else float("nan"),
        long_interval=wilson_interval(hits, over),
        tokens=float(encoded.lengths.sum() / len(tokens)),
    )


def table(results: Sequence[TruncationResult]) -> str:
    """The results as text."""
    names = f"{'limit':>6}  {'strategy':20} {'accuracy':>8}  {'long reviews':>15}  {'accuracy on long reviews':>28}"
    lines = [f"{names}  tokens/review"]
    for row in results:
        low, high = row.long_interval
        on_long = f"{row.long_accuracy:.2%} ({low:.1%} to {high:.1%})"
        lines.append(
            f"{row.limit:6}  {row.strategy:20} {row.accuracy:8.2%}  {row.long:15}  {on_long:>28}  {row.tokens:13.0f}"
        )
    return "\n".join(lines)
