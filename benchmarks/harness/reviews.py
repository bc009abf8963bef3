"""Reviews that a benchmark works on."""

from collections.abc import Iterable

import numpy as np
from datasets import Dataset

from sentiment.config import DataConfig
from sentiment.data.batching import EncodedReviews
from sentiment.data.loading import load_reviews
from sentiment.text.vocabulary import TextEncoder


def draw_reviews(source: str, split: str, count: int, labeled: bool = True) -> Dataset:
    """Reviews of a split in random order, at most `count`; sources are often sorted by label."""
    reviews = load_reviews(DataConfig(source=source), split, labeled)
    return reviews.select(np.random.default_rng(0).permutation(len(reviews))[:count])


def encode(text: TextEncoder, reviews: Iterable[str]) -> EncodedReviews:
    """Token ids of raw reviews."""
    return EncodedReviews(text.encode(text.tokenize(review)) for review in reviews)
