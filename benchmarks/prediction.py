"""What makes prediction faster, one thing at a time.

    python -m benchmarks.prediction [--model DIR] --data SOURCE [--onnx DIR] [--reviews 5000] [--rounds 5]

Every way reads the same reviews once a round, in an order that is drawn anew each round; a gain is a quotient within
one round. Prints a Markdown page and writes it, with prediction.json, to --output DIR. Where SOURCE has a
train split, its validation part chooses the bound of the way that stops early.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from benchmarks.early_stopping import choose_bound, early_logits
from benchmarks.machine import failing_in_one_sentence, say, setting
from benchmarks.prediction_ways import Way, plain_batches, ways_from_ids, ways_from_text, worker_pool
from benchmarks.results import spread
from sentiment.batching import EncodedReviews
from sentiment.classifier import SentimentClassifier
from sentiment.config import DataConfig
from sentiment.data import load_reviews, split_validation
from sentiment.decision import is_positive, probability
from sentiment.errors import InputError
from sentiment.files import write_json, write_text
from sentiment.inference import BATCH_TOKENS
from sentiment.prediction_network import PredictionNetwork, prediction_network
from sentiment.text import normalise, tokenise

VALIDATION_REVIEWS = 1000
"""That choose the bound."""


@dataclass
class Row:
    """What was measured of one way."""

    name: str
    against: str
    seconds: list[float] = field(default_factory=list)
    difference: float = 0.0
    """Largest difference of a probability from float32's."""
    changed: int = 0
    """Reviews with another label."""
    changed_outside: int = 0
    """Those of them that were not within 0.01 of one half."""
    accuracy: float = 0.0


def measure(
    ways: Sequence[Way], expected: np.ndarray, labels: np.ndarray, temperature: float, rounds: int
) -> list[Row]:
    """Time every way once a round, and compare its answers with the logits `expected`."""
    ways = [way for way in ways if _is_possible(way)]
    rows = {way.name: Row(way.name, way.against) for way in ways}
    order = np.random.default_rng(0)
    usual = probability(expected, temperature)
    for number in range(rounds):
        for index in order.permutation(len(ways)):
            way, row = ways[index], rows[ways[index].name]
            say(f"round {number + 1} of {rounds}: {way.name}")
            started = time.perf_counter()
            logits = way.run()
            row.seconds.append(time.perf_counter() - started)
            found = probability(logits, temperature)
            row.difference = float(np.abs(found - usual).max())
            other = is_positive(found) != is_positive(usual)
            row.changed, row.changed_outside = int(other.sum()), int((other & (np.abs(usual - 0.5) > 0.01)).sum())
            row.accuracy = float((is_positive(found) == (labels == 1)).mean())
    return list(rows.values())


def _is_possible(way: Way) -> bool:
    try:
        way.warm_up()
    except Exception as error:  # torch.compile fails in many ways where there is no compiler
        say(f"left out, it does not run here: {way.name}: {type(error).__name__}: {' '.join(str(error).split())[:200]}")
        return False
    return True


def table(rows: Sequence[Row], reviews: int) -> str:
    """Markdown."""
    times = {row.name: row.seconds for row in rows}
    lines = ["| way | reviews/s | times as fast | as | largest difference | other labels | accuracy |"]
    lines.append("| --- | --- | --- | --- | --- | --- | --- |")
    for row in rows:
        gains = [before / after for before, after in zip(times[row.against], row.seconds, strict=True)]
        cells = [row.name, spread(reviews / seconds for seconds in row.seconds)]
        cells += ["", ""] if row.against == row.name else [spread(gains), row.against]
        labels = f"{row.changed} ({row.changed_outside} not within 0.01 of one half)" if row.changed else "0"
        lines.append(f"| {' | '.join(cells)} | {row.difference:.1e} | {labels} | {row.accuracy:.2%} |")
    return "\n".join(lines) + "\n"


