"""From token ids to logits: variants of prediction, each beside the one of which it changes one thing."""

import copy
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.harness.command import log
from benchmarks.speed.early_stopping import early_logits
from benchmarks.speed.folded_lstm import FoldedRNN
from benchmarks.speed.runtime_variants import Variant, runtimes
from sentiment.classifier import SentimentClassifier
from sentiment.data.batching import EncodedReviews, length_batches
from sentiment.errors import InputError
from sentiment.inference.engine import BATCH_TOKENS
from sentiment.inference.torch_network import LARGE_BATCH_TOKENS, TorchNetwork, predict_logits
from sentiment.models.inference_lstm import inference_network

PLAIN_BATCH = 64


def from_ids(classifier: SentimentClassifier, reviews: EncodedReviews, bound: float | None) -> dict[str, Variant]:
    """All variants, by name.

    Args:
        classifier: whose network is run.
        reviews: that it reads.
        bound: of the logit at which the variant that stops early does so; None leaves it out.
    """
    model, cpu = classifier.model, torch.device("cpu")
    plain, by_length = f"as they come, {PLAIN_BATCH} a batch", f"by length, {BATCH_TOKENS:,} tokens a batch"
    kernel = "bf16, float32 memory"

    def by(network: TorchNetwork, baseline: str = by_length, batch_tokens: int = BATCH_TOKENS) -> Variant:
        return Variant(baseline, partial(length_sorted, network, reviews, batch_tokens))

    variants = {
        plain: Variant(plain, partial(as_they_come, model, reviews)),
        "inference mode": Variant(plain, partial(as_they_come, model, reviews, torch.inference_mode)),
        by_length: by(model, "inference mode"),
        f"by length, {LARGE_BATCH_TOKENS:,} tokens a batch": by(model, batch_tokens=LARGE_BATCH_TOKENS),
        "int8 weights (dynamic quantization)": by(_quantized(model)),
        "first layer a table, fp32 loop": by(FoldedRNN(model, torch.float32, only_first=False)),
        "first layer a table, bf16 loop": by(FoldedRNN(model, torch.bfloat16, only_first=False)),
        "first layer a table, the others torch's": by(FoldedRNN(model, torch.float32, only_first=True)),
        "torch.compile": by(torch.compile(copy.deepcopy(model), dynamic=True)),
    }
    try:
        bf16 = inference_network(model, "bf16", cpu)
        variants[kernel] = by(bf16)
        variants["a batch per thread, bf16"] = Variant(kernel, lambda: predict_logits(bf16, reviews, cpu))
    except InputError as error:  # this CPU has no kernels in bf16
        log(f"left out: {kernel}: {error}")
    if bound is not None:
        name = f"stopped at a logit of {bound:.2f}"
        variants[name] = Variant(by_length, lambda: early_logits(model, reviews, bound)[0])
    return variants | runtimes(classifier, reviews)


def as_they_come(
    model: nn.Module, reviews: EncodedReviews, mode: Callable[[], AbstractContextManager[Any]] = torch.no_grad
) -> np.ndarray:
    """Reviews in the order in which they come, padded to the longest of each batch."""
    found = []
    with mode():
        for start in range(0, len(reviews), PLAIN_BATCH):
            batch = reviews.batch(np.arange(start, min(start + PLAIN_BATCH, len(reviews))))
            found.append(model(batch.input_ids, batch.lengths).float().numpy())
    return np.concatenate(found)


@torch.inference_mode()
def length_sorted(network: TorchNetwork, reviews: EncodedReviews, batch_tokens: int = BATCH_TOKENS) -> np.ndarray:
    """Batches of like length and equally many tokens, one after the other, all cores in each."""
    logits = np.empty(len(reviews), dtype=np.float32)
    for rows in length_batches(reviews.lengths, batch_tokens):
        batch = reviews.batch(rows)
        logits[rows] = network(batch.input_ids, batch.lengths).float().numpy()
    return logits


def _quantized(model: nn.Module) -> nn.Module:
    quantized: nn.Module = torch.ao.quantization.quantize_dynamic(copy.deepcopy(model), {nn.LSTM}, dtype=torch.qint8)
    return quantized
