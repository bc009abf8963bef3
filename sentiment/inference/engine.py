"""Run a torch network on reviews: in batches of similar length, each computed by one thread."""

import functools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import numpy as np
import torch
from torch import Tensor, nn

from sentiment.data.batching import EncodedReviews, length_batches
from sentiment.inference.threads import batch_threads, one_thread
from sentiment.io.signals import raise_if_stopped

BATCH_TOKENS = 16_384
"""Maximum number of tokens per batch, including padding; limits the memory of a call."""
MAX_THREADS = 8
"""Maximum number of batches at a time; more threads would wait for the tokenizer, which runs in one thread."""

Network = Callable[[Tensor, Tensor], Tensor]
"""Function from token ids [batch, time] int64 and lengths [batch] int64 to logits of the positive label [batch]."""


def predict_logits(
    network: Network, reviews: EncodedReviews, device: torch.device, threads: int | None = None
) -> np.ndarray:
    """Logit of the positive label for each review, in order: [len(reviews)] float32.

    A module is set to evaluation mode, which turns dropout off. Autocast applies as in the calling thread.

    Args:
        network: the network.
        reviews: the reviews.
        device: device of the network.
        threads: number of batches to compute at a time on the CPU; None for `batch_threads`, at most `MAX_THREADS` and
            what `torch.set_num_threads` allows.

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
    parallel = _threads(threads) if device.type == "cpu" and len(batches) > 1 else 1
    raise_if_stopped()
    with one_thread() if device.type == "cpu" else nullcontext():
        results = map(predict_batch, batches) if parallel == 1 else _thread_pool(parallel).map(predict_batch, batches)
        for rows, found in zip(batches, results, strict=True):
            logits[rows] = found
            raise_if_stopped()
    return logits


def _threads(wanted: int | None) -> int:
    """Number of batches to compute at a time; never more than torch may use."""
    return wanted or min(batch_threads(), MAX_THREADS, torch.get_num_threads())


@functools.cache
def _thread_pool(count: int) -> ThreadPoolExecutor:
    """A pool that is never closed: a thread that ends holds MKL locks, and a child forked then would wait forever."""
    return ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,))


def _after_fork() -> None:
    """Reset the pool in a forked child: its threads do not exist there, so the child would wait for them forever."""
    _thread_pool.cache_clear()
    torch.set_num_threads(1)


os.register_at_fork(after_in_child=_after_fork)
