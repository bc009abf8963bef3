"""Shapley values of words: what a word adds to the logit, on average over all orders in which words could be put in.

They are the one fair division of the change of the logit (Shapley 1953; Štrumbelj & Kononenko 2010): together they sum
to it, and words that do the same get the same. Here a word is absent if it is left out, so the network reads the other
words as one text.
"""

from collections.abc import Callable
from itertools import product
from math import comb

import numpy as np

Value = Callable[[np.ndarray], np.ndarray]
"""Function from masks [n, words] bool, the words that are present, to logits [n]."""

EXACT = 10
"""Words up to which all subsets are computed."""
WORDS_READ = 10_000
"""Words that the network may read for a longer text: they decide how many orders are drawn."""
ORDERS = (8, 64)
"""Smallest and largest number of orders drawn."""


def shapley_values(value: Value, words: int) -> np.ndarray:
    """Shapley value of each word: [words] float64. They sum to value(all words) - value(no word).

    For more than `EXACT` words it is an average over random orders, each also in reverse (Mitchell et al. 2022), with
    the same orders for every text of this length.
    """
    return _exact(value, words) if words <= EXACT else _sampled(value, words)


def _exact(value: Value, words: int) -> np.ndarray:
    masks = np.array(list(product([False, True], repeat=words)))
    found = value(masks).astype(np.float64)
    weights = np.array([1 / (words * comb(words - 1, size)) for size in range(words)])
    values = np.empty(words)
    for word in range(words):
        without = np.flatnonzero(~masks[:, word])
        changes = found[without + (1 << (words - 1 - word))] - found[without]
        values[word] = changes @ weights[masks[without].sum(1)]
    return values


def _sampled(value: Value, words: int) -> np.ndarray:
    count = int(np.clip(2 * WORDS_READ // words**2, *ORDERS)) // 2
    generator = np.random.default_rng(0)
    forward = np.array([generator.permutation(words) for _ in range(count)])
    orders = np.concatenate([forward, forward[:, ::-1]])
    ranks = np.argsort(orders, axis=1)  # [orders, words]: when a word is put in
    masks = ranks[:, None, :] < np.arange(words + 1)[:, None]  # [orders, 0 to all words present, words]
    different, places = np.unique(np.packbits(masks.reshape(-1, words), axis=1), axis=0, return_inverse=True)
    found = value(np.unpackbits(different, axis=1, count=words).astype(bool)).astype(np.float64)
    changes = np.diff(found[places].reshape(len(orders), words + 1), axis=1)
    return np.take_along_axis(changes, ranks, axis=1).mean(0)
