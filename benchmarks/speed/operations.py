"""What `limits` measures: the machine's matrix products, a training step, and the stages of a prediction."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
import torch.nn.functional as F  # noqa: N812

from benchmarks.harness.timing import seconds_per_call
from sentiment.classifier import SentimentClassifier
from sentiment.data.batching import EncodedReviews, length_batches
from sentiment.inference.threads import one_thread
from sentiment.models.lstm import SentimentRNN
from sentiment.text.normalization import normalize
from sentiment.text.tokenizer import tokenize

SQUARE = 2048
"""Rows and columns of the large products."""
NETWORK = "network, token ids to logits"


def product_rates(dtype: torch.dtype) -> dict[str, Callable[[], float]]:
    """Calls that measure operations per second of large products, by name; a multiplication and an addition are two.

    In float32 there are two products: torch's own is MKL's, which is slow on some makers' CPUs.
    """
    left, right = (torch.randn(SQUARE, SQUARE).to(dtype) for _ in range(2))
    products: dict[str, Callable[[], object]] = {"": lambda: F.linear(left, right)}
    if dtype == torch.float32 and torch.backends.mkldnn.is_available():
        products[", oneDNN"] = lambda: torch.ops.mkldnn._linear_pointwise(left, right, None, "none", [], "")

    def rate(product: Callable[[], object]) -> Callable[[], float]:
        return lambda: 2.0 * SQUARE**3 / seconds_per_call(product)

    kind = str(dtype).removeprefix("torch.")
    return {f"{kind} products, {SQUARE} square{suffix}": rate(product) for suffix, product in products.items()}


def forward_operations(model: SentimentRNN) -> int:
    """Of the LSTM layers' products for one word."""
    operations = 0
    for layer in model.encoder.layers:
        width, hidden_dim = layer.get_parameter("weight_ih_l0").shape[1], layer.get_parameter("weight_hh_l0").shape[1]
        operations += 2 * 4 * hidden_dim * (width + hidden_dim)
    return operations


def training_step(
    model: SentimentRNN, reviews: EncodedReviews, bf16: bool, batch_tokens: int
) -> tuple[Callable[[], None], int]:
    """A step forward and back on one batch, without the optimizer; and the words in it."""
    batches = length_batches(reviews.lengths, batch_tokens)
    batch = reviews.batch(batches[len(batches) // 2])

    def step() -> None:
        model.train()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            logits = model(batch.input_ids, batch.lengths)
        F.binary_cross_entropy_with_logits(logits.float(), torch.ones_like(logits.float())).backward()
        model.zero_grad(set_to_none=True)
        model.eval()

    return step, int(batch.lengths.sum())


def stage_seconds(classifier: SentimentClassifier, texts: Sequence[str]) -> dict[str, float]:
    """Seconds of each stage of a prediction, one after the other, as `predict` runs them."""
    seconds: dict[str, float] = {}

    @contextmanager
    def stage(name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        seconds[name] = time.perf_counter() - started

    with stage("normalize"):
        normalized = [normalize(review) for review in texts]
    with stage("tokenize"):
        tokens = [tokenize(review) for review in normalized]
    with stage("encode"):
        kept = [classifier.text.tokens_read(review) for review in tokens]
        reviews = EncodedReviews.from_flat(*classifier.text.vocabulary.encode_all(kept))
    with stage(NETWORK):
        classifier.logits(reviews)
    return seconds


def recurrent_bytes(model: SentimentRNN, dtype: torch.dtype) -> int:
    """Bytes of the recurrent weights, all of which are read again for each word of a review."""
    weights = [layer.get_parameter("weight_hh_l0") for layer in model.encoder.layers]
    return sum(weight.numel() for weight in weights) * dtype.itemsize


def reading_rate(model: SentimentRNN, dtype: torch.dtype) -> float:
    """Bytes per second of one core that multiplies the recurrent weights of a layer with a vector, again and again."""
    weight = model.encoder.layers[0].get_parameter("weight_hh_l0").detach().to(dtype)
    weight = weight.repeat(1 + 2**18 // (weight.numel() * dtype.itemsize), 1)  # with few bytes, the calls would count
    vector = torch.ones(weight.shape[1], dtype=dtype)
    with one_thread():
        return weight.numel() * dtype.itemsize / seconds_per_call(lambda: torch.mv(weight, vector))
