"""Reviews through the network, in batches of like length, answers in the order of the questions."""

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
"""Tokens per batch, padding included; bounds the memory of a call."""
MOST_WORKERS = 8
"""Batches at a time; more cores than these would wait for the words, which one core finds."""

Network = Callable[[Tensor, Tensor], Tensor]
"""Logits of positive: [batch, time] int64, [batch] int64 → [batch]."""


def predict_logits(network: Network, reviews: EncodedReviews, device: torch.device) -> np.ndarray:
    """Logit of positive of each review: [len(reviews)] float32.

    A module is put into evaluation mode: dropout would answer at random. Autocast around the call holds for it however
    many threads compute.
    """
    if isinstance(network, nn.Module):
        network.eval()
    # autocast is a matter of each thread: those that work take it over from the one that asks
    autocast, dtype = torch.is_autocast_enabled(device.type), torch.get_autocast_dtype(device.type)

    def work(rows: np.ndarray) -> np.ndarray:
        with torch.inference_mode(), torch.autocast(device.type, dtype, enabled=autocast):
            batch = reviews.batch(rows).to(device)
            answers: np.ndarray = network(batch.input_ids, batch.lengths).float().cpu().numpy()
            return answers

    logits = np.empty(len(reviews), dtype=np.float32)
    batches = length_batches(reviews.lengths, BATCH_TOKENS)
    workers = min(torch.get_num_threads(), MOST_WORKERS) if device.type == "cpu" else 1
    answered = map(work, batches) if min(workers, len(batches)) < 2 else _side_by_side(work, batches, workers)
    raise_if_stopped()
    for rows, answers in zip(batches, answered, strict=True):
        logits[rows] = answers
        raise_if_stopped()
    return logits


def _side_by_side(
    work: Callable[[np.ndarray], np.ndarray], batches: Sequence[np.ndarray], workers: int
) -> Iterator[np.ndarray]:
    """A batch per core, in place of all cores in each step of one batch, where they would wait for each other."""
    threads = torch.get_num_threads()
    try:
        yield from _threads(workers).map(work, batches)
    finally:
        torch.set_num_threads(threads)  # a part of what the workers have set is the process's


@functools.cache
def _threads(count: int) -> ThreadPoolExecutor:
    """Threads that stay: while one ends it holds locks of MKL, and a child forked then would wait for them for ever."""
    return ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,))


def _after_fork() -> None:
    """A child has none of the threads that it thinks it has, and would wait for their work for ever."""
    _threads.cache_clear()
    torch.set_num_threads(1)


os.register_at_fork(after_in_child=_after_fork)
