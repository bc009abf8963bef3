"""Run a torch network on many reviews: in batches of similar length, with one batch per CPU core at a time."""

import functools
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor, nn

from sentiment.data.batching import EncodedReviews, length_batches
from sentiment.io.signals import raise_if_stopped

BATCH_TOKENS = 16_384
"""Maximum number of tokens per batch, including padding; limits the memory of a call."""
MAX_THREADS = 8
"""Maximum number of batches at a time; more threads would wait for the tokenizer, which runs in one thread."""

Network = Callable[[Tensor, Tensor], Tensor]
"""Function from token ids [batch, time] int64 and lengths [batch] int64 to logits of the positive label [batch]."""


def predict_logits(network: Network, reviews: EncodedReviews, device: torch.device) -> np.ndarray:
    """Logit of the positive label for each review, in order: [len(reviews)] float32.

    A module is set to evaluation mode, which turns dropout off. Autocast applies as in the calling thread.

    Raises:
        Stopped: if a stop was requested.
    """
    if isinstance(network, nn.Module):
        network.eval()
    # each thread has its own autocast setting, so it is copied from the calling thread
    autocast, dtype = torch.is_autocast_enabled(device.type), torch.get_autocast_dtype(device.type)

    def predict_batch(rows: np.ndarray) -> np.ndarray:
        with torch.inference_mode(), torch.autocast(device.type, dtype, enabled=autocast):
            batch = reviews.batch(rows).to(device)
            found: np.ndarray = network(batch.input_ids, batch.lengths).float().cpu().numpy()
            return found

    logits = np.empty(len(reviews), dtype=np.float32)
    batches = length_batches(reviews.lengths, BATCH_TOKENS)
    threads = min(torch.get_num_threads(), MAX_THREADS) if device.type == "cpu" else 1
    parallel = threads > 1 and len(batches) > 1
    results = _parallel(predict_batch, batches, threads) if parallel else map(predict_batch, batches)
    raise_if_stopped()
    for rows, found in zip(batches, results, strict=True):
        logits[rows] = found
        raise_if_stopped()
    return logits


def _parallel(
    predict_batch: Callable[[np.ndarray], np.ndarray], batches: Sequence[np.ndarray], threads: int
) -> Iterator[np.ndarray]:
    """Compute one batch per core; if all cores worked on one batch, they would wait for each other at each step."""
    torch_threads = torch.get_num_threads()
    try:
        yield from _thread_pool(threads).map(predict_batch, batches)
    finally:
        torch.set_num_threads(torch_threads)  # the threads of the pool have changed it for the whole process


@functools.cache
def _thread_pool(count: int) -> ThreadPoolExecutor:
    """A pool that is never closed: a thread that ends holds MKL locks, and a child forked then would wait forever."""
    return ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,))


def _after_fork() -> None:
    """Reset the pool in a forked child: its threads do not exist there, so the child would wait for them forever."""
    _thread_pool.cache_clear()
    torch.set_num_threads(1)


os.register_at_fork(after_in_child=_after_fork)
