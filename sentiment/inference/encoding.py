"""From texts to what a network gets, and what is known of a text without the network.

This module does not import torch, so that ONNX Runtime (`sentiment.inference.onnx`) starts fast.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sentiment.data.batching import EncodedReviews
from sentiment.inference.engine import OnBatch
from sentiment.inference.prediction import NO_TEXT, NO_WORDS, reason
from sentiment.io.progress import in_proportion
from sentiment.text.long_text import LongText, windows
from sentiment.text.vocabulary import UNKNOWN_ID, TextEncoder


@dataclass(frozen=True, eq=False)
class EncodedTexts:
    """n texts, in order."""

    reviews: EncodedReviews
    """The parts that the network reads: one per text, or several windows of a long text."""
    owners: np.ndarray
    """[parts] int64: the text to which each part belongs, from 0."""
    tokens: np.ndarray
    """[n] int64: words and punctuation marks."""
    unknown_tokens: np.ndarray
    """[n] int64: tokens that are read and not in the vocabulary."""
    truncated: np.ndarray
    """[n] bool: whether a part of the text is not read."""
    reason: np.ndarray
    """[n] object: `Prediction.reason`, a string or None."""

    @property
    def has_words(self) -> np.ndarray:
        """[n] bool: False for a text of white space, punctuation or markup only."""
        found: np.ndarray = (self.reason != NO_TEXT) & (self.reason != NO_WORDS)
        return found

    def per_text(self, logits: np.ndarray) -> np.ndarray:
        """Mean over the parts of each text: from [parts] to [n]."""
        if len(self.owners) == len(self.tokens):
            return logits
        found: np.ndarray = np.bincount(self.owners, logits) / np.bincount(self.owners)
        return found

    def counting_texts(self, on_batch: OnBatch) -> OnBatch:
        """A function for numbers of parts that calls `on_batch` with numbers of texts.

        Several parts count in proportion, so that the sum of all calls is the number of texts.
        """
        return in_proportion(on_batch, len(self.owners), len(self.tokens))


def encode_texts(text: TextEncoder, texts: Sequence[str], long_text: LongText | None = None) -> EncodedTexts:
    """Tokenize and encode texts.

    Args:
        text: vocabulary and text settings of the model.
        texts: n texts.
        long_text: what to read of a text over the maximum length; None for the part that the model was trained with.
    """
    tokens = [text.tokenize(review) for review in texts]
    read = [text.tokens_read(review, long_text) for review in tokens]
    reviews = EncodedReviews.from_flat(*text.vocabulary.encode_all(read))
    counts = np.array([len(review) for review in tokens], dtype=np.int64)
    unknown = reviews.count(UNKNOWN_ID)
    reasons = np.empty(len(texts), dtype=object)
    for row, review in enumerate(read):
        reasons[row] = reason(review, reviews[row], unknown[row]) if texts[row].strip() else NO_TEXT
    truncated, owners = counts > reviews.lengths, np.arange(len(texts))
    if long_text == "windows" and (counts > text.max_length).any():
        parts = [windows(reviews[row], text.max_length) for row in range(len(reviews))]
        owners = np.repeat(owners, [len(part) for part in parts])
        reviews = EncodedReviews(part.tolist() for review in parts for part in review)
    return EncodedTexts(reviews, owners, counts, unknown, truncated, reasons)
