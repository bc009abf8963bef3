"""Run a torch network on reviews, with the batches of `sentiment.inference.engine`."""

import os
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from sentiment.data.batching import EncodedReviews
from sentiment.errors import InputError
from sentiment.inference.engine import OnBatch, compute_logits
from sentiment.inference.threads import batch_threads, one_thread
from sentiment.models.inference_lstm import InferenceLSTM

MAX_THREADS = 8
"""Maximum number of batches at a time; more threads would wait for the tokenizer, which runs in one thread."""
LARGE_BATCH_TOKENS = 16_384
"""Maximum number of tokens per batch on a GPU and in bf16, where a word takes less time and memory."""

TorchNetwork = Callable[[Tensor, Tensor], Tensor]
"""Function from token ids [batch, time] int64 and lengths [batch] int64 to logits of the positive label [batch]."""


def predict_logits(
    network: TorchNetwork,
    reviews: EncodedReviews,
    device: torch.device,
    threads: int | None = None,
    batch_tokens: int | None = None,
    on_batch: OnBatch | None = None,
) -> np.ndarray:
    """Logit of the positive label for each review, in order: [len(reviews)] float32.

    A module is set to evaluation mode, which turns dropout off. Autocast applies as in the calling thread.

    Args:
        network: the network.
        reviews: the reviews.
        device: device of the network.
        threads: see `cpu_threads`.
        batch_tokens: maximum number of tokens per batch; None for the fastest.
        on_batch: called after each batch.

    Raises:
        Stopped: if a stop was requested.
    """
    if isinstance(network, nn.Module):
        network.eval()
    # each thread has its own settings, so they are copied from the calling thread
    autocast, dtype = torch.is_autocast_enabled(device.type), torch.get_autocast_dtype(device.type)
    on_cpu = device.type == "cpu"

    def predict_batch(reviews: EncodedReviews, rows: np.ndarray) -> np.ndarray:
        if on_cpu:
            torch.set_num_threads(1)
        with torch.inference_mode(), torch.autocast(device.type, dtype, enabled=autocast):
            batch = reviews.batch(rows).to(device)
            found: np.ndarray = network(batch.input_ids, batch.lengths).float().cpu().numpy()
            return found

    large = not on_cpu or (isinstance(network, InferenceLSTM) and network.dtype == torch.bfloat16)
    parallel = partial(cpu_threads, threads, torch.get_num_threads()) if on_cpu else lambda: 1
    with one_thread() if on_cpu else nullcontext():
        limit = batch_tokens or (LARGE_BATCH_TOKENS if large else None)
        return compute_logits(predict_batch, reviews, parallel, limit, on_batch)


def choose_device(wanted: str | torch.device) -> torch.device:
    """The device to compute on; "auto" is "cuda" if there is a GPU, otherwise "cpu".

    Raises:
        InputError: if torch cannot compute on it here.
    """
    if wanted == "auto":
        wanted = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(wanted)
        torch.zeros(1, device=device).cpu()
    except (RuntimeError, AssertionError) as error:  # the latter if torch was built without it
        reason = str(error).partition("\n")[0].rstrip(".")
        raise InputError(
            f"device is {str(wanted)!r}, which torch cannot use here ({reason}); choose cpu or auto."
        ) from error
    return device


def cpu_threads(wanted: int | None, allowed: int | None = None) -> int:
    """Number of batches to compute at a time on the CPU.

    Args:
        wanted: the number that the caller chose; None for `batch_threads`, at most `MAX_THREADS` and `allowed`.
        allowed: number of threads that torch may use; None for the current one.
    """
    return wanted or min(batch_threads(), MAX_THREADS, allowed or torch.get_num_threads())


# with more threads, a forked child would wait for those of its parent, which do not exist there
os.register_at_fork(after_in_child=lambda: torch.set_num_threads(1))
