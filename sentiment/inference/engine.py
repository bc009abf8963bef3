"""Run a network on reviews: in batches of similar length, each computed by one thread.

This module does not import torch, so that ONNX Runtime (`sentiment.inference.onnx`) starts fast.
"""

import functools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from sentiment.data.batching import EncodedReviews, length_batches
from sentiment.io.signals import raise_if_stopped

BATCH_TOKENS = 4096
"""Maximum number of tokens per batch, including padding: small enough for the CPU's cache."""

Network = Callable[[EncodedReviews, np.ndarray], np.ndarray]
"""Function from reviews and the rows of a batch [batch] to logits of the positive label [batch] float32."""

OnBatch = Callable[[int], None]
"""Called in the calling thread with the number of reviews of each finished batch, to show progress."""


def compute_logits(
    network: Network,
    reviews: EncodedReviews,
    threads: Callable[[], int],
    batch_tokens: int | None = None,
    on_batch: OnBatch | None = None,
) -> np.ndarray:
    """Logit of the positive label for each review, in order: [len(reviews)] float32.

    A single batch, or all of them if there is one thread, is computed in the calling thread.

    Args:
        network: the network.
        reviews: the reviews.
        threads: gives the number of batches to compute at a time; called only if there are several.
        batch_tokens: maximum number of tokens per batch; None for `BATCH_TOKENS`.
        on_batch: called after each batch.

    Raises:
        Stopped: if a stop was requested.
    """
    logits = np.empty(len(reviews), dtype=np.float32)
    batches = length_batches(reviews.lengths, batch_tokens or BATCH_TOKENS)
    # long and short reviews mixed, so that the reviews per second, from which the time left is estimated, are steady
    batches = [batches[index] for index in np.random.default_rng(0).permutation(len(batches))]
    count = threads() if len(batches) > 1 else 1
    compute = functools.partial(network, reviews)
    raise_if_stopped()
    results = map(compute, batches) if count == 1 else thread_pool(count).map(compute, batches)
    for rows, found in zip(batches, results, strict=True):
        logits[rows] = found
        if on_batch is not None:
            on_batch(len(rows))
        raise_if_stopped()
    return logits


@functools.cache
def thread_pool(count: int) -> ThreadPoolExecutor:
    """A pool that is never closed: a thread that ends holds MKL locks, and a child forked then would wait forever."""
    return ThreadPoolExecutor(count)


# the threads of the parent do not exist in a forked child, which would wait for them forever
os.register_at_fork(after_in_child=thread_pool.cache_clear)
