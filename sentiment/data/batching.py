"""Encoded reviews, and how they are divided into batches.

The order of an epoch depends only on (seed, epoch). torch is imported only by functions that return tensors, so that
prediction with ONNX Runtime does not need it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sentiment.text.vocabulary import PADDING_ID

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Reviews, padded on the right to the same length."""

    input_ids: "Tensor"
    """[batch, time] int64, with `PADDING_ID` after the last token."""
    lengths: "Tensor"
    """[batch] int64, tokens per review; 0 for an empty review."""
    labels: "Tensor"
    """[batch] float32, target probability of positive, 0 to 1."""

    def to(self, device: "torch.device") -> "Batch":
        """The same batch on another device."""
        return Batch(*(tensor.to(device, non_blocking=True) for tensor in (self.input_ids, self.lengths, self.labels)))

    def __len__(self) -> int:
        return len(self.lengths)


class EncodedReviews:
    """Token ids of many reviews in one flat array, 4 bytes per token.

    Args:
        ids: token ids of each review.
        labels: target probability of each review, 0 to 1; not needed for prediction.
    """

    def __init__(
        self, ids: Iterable[Sequence[int] | np.ndarray], labels: Sequence[float] | np.ndarray | None = None
    ) -> None:
        arrays = [np.asarray(review, dtype=np.int32) for review in ids]
        self._fill(np.concatenate([*arrays, np.empty(0, np.int32)]), np.array([len(array) for array in arrays], int))
        if labels is not None:
            self.labels = np.asarray(labels, dtype=np.float32)

    @classmethod
    def from_flat(cls, flat: np.ndarray, lengths: np.ndarray) -> "EncodedReviews":
        """Reviews of `lengths` [n] int64, whose ids follow one another in `flat` [sum of lengths] int32."""
        reviews = cls.__new__(cls)
        reviews._fill(flat, lengths)
        return reviews

    def _fill(self, flat: np.ndarray, lengths: np.ndarray) -> None:
        self._flat, self.lengths = flat, lengths
        self._starts = np.concatenate([[0], np.cumsum(lengths)])
        self.labels = np.zeros(len(lengths), np.float32)

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, row: int) -> np.ndarray:
        return self._flat[self._starts[row] : self._starts[row + 1]]

    @classmethod
    def joined(cls, parts: Sequence["EncodedReviews"]) -> "EncodedReviews":
        """The reviews of several parts, one after the other, with their labels."""
        reviews = cls.from_flat(
            np.concatenate([part._flat for part in parts]), np.concatenate([part.lengths for part in parts])
        )
        return reviews.labeled(np.concatenate([part.labels for part in parts]))

    def rows(self, chosen: Sequence[int] | np.ndarray) -> "EncodedReviews":
        """Some of the reviews, with their labels."""
        return EncodedReviews((self[row] for row in chosen), self.labels[chosen])

    def labeled(self, labels: Sequence[float] | np.ndarray) -> "EncodedReviews":
        """The same reviews with other labels [n], 0 to 1."""
        reviews = EncodedReviews.from_flat(self._flat, self.lengths)
        reviews.labels = np.asarray(labels, dtype=np.float32)
        return reviews

    def renumbered(self, ids: np.ndarray) -> "EncodedReviews":
        """The same reviews, with the position of each id in sorted `ids` in place of it."""
        found = np.searchsorted(ids, self._flat).astype(np.int32)
        return EncodedReviews.from_flat(found, self.lengths).labeled(self.labels)

    def count(self, token_id: int) -> np.ndarray:
        """How often a token is in each review: [len(self)] int64."""
        before = np.concatenate([[0], np.cumsum(self._flat == token_id)])
        counts: np.ndarray = before[self._starts[1:]] - before[self._starts[:-1]]
        return counts

    def padded(self, rows: Sequence[int] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Ids [len(rows), time] int64, padded to the longest review, time at least 1; and lengths [len(rows)] int64."""
        lengths = self.lengths[rows]
        ids = np.full((len(rows), max(1, int(lengths.max(initial=0)))), PADDING_ID, dtype=np.int64)
        for index, row in enumerate(rows):
            ids[index, : lengths[index]] = self[row]
        return ids, lengths

    def batch(self, rows: Sequence[int] | np.ndarray) -> Batch:
        """The given rows as tensors, with their labels."""
        import torch

        ids, lengths = self.padded(rows)
        return Batch(torch.from_numpy(ids), torch.from_numpy(lengths), torch.from_numpy(self.labels[rows]))


def length_batches(lengths: np.ndarray, batch_tokens: int) -> list[np.ndarray]:
    """Divide rows into batches of similar length, longest first; at most `batch_tokens` per batch, including padding.

    A review longer than `batch_tokens` is a batch of its own.
    """
    return _divide(np.argsort(-lengths, kind="stable"), lengths, batch_tokens)


def shuffled_batches(
    lengths: np.ndarray, batch_tokens: int, seed: int, epoch: int, batch_reviews: int = 0
) -> list[np.ndarray]:
    """The batches of a training epoch: rows of reviews of similar length, in random order.

    A batch has at most `batch_tokens` tokens, including padding, and at most `batch_reviews` reviews (0 for no limit).
    Before sorting, lengths are changed randomly by up to 10%, so that each epoch has other batches.
    """
    generator = np.random.default_rng([seed, epoch])
    noisy = (lengths + 1) * generator.uniform(0.9, 1.1, len(lengths))
    batches = _divide(np.argsort(-noisy), lengths, batch_tokens, batch_reviews)
    return [batches[index] for index in generator.permutation(len(batches))]


def _divide(order: np.ndarray, lengths: np.ndarray, batch_tokens: int, batch_reviews: int = 0) -> list[np.ndarray]:
    batches, start, longest = [], 0, 1
    limit = batch_reviews or len(order)
    for end, row in enumerate(order):
        longest = max(longest, int(lengths[row]))
        if end > start and (longest * (end - start + 1) > batch_tokens or end - start == limit):
            batches.append(order[start:end])
            start, longest = end, max(1, int(lengths[row]))
    return [*batches, order[start:]] if len(order) else []


def share(rows: int, index: int, count: int) -> slice:
    """Rows of process `index` of `count`: consecutive; shares differ by at most one row."""
    return slice(rows * index // count, rows * (index + 1) // count)
