"""What `SentimentEstimator.fit` gains over the shipped model, on reviews of your own.

    python -m benchmarks.accuracy.estimator --data FILE [FILE ...] [--trained-on SOURCE [--groups-file FILE]]
                                            [--model DIR] [--seeds 20] [--output DIR]

Fits on 20, 100 and 500 labeled reviews of each file, drawn anew with each seed, half of each label. The other reviews
of the file are the test part, the same one for the shipped model and for the estimator. With --trained-on it shows what
fitting costs where there is nothing to gain: on reviews like those that the model was trained on, from their validation
part. Prints a Markdown table and writes it to the output directory.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.harness.command import add_count, benchmark_parser, log, run_benchmark
from benchmarks.harness.machine import machine_info, machine_note
from benchmarks.harness.results import markdown_table, write_results
from sentiment.errors import InputError

if TYPE_CHECKING:
    from datasets import Dataset

SIZES = (20, 100, 500)
"""Numbers of reviews that the estimator is fitted on."""
SMALLEST_TEST = 100
"""Fewest test reviews; a size that leaves fewer is left out."""


def draw(labels: np.ndarray, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows to fit on, half of each label, and the rows of the test part."""
    order = np.random.default_rng(seed).permutation(len(labels))
    fitted = np.concatenate([order[labels[order] == label][: count // 2] for label in (0, 1)])
    return fitted, np.setdiff1d(order, fitted)


def measure(texts: np.ndarray, labels: np.ndarray, model: str, seeds: int) -> list[dict[str, Any]]:
    """Accuracy of the shipped model and of the estimator, for each size and seed, on the same test part."""
    from sentiment.classifier import SentimentClassifier
    from sentiment.inference.postprocessing import is_positive
    from sentiment.integrations.label_audit import OnKnownReviews
    from sentiment.integrations.sklearn import SentimentEstimator

    shipped = is_positive(SentimentClassifier.from_pretrained(model).predict_proba(texts.tolist())[:, 1])
    estimator, found = OnKnownReviews(SentimentEstimator(model), texts.tolist()), []
    for count in SIZES:
        if len(texts) - count < SMALLEST_TEST or np.bincount(labels, minlength=2).min() < count // 2:
            continue
        for seed in range(seeds):
            fitted, rest = draw(labels, count, seed)
            accuracy = estimator.fit(texts[fitted].tolist(), labels[fitted]).score(texts[rest].tolist(), labels[rest])
            before = (shipped[rest] == labels[rest]).mean()
            found.append({"fitted on": count, "seed": seed, "shipped": float(before), "estimator": float(accuracy)})
    return found


def table(measured: dict[str, list[dict[str, Any]]]) -> str:
    """A row for each file and size: mean ± standard deviation over the seeds, in percent."""
    rows = []
    for name, found in measured.items():
        for count in sorted({one["fitted on"] for one in found}):
            shipped, estimator = (
                100 * np.array([one[key] for one in found if one["fitted on"] == count])
                for key in ("shipped", "estimator")
            )
            rows.append(
                [
                    name,
                    str(count),
                    *map(spread, (shipped, estimator)),
                    spread(estimator - shipped, "+"),
                ]
            )
    return markdown_table(["reviews", "fitted on", "shipped model", "`SentimentEstimator`", "gain, points"], rows)


def spread(values: np.ndarray, sign: str = "") -> str:
    """A cell of a table: mean ± standard deviation, with one digit."""
    return f"{values.mean().round(1) + 0.0:{sign}.1f} ± {values.std():.1f}"  # adding 0 turns -0.0 into 0.0


def read(options: argparse.Namespace) -> "dict[str, Dataset]":
    """The reviews of each row of the table, by name."""
    from sentiment.config import DataConfig
    from sentiment.data.loading import load_reviews
    from sentiment.data.splitting import split_validation

    found = {Path(source).stem: load_reviews(DataConfig(source=source), "test") for source in options.data}
    if options.trained_on is not None:
        data = DataConfig(source=options.trained_on, groups_file=options.groups_file)
        reviews = load_reviews(data, "train")
        _, validation = split_validation(reviews, data.validation_fraction, data.validation_seed)
        found[f"{Path(data.source).stem}, validation part"] = reviews.select(validation)
    return found


def run(options: argparse.Namespace) -> str:
    """Measure all reviews; returns the page."""
    if options.groups_file is not None and options.trained_on is None:
        raise InputError("--groups-file belongs to the reviews of --trained-on; give both, or leave it out.")
    info, measured = machine_info(), {}
    for name, reviews in read(options).items():
        log(f"{name}: {len(reviews):,} reviews")
        found = measure(np.array(reviews["text"], object), np.array(reviews["label"]), options.model, options.seeds)
        if not found:
            raise InputError(f"{name}: {len(reviews)} reviews are too few; give at least 120, of both labels.")
        measured[name] = found
    record = {"setting": info, "model": options.model, "accuracy": measured}
    note = (
        f"- Model {options.model}; {options.seeds} seeds, each with other reviews to fit on; mean ± standard deviation."
    )
    return write_results(options.output, "estimator", [table(measured), f"{note}\n{machine_note(info)}"], record)


def main() -> None:
    """The command."""
    parser = benchmark_parser("accuracy.estimator", __doc__, groups_file=True, output="runs/estimator")
    what = "files of labeled reviews, each of its own domain"
    parser.add_argument("--data", required=True, nargs="+", metavar="FILE", help=what)
    what = "hub id, directory or file: the reviews that the model was trained on; their validation part is measured"
    parser.add_argument("--trained-on", metavar="SOURCE", help=what)
    parser.add_argument("--model", default="imdb", metavar="DIR", help="a model directory or name (default: imdb)")
    add_count(parser, "--seeds", default=20, what="seeds")
    run_benchmark(parser, run)


if __name__ == "__main__":
    main()
