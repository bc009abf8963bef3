"""Ways to compute the same logits, each beside the one that it changes in one thing."""

import copy
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.early_stopping import early_logits
from benchmarks.folded_lstm import FoldedRNN
from benchmarks.text_by_patterns import tokens_by_patterns
from sentiment.batching import EncodedReviews, length_batches
from sentiment.classifier import SentimentClassifier
from sentiment.inference import BATCH_TOKENS, Network, predict_logits
from sentiment.model import SentimentRNN
from sentiment.onnx_prediction import OnnxClassifier
from sentiment.prediction_network import prediction_network
from sentiment.text import TextEncoder, normalise, tokenise

PLAIN_BATCH = 64
TOKENS = (4096, 8192, BATCH_TOKENS, 32_768, 65_536)
CHUNK = 512
"""Reviews that a process tokenises at a time."""


@dataclass(frozen=True)
class Way:
    """One way to the logits."""

    name: str
    against: str
    """Name of the way that this one changes; itself for the first."""
    run: Callable[[], np.ndarray]
    """Logits [reviews] of all reviews."""
    warm_up: Callable[[], object] = lambda: None


def ways_from_ids(
    classifier: SentimentClassifier, reviews: EncodedReviews, onnx: Path | None, bound: float | None
) -> list[Way]:
    """From token ids to logits."""
    model, cpu = classifier.model, torch.device("cpu")

    def by(network: Network, tokens: int = BATCH_TOKENS) -> Callable[[], np.ndarray]:
        return lambda: sorted_batches(network, reviews, tokens)

    fp32, bf16 = (prediction_network(model, precision, cpu) for precision in ("fp32", "bf16"))
    plain, sorted_by, mode = "as they come, 64 a batch", f"by length, {BATCH_TOKENS:,} tokens", "inference mode"
    kernel = "bf16, float32 memory"
    ways = [Way(plain, plain, lambda: plain_batches(model, reviews))]
    ways.append(Way(mode, plain, lambda: plain_batches(model, reviews, torch.inference_mode)))
    ways += [Way(f"by length, {tokens:,} tokens", mode, by(model, tokens)) for tokens in TOKENS]
    ways.append(Way("time first, quick pooling, fp32", sorted_by, by(fp32)))
    ways.append(Way("bf16 autocast", sorted_by, by(_autocast(model))))
    ways.append(Way(kernel, sorted_by, by(bf16)))
    ways += [
        Way(f"{kernel}, {tokens:,} tokens", kernel, by(bf16, tokens)) for tokens in TOKENS if tokens != BATCH_TOKENS
    ]
    ways.append(Way("a batch per core, bf16", kernel, lambda: predict_logits(bf16, reviews, cpu)))
    ways.append(Way("int8 weights (dynamic quantisation)", sorted_by, by(_quantised(model))))
    for name, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        ways.append(Way(f"first layer a table, {name} loop", sorted_by, by(FoldedRNN(model, dtype, False))))
    ways.append(Way("first layer a table, the others torch's", sorted_by, by(FoldedRNN(model, torch.float32, True))))
    compiled = torch.compile(copy.deepcopy(model), dynamic=True)
    ways.append(Way("torch.compile", sorted_by, by(compiled), by(compiled)))
    if bound is not None:
        ways.append(
            Way(
                f"stopped at a logit of {bound:.2f}",
                sorted_by,
                lambda: early_logits(model, reviews, BATCH_TOKENS, bound)[0],
            )
        )
    if onnx is not None:
        runtime = OnnxClassifier.from_pretrained(onnx)
        ways.append(Way("ONNX Runtime, fp32", sorted_by, lambda: runtime.logits(reviews)))
    return ways


def ways_from_text(
    classifier: SentimentClassifier, texts: Sequence[str], pool: ProcessPoolExecutor, workers: int
) -> list[Way]:
    """From raw texts to logits, and the words alone."""
    text, patterns, plain = classifier.text, "words by torchtext's patterns, then the network", "text in, logits out"
    thread = ThreadPoolExecutor(1)
    return [
        Way(patterns, patterns, lambda: classifier.logits(_encoded(text, map(tokens_by_patterns, texts)))),
        Way(plain, patterns, lambda: classifier.logits(_encoded(text, map(_tokens, texts)))),
        Way("words in another thread meanwhile", plain, lambda: _overlapped(classifier, texts, thread)),
        Way(
            f"words in {workers} other processes meanwhile",
            plain,
            lambda: _overlapped(classifier, texts, pool),
            lambda: list(pool.map(_tokenised, [texts[:8]] * workers)),
        ),
        Way("SentimentClassifier.predict", patterns, lambda: _predicted(classifier, texts)),
    ]


def plain_batches(
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
def sorted_batches(network: Network, reviews: EncodedReviews, tokens: int) -> np.ndarray:
    """Batches of like length and equally many tokens, one after the other, all cores in each."""
    logits = np.empty(len(reviews), dtype=np.float32)
    for rows in length_batches(reviews.lengths, tokens):
        batch = reviews.batch(rows)
        logits[rows] = network(batch.input_ids, batch.lengths).float().numpy()
    return logits


def worker_pool(workers: int) -> ProcessPoolExecutor:
    """Processes that tokenise; spawned, since a process with threads is not to be forked."""
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"))


def _autocast(model: nn.Module) -> Network:
    def network(input_ids: Tensor, lengths: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return model(input_ids, lengths)

    return network


def _quantised(model: SentimentRNN) -> nn.Module:
    quantised: nn.Module = torch.ao.quantization.quantize_dynamic(copy.deepcopy(model), {nn.LSTM}, dtype=torch.qint8)
    return quantised


def _tokens(text: str) -> list[str]:
    return tokenise(normalise(text))


def _tokenised(texts: Sequence[str]) -> list[list[str]]:
    return [_tokens(text) for text in texts]


def _encoded(text: TextEncoder, tokens: "map[list[str]]") -> EncodedReviews:
    return EncodedReviews(map(text.encode, tokens))


def _overlapped(classifier: SentimentClassifier, texts: Sequence[str], pool: Executor) -> np.ndarray:
    chunks = pool.map(_tokenised, [texts[start : start + CHUNK] for start in range(0, len(texts), CHUNK)])
    return np.concatenate([classifier.logits(EncodedReviews(map(classifier.text.encode, chunk))) for chunk in chunks])


def _predicted(classifier: SentimentClassifier, texts: Sequence[str]) -> np.ndarray:
    probabilities = np.array([prediction.probability for prediction in classifier.predict(texts)]).clip(
        1e-12, 1 - 1e-12
    )
    logits: np.ndarray = np.log(probabilities / (1 - probabilities)) * classifier.temperature
    return logits
