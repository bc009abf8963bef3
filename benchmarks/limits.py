"""What this machine could do at best, and how far above that the model's prediction and training are.

    python -m benchmarks.limits [--model DIR] --data SOURCE [--reviews 1000] [--rounds 5] [--output DIR]

Measured first: matrix products per second in each precision, at a large square and at the model's own shapes, and
memory bandwidth. From them and from what the model must multiply and move for the given reviews follows a floor in
seconds. Then: the seconds it takes, and a profile of the whole way by stage. Prints a Markdown page and writes it, with
limits.json, to the output directory.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from benchmarks.machine import failing_in_one_sentence, say, setting
from benchmarks.machine_rates import LARGE, Rate, machine_rates, seconds_of
from benchmarks.prediction_stages import profile
from benchmarks.results import spread
from sentiment.batching import EncodedReviews, length_batches
from sentiment.classifier import SentimentClassifier
from sentiment.config import DataConfig
from sentiment.data import load_reviews
from sentiment.errors import InputError
from sentiment.files import write_json, write_text
from sentiment.inference import BATCH_TOKENS
from sentiment.model import SentimentRNN
from sentiment.prediction_network import PredictionNetwork, prediction_network
from sentiment.text import normalise, tokenise

TRAINING_TOKENS = (8_192, 32_768)
"""Of the batches whose training step is timed: that of the configs, and one four times as large."""


@dataclass(frozen=True)
class Work:
    """What a network must do with some reviews, whatever computes it."""

    tokens: int
    input_flops: float
    """Of the layers' input products."""
    recurrent_flops: float
    bytes_moved: float
    """Word vectors and each layer's outputs, written once and read once; the weights lie in the caches."""

    @property
    def flops(self) -> float:
        """All products."""
        return self.input_flops + self.recurrent_flops


def work_of(model: SentimentRNN, tokens: int, bytes_a_number: int) -> Work:
    """The work of `tokens` words, without padding."""
    embedding_dim = model.encoder.embedding.embedding_dim
    inputs = recurrent = 0.0
    numbers = 2 * embedding_dim
    for layer in model.encoder.layers:
        width, hidden_dim = layer.get_parameter("weight_ih_l0").shape[1], layer.get_parameter("weight_hh_l0").shape[1]
        inputs += 2 * 4 * hidden_dim * width
        recurrent += 2 * 4 * hidden_dim * hidden_dim
        numbers += 2 * hidden_dim
    return Work(tokens, tokens * inputs, tokens * recurrent, float(tokens * numbers * bytes_a_number))


@dataclass(frozen=True)
class Distance:
    """How far above its floor a piece of work is."""

    what: str
    flops: float
    floor: float
    """Seconds, by the large products' rate in the precision used, or by the memory's, whichever is longer."""
    bound_by: str
    seconds: list[float]

    @property
    def times(self) -> float:
        """Median seconds over the floor."""
        return median(self.seconds) / self.floor

    @property
    def share(self) -> float:
        """Of the bounding rate, reached."""
        return 1 / self.times


def distance(what: str, work: Work, flops: float, rate: float, bandwidth: float, seconds: list[float]) -> Distance:
    """The floor of some work beside the seconds that it took."""
    by_products, by_memory = flops / rate, work.bytes_moved / bandwidth
    bound_by = "products" if by_products >= by_memory else "memory"
    return Distance(what, flops, max(by_products, by_memory), bound_by, seconds)


def lstm_seconds(network: PredictionNetwork, ids: list[Tensor]) -> float:
    """Seconds in the layers alone, over all batches."""
    total = 0.0
    for batch in ids:
        outputs = network.embed(batch)
        started = time.perf_counter()
        for depth in range(len(network.layers)):
            outputs = network.run_layer(depth, outputs)
        total += time.perf_counter() - started
    return total


