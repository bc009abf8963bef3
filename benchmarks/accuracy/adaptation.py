"""What `sentiment adapt` gains on few labeled reviews of your own.

    python -m benchmarks.accuracy.adaptation --data FILE [FILE ...] [--model DIR] [--seeds 5] [--output DIR]

Adapts the model to 16, 64, 256 and 500 labeled reviews of each file, half of each label, drawn anew with each seed. The
other reviews of the file are the test part, the same one for the model as it was, the adapted one, and TF-IDF with
logistic regression on the same labels. Prints a Markdown table and writes it to the output directory.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy.estimator import SMALLEST_TEST, draw, spread
from benchmarks.harness.command import add_count, benchmark_parser, log, run_benchmark
from benchmarks.harness.machine import machine_info, machine_note
from benchmarks.harness.results import markdown_table, write_results
from sentiment.errors import InputError

SIZES = (16, 64, 256, 500)
"""Numbers of reviews that the model is adapted to."""


def measure(texts: np.ndarray, labels: np.ndarray, model: str, seeds: int) -> list[dict[str, Any]]:
    """Accuracy and calibration error for each size and seed, in percent."""
    from sentiment.classifier import SentimentClassifier
    from sentiment.data.loading import tokenize_texts
    from sentiment.evaluation.baselines import tfidf_regression
    from sentiment.evaluation.metrics import expected_calibration_error
    from sentiment.inference.postprocessing import is_positive
    from sentiment.training.adaptation import adapt

    shipped, found = SentimentClassifier.from_pretrained(model), []
    documents, before = np.array(tokenize_texts(texts), object), shipped.predict_proba(texts.tolist())[:, 1]
    for count in SIZES:
        if len(texts) - count < SMALLEST_TEST or np.bincount(labels, minlength=2).min() < count // 2:
            continue
        for seed in range(seeds):
            fitted, rest = draw(labels, count, seed)
            adapted = adapt(shipped, texts[fitted].tolist(), labels[fitted].tolist(), "the benchmark")
            after = adapted.classifier.predict_proba(texts[rest].tolist())[:, 1]
            baseline = tfidf_regression().fit(documents[fitted], labels[fitted])
            answers = {
                "shipped": before[rest],
                "adapted": after,
                "TF-IDF": baseline.predict_proba(documents[rest])[:, 1],
            }
            row: dict[str, Any] = {"labels": count, "seed": seed, "chosen": adapted.chosen.name}
            row |= {name: 100 * float((is_positive(each) == labels[rest]).mean()) for name, each in answers.items()}
            row["error"] = 100 * expected_calibration_error(labels[rest], after)
            found.append(row)
    return found


def table(measured: dict[str, list[dict[str, Any]]]) -> str:
    """A row for each file and size: mean ± standard deviation over the seeds, in percent."""
    rows = []
    for name, found in measured.items():
        for count in sorted({row["labels"] for row in found}):
            part = [row for row in found if row["labels"] == count]
            shipped, adapted, baseline, error = (
                np.array([row[key] for row in part]) for key in ("shipped", "adapted", "TF-IDF", "error")
            )
            gains = adapted - shipped
            cells = [
                spread(shipped),
                spread(adapted),
                spread(gains, "+"),
                f"{gains.min() + 0.0:+.1f}",
            ]
            rows.append([name, str(count), *cells, f"{error.mean():.1f}", spread(baseline)])
    header = ["reviews", "labels", "shipped", "adapted", "gain, points", "smallest gain", "calibration error"]
    return markdown_table([*header, "TF-IDF + LR"], rows)


def run(options: argparse.Namespace) -> str:
    """Measure all files; returns the page."""
    from sentiment.config import DataConfig
    from sentiment.data.loading import load_reviews

    info, measured = machine_info(), {}
    for source in options.data:
        reviews = load_reviews(DataConfig(source=source), "test")
        name = Path(source).stem
        log(f"{name}: {len(reviews):,} reviews")
        found = measure(np.array(reviews["text"], object), np.array(reviews["label"]), options.model, options.seeds)
        if not found:
            raise InputError(f"{name}: {len(reviews)} reviews are too few; give at least 116, of both labels.")
        measured[name] = found
    record = {"setting": info, "model": options.model, "rows": measured}
    notes = f"- Model {options.model}; {options.seeds} seeds, each with other labels; mean ± standard deviation.\n"
    return write_results(options.output, "adaptation", [table(measured), notes + machine_note(info)], record)


def main() -> None:
    """The command."""
    parser = benchmark_parser("accuracy.adaptation", __doc__, output="runs/adaptation")
    what = "files of labeled reviews, each of its own domain"
    parser.add_argument("--data", required=True, nargs="+", metavar="FILE", help=what)
    parser.add_argument("--model", default="imdb", metavar="DIR", help="a model directory or name (default: imdb)")
    add_count(parser, "--seeds", default=5, what="seeds")
    run_benchmark(parser, run)


if __name__ == "__main__":
    main()
