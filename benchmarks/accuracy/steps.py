"""What each step of normalization and repair is worth: the accuracy of a model without it.

    python -m benchmarks.accuracy.steps --data SOURCE [SOURCE ...] [--model DIR] [--groups-file FILE] [--output DIR]

A source with splits gives its validation part, a file all of its reviews. Only the steps differ; the model stays the
same. Prints a Markdown table and writes it to the output directory.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness.command import benchmark_parser, log, run_benchmark
from benchmarks.harness.machine import machine_info, machine_note
from benchmarks.harness.results import markdown_table, write_results
from sentiment.text.normalization import CURRENT_STEPS, FIRST_STEPS


def variants() -> dict[str, tuple[str, ...]]:
    """{name: steps}: the first ones, all, and all without one."""
    without = {f"without `{step}`": tuple(other for other in CURRENT_STEPS if other != step) for step in CURRENT_STEPS}
    return {"first steps": FIRST_STEPS, "all steps": CURRENT_STEPS} | without


def measure(model: str, texts: Sequence[str], labels: np.ndarray) -> dict[str, dict[str, Any]]:
    """Accuracy with the steps of each variant, and how many texts are read otherwise than with all steps."""
    from sentiment.classifier import SentimentClassifier
    from sentiment.data.batching import EncodedReviews

    classifier = SentimentClassifier.from_pretrained(model, precision="fp32")
    found: dict[str, dict[str, Any]] = {}
    logits: dict[tuple[str, ...], float] = {}
    everything: list[tuple[str, ...]] = []
    for name, steps in variants().items():
        encoder = replace(classifier.text, steps=steps)
        tokens = [tuple(encoder.tokens_read(encoder.tokenize(text))) for text in texts]
        new = list(dict.fromkeys(review for review in tokens if review not in logits))
        computed = classifier.logits(EncodedReviews(map(classifier.text.vocabulary.encode, new)))
        logits |= dict(zip(new, computed.tolist(), strict=True))
        everything = tokens if steps == CURRENT_STEPS else everything
        predicted = np.array([logits[review] for review in tokens]) >= 0
        found[name] = {"accuracy": float(np.mean(predicted == (labels == 1))), "tokens": tokens}
    for one in found.values():
        one["changed"] = sum(mine != theirs for mine, theirs in zip(one.pop("tokens"), everything, strict=True))
    return found


def run(options: argparse.Namespace) -> str:
    """Measure all sources; returns the page."""
    from sentiment.config import DataConfig
    from sentiment.data.loading import load_reviews
    from sentiment.data.named_splits import has_splits
    from sentiment.data.splitting import split_validation

    info, measured = machine_info(), {}
    for source in options.data:
        data = DataConfig(source=source)
        if has_splits(data):
            data = replace(data, groups_file=options.groups_file)
            reviews = load_reviews(data, "train")
            reviews = reviews.select(split_validation(reviews, data.validation_fraction, data.validation_seed)[1])
        else:
            reviews = load_reviews(data, "test")
        log(f"{source}: {len(reviews)} reviews")
        measured[Path(source).stem] = measure(options.model, list(reviews["text"]), np.array(reviews["label"]))
    note = f"- Model {options.model}: accuracy in percent, and how many texts it reads otherwise than with all steps."
    record = {"setting": info, "model": options.model, "accuracy": measured}
    return write_results(options.output, "steps", [table(measured), f"{note}\n{machine_note(info)}"], record)


def table(measured: dict[str, dict[str, dict[str, Any]]]) -> str:
    """A row for each variant; for each source its accuracy in percent, and how many texts it reads otherwise."""
    rows = [
        [name, *(f"{100 * found[name]['accuracy']:.2f} ({found[name]['changed']})" for found in measured.values())]
        for name in variants()
    ]
    return markdown_table(["steps", *measured], rows)


def main() -> None:
    """The command."""
    parser = benchmark_parser("accuracy.steps", __doc__, groups_file=True, output="runs/steps")
    parser.add_argument("--data", required=True, nargs="+", metavar="SOURCE", help="labeled reviews")
    parser.add_argument("--model", default="imdb", metavar="DIR", help="a model directory or name (default: imdb)")
    run_benchmark(parser, run)


if __name__ == "__main__":
    main()
