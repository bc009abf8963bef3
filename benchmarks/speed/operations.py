"""What `limits` measures: the machine's matrix products, a training step, and the stages of a prediction."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F  # noqa: N812

from benchmarks.harness.reviews import draw_reviews
from benchmarks.harness.timing import seconds_per_call
from sentiment.data.batching import EncodedReviews, length_batches
from sentiment.inference.engine import BATCH_TOKENS
from sentiment.models.inference_lstm import InferenceLSTM
from sentiment.models.lstm import SentimentRNN
from sentiment.text.tokenizer import normalize, tokenize
from sentiment.text.vocabulary import TextEncoder

SQUARE = 2048
"""Rows and columns of the large products."""
LSTM = "LSTM"
"""How the names of the layers' stages begin."""


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


@torch.inference_mode()
def stage_seconds(network: InferenceLSTM, text: TextEncoder, data: str, split: str, count: int) -> dict[str, float]:
    """Seconds of each stage of a prediction for `count` reviews, one stage after the other.

    The stages are the library's own functions in the library's own order. Only that nothing overlaps is different, so
    the sum is more than a prediction takes on several cores.
    """
    seconds: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def stage(name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        seconds[name] += time.perf_counter() - started

    with stage("read"):
        texts = list(draw_reviews(data, split, count, labeled=False)["text"])
    with stage("normalize"):
        texts = [normalize(review) for review in texts]
    with stage("tokenize"):
        tokens = [tokenize(review) for review in texts]
    with stage("encode"):
        reviews = EncodedReviews(text.encode(words) for words in tokens)
    for rows in length_batches(reviews.lengths, BATCH_TOKENS):
        with stage("batch"):
            batch = reviews.batch(rows)
        with stage("embedding"):
            outputs = network.embed(batch.input_ids)
        for depth in range(len(network.layers)):
            with stage(f"{LSTM} {depth + 1}"):
                outputs = network.run_layer(depth, outputs)
        with stage("pooling and head"):
            network.read_out(outputs.float(), batch.lengths)
    return dict(seconds)