def chosen_bound(classifier: SentimentClassifier, data: str, groups_file: str | None) -> float | None:
    """The bound for stopping early, by reviews of the validation part; None where SOURCE has no train split."""
    if Path(data).is_file():
        return None
    config = DataConfig(source=data, groups_file=groups_file)
    train = load_reviews(config, "train")
    _, rows = split_validation(train, config.validation_fraction, config.validation_seed)
    part = train.select(np.random.default_rng(0).permutation(rows)[:VALIDATION_REVIEWS])
    reviews = encode(classifier, list(part["text"]))
    network = prediction_network(classifier.model, "fp32", classifier.device)
    assert isinstance(network, PredictionNetwork)
    return choose_bound(network, reviews, np.asarray(part["label"]))


def encode(classifier: SentimentClassifier, texts: Sequence[str]) -> EncodedReviews:
    """Token ids."""
    return EncodedReviews(classifier.text.encode(tokenise(normalise(text))) for text in texts)


def run(options: argparse.Namespace) -> str:
    """Measure everything; returns the page.

    Raises:
        InputError: for reviews or a model that cannot be read.
    """
    classifier = SentimentClassifier.from_pretrained(options.model)
    split = load_reviews(DataConfig(source=options.data), options.split)
    split = split.select(np.random.default_rng(0).permutation(len(split))[: options.reviews])
    texts, labels = list(split["text"]), np.asarray(split["label"])
    reviews = encode(classifier, texts)
    expected = plain_batches(classifier.model, reviews)
    say("choosing the bound of the way that stops early")
    bound = chosen_bound(classifier, options.data, options.groups_file)
    ids = ways_from_ids(classifier, reviews, options.onnx, bound)
    from_ids = measure(ids, expected, labels, classifier.temperature, options.rounds)
    workers = torch.get_num_threads()
    with worker_pool(workers) as pool:
        text_ways = ways_from_text(classifier, texts, pool, workers)
        from_text = measure(text_ways, expected, labels, classifier.temperature, options.rounds)
    about: dict[str, Any] = setting(len(texts), options.rounds) | {"tokens": int(reviews.lengths.sum())}
    page = f"From token ids:\n\n{table(from_ids, len(texts))}\nFrom text:\n\n{table(from_text, len(texts))}"
    if bound is not None:
        share = early_logits(classifier.model, reviews, BATCH_TOKENS, bound)[1]
        about["read_when_stopped_early"] = share
        page += f"\nStopped early, {share:.1%} of the words are read.\n"
    rows = [vars(row) | {"reviews_per_second": len(texts) / median(row.seconds)} for row in [*from_ids, *from_text]]
    write_json(options.output / "prediction.json", {"setting": about, "ways": rows})
    write_text(options.output / "prediction.md", page)
    return page


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser("python -m benchmarks.prediction", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--model", metavar="DIR", help="model directory or hub id; default: the shipped model")
    parser.add_argument("--data", required=True, metavar="SOURCE", help="hub id, directory or file of labelled reviews")
    parser.add_argument("--groups-file", metavar="FILE", help="film of each training row, as data.groups_file")
    parser.add_argument("--split", default="test", help="split of SOURCE; a file is its own split (default: test)")
    parser.add_argument("--reviews", type=int, default=5000, help="drawn at random (default: 5000)")
    parser.add_argument("--rounds", type=int, default=5, help="medians are printed (default: 5)")
    parser.add_argument("--onnx", type=Path, metavar="DIR", help="the same model as `sentiment export` writes it")
    parser.add_argument("--output", type=Path, default=Path("reports/prediction"), metavar="DIR", help="for both files")
    options = parser.parse_args()
    with failing_in_one_sentence("prediction"):
        if options.reviews < 1 or options.rounds < 1:
            raise InputError("--reviews and --rounds must be at least 1.")
        print(run(options))


if __name__ == "__main__":
    main()