def training_step(
    model: SentimentRNN, reviews: EncodedReviews, bf16: bool, batch_tokens: int
) -> tuple[Callable[[], object], int]:
    """A step forward and back on one batch, without the optimiser; and the words in it."""
    batches = length_batches(reviews.lengths, batch_tokens)
    batch = reviews.batch(batches[len(batches) // 2])

    def step() -> None:
        model.train()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            logits = model(batch.input_ids, batch.lengths)
        F.binary_cross_entropy_with_logits(logits.float(), torch.ones_like(logits.float())).backward()
        model.zero_grad(set_to_none=True)

    return step, int(batch.lengths.sum())


def measure(model: str | None, data: str, split: str, count: int, rounds: int) -> dict[str, Any]:
    """Everything that the page shows."""
    classifier = SentimentClassifier.from_pretrained(model)
    texts = list(load_reviews(DataConfig(source=data), split, labelled=False)["text"])
    chosen = np.random.default_rng(0).permutation(len(texts))[:count]
    texts = [texts[row] for row in chosen]
    reviews = EncodedReviews(classifier.text.encode(tokenise(normalise(text))) for text in texts)
    network = prediction_network(classifier.model, "auto", classifier.device)
    if not isinstance(network, PredictionNetwork):
        raise InputError(f"{model}: its layers are no plain LSTMs, whose floor this command knows.")
    bf16 = network.dtype == torch.bfloat16
    batches = length_batches(reviews.lengths, BATCH_TOKENS)
    rows = int(median(len(batch) for batch in batches))
    rates = machine_rates(classifier.model, rows, rounds)
    precision = "bf16" if bf16 else "fp32"
    product_rate = max(rate.best for rate in rates if rate.what.startswith(precision) and rate.shape == LARGE)
    bandwidth = max(rate.best for rate in rates if rate.what.startswith("memory"))
    with torch.inference_mode():
        ids = [reviews.batch(rows).input_ids for rows in batches]
    steps = {size: training_step(classifier.model, reviews, bf16, size) for size in TRAINING_TOKENS}
    took: dict[str, list[float]] = {"lstm": [], "logits": [], "predict": []}
    trained: dict[int, list[float]] = {size: [] for size in TRAINING_TOKENS}
    stages: dict[str, list[float]] = {}
    for number in range(rounds):
        say(f"the model, round {number + 1} of {rounds}")
        with torch.inference_mode():
            took["lstm"].append(lstm_seconds(network, ids))
        took["logits"].append(seconds_of(lambda: classifier.logits(reviews), 0))
        took["predict"].append(seconds_of(lambda: classifier.predict(texts), 0))
        for size, (step, _) in steps.items():
            trained[size].append(seconds_of(step))
        for stage, seconds in profile(classifier, data, split, chosen).items():
            stages.setdefault(stage, []).append(seconds)
    classifier.model.eval()
    tokens = int(reviews.lengths.sum())
    work = work_of(classifier.model, tokens, network.dtype.itemsize)
    at = (product_rate, bandwidth)
    distances = [
        distance("LSTM layers, a batch on all cores", work, work.flops, *at, took["lstm"]),
        distance("prediction, ids to logits", work, work.flops, *at, took["logits"]),
        distance("prediction, text to answers", work, work.flops, *at, took["predict"]),
    ]
    for size, (_, words) in steps.items():
        what = f"training step of {size:,} tokens, forward and back"
        work = work_of(classifier.model, words, network.dtype.itemsize)
        # back: one product for the gradient of the inputs and one for that of the weights
        distances.append(distance(what, work, 3 * work.flops, *at, trained[size]))
    return {
        "setting": setting(len(texts), rounds),
        "precision": precision,
        "tokens": tokens,
        "rates": [asdict(rate) for rate in rates],
        "distances": [asdict(one) | {"times": one.times, "share": one.share} for one in distances],
        "stages": stages,
        "page": page(rates, distances, stages, len(texts), precision),
    }


def page(
    rates: list[Rate], distances: list[Distance], stages: dict[str, list[float]], reviews: int, precision: str
) -> str:
    """The tables."""
    lines = ["| the machine | shape | rate |", "| --- | --- | --- |"]
    for rate in rates:
        unit = "GB/s" if rate.what.startswith("memory") else "Gop/s"
        lines.append(f"| {rate.what} | {rate.shape} | {spread(value / 1e9 for value in rate.values)} {unit} |")
    lines += ["", f"| the model, {precision} | floor, ms | bound by | took, ms | times the floor | share of the rate |"]
    lines.append("| --- | --- | --- | --- | --- | --- |")
    for one in distances:
        took = spread(1000 * value for value in one.seconds)
        lines.append(
            f"| {one.what} | {1000 * one.floor:.1f} | {one.bound_by} | {took} | {one.times:.2f} | {one.share:.0%} |"
        )
    lines += ["", f"| stage, {reviews} reviews, one after the other | ms | share |", "| --- | --- | --- |"]
    total = sum(median(values) for values in stages.values())
    for stage, values in stages.items():
        lines.append(f"| {stage} | {spread(1000 * value for value in values)} | {median(values) / total:.1%} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser("python -m benchmarks.limits", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--model", metavar="DIR", help="model directory or hub id; default: the shipped model")
    parser.add_argument("--data", required=True, metavar="SOURCE", help="hub id, directory or file of reviews")
    parser.add_argument("--split", default="test", help="split of SOURCE; a file is its own split (default: test)")
    parser.add_argument("--reviews", type=int, default=1000, help="drawn at random (default: 1000)")
    parser.add_argument("--rounds", type=int, default=5, help="medians are printed (default: 5)")
    parser.add_argument("--output", type=Path, default=Path("reports/limits"), metavar="DIR", help="for both files")
    options = parser.parse_args()
    with failing_in_one_sentence("limits"):
        if options.reviews < 1 or options.rounds < 1:
            raise InputError("--reviews and --rounds must be at least 1.")
        found = measure(options.model, options.data, options.split, options.reviews, options.rounds)
        text = str(found.pop("page"))
        write_json(options.output / "limits.json", found)
        write_text(options.output / "limits.md", text)
        print(text)


if __name__ == "__main__":
    main()
