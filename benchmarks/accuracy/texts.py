"""Models side by side on kinds of texts: whole reviews, edits of reviews, short texts, behavior tests.

    python -m benchmarks.accuracy.texts --data SOURCE --pairs FILE [--texts FILE ...] [--models DIR ...] [--output DIR]
    python -m benchmarks.accuracy.texts ... --transformers DIR ...

Whole reviews are those of the validation part of SOURCE. A transformer that taught a model stands beside it, so that
one sees how much of its teacher a student keeps, and how much faster it is. Prints two Markdown tables, accuracy and
calibration, and writes them to the output directory.
"""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TypeAlias

import numpy as np

from benchmarks.harness.command import benchmark_parser, log, run_benchmark
from benchmarks.harness.machine import machine_info, machine_note
from benchmarks.harness.results import markdown_table, write_results
from sentiment.config import DataConfig

WHOLE, EDITED, BOTH, FAILED = "whole reviews", "edited side", "both sides right", "checklist tests failed"
Predict: TypeAlias = Callable[[Sequence[str]], tuple[np.ndarray, np.ndarray]]
"""From texts to probabilities of positive [n], 0.5 for a text without words, and whether each is uncertain [n] bool."""


@dataclass(frozen=True)
class LabeledTexts:
    """Texts of one kind, and their labels, 0 or 1."""

    texts: Sequence[str]
    labels: Sequence[int]


def load_kinds(data: DataConfig, pairs: Path, texts: Sequence[Path]) -> dict[str, LabeledTexts]:
    """The validation part, both sides of the pairs, and the files of labeled texts, by their names."""
    from sentiment.data.loading import load_reviews
    from sentiment.data.splitting import read_parts
    from sentiment.evaluation.contrast_pairs import load_pairs

    parts, loaded = read_parts(data), load_pairs(pairs)
    kinds = {
        WHOLE: LabeledTexts(parts.validation_texts, parts.validation_labels.astype(int).tolist()),
        "original side": LabeledTexts(loaded.original, loaded.label_original.tolist()),
        EDITED: LabeledTexts(loaded.edited, loaded.label_edited.tolist()),
    }
    for file in texts:
        reviews = load_reviews(DataConfig(source=str(file)), "test")
        kinds[file.stem] = LabeledTexts(reviews["text"], reviews["label"])
    return kinds


@dataclass(frozen=True)
class Figures:
    """What a model reaches."""

    accuracy: Mapping[str, float]
    """In percent, by kind of text; the last is the mean rate of failed tests."""
    calibration: Mapping[str, tuple[float, float, float]]
    """By kind of text: calibration error, share that is not uncertain, and accuracy of these, in percent."""
    speed: float
    """Whole reviews per second."""


def lstm(model: str | Path) -> Predict:
    """What a model of this package predicts."""
    from sentiment.classifier import SentimentClassifier

    classifier = SentimentClassifier.from_pretrained(model)

    def predict(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        found = classifier.predict_columns(texts)
        return np.nan_to_num(found.probability, nan=0.5), np.asarray(found.uncertain)

    return predict


def transformer(model: str) -> Predict:
    """What a transformer predicts, without calibration; it is never uncertain."""
    import torch

    from sentiment.data.batching import EncodedReviews
    from sentiment.inference.postprocessing import probability
    from sentiment.inference.torch_network import predict_logits
    from sentiment.persistence.transformer import load_transformer

    network = load_transformer(model)

    def predict(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        logits = predict_logits(network, EncodedReviews(network.encode(texts)), torch.device("cpu"))
        return probability(logits, 1.0), np.zeros(len(texts), dtype=bool)

    return predict


def evaluate(predict: Predict, kinds: Mapping[str, LabeledTexts]) -> Figures:
    """Accuracy and calibration of a model on each kind of text, and its speed."""
    from sentiment.evaluation import checklist
    from sentiment.evaluation.metrics import expected_calibration_error
    from sentiment.inference.postprocessing import is_positive

    accuracy, calibration, correct, seconds = {}, {}, {}, {}
    for name, kind in kinds.items():
        started = time.perf_counter()
        probability, uncertain = predict(kind.texts)
        seconds[name], labels = time.perf_counter() - started, np.asarray(kind.labels)
        right = correct[name] = is_positive(probability) == (labels == 1)
        sure = ~uncertain
        accuracy[name] = 100 * float(right.mean())
        calibration[name] = (
            100 * expected_calibration_error(labels, probability),
            100 * float(sure.mean()),
            100 * float(right[sure].mean()) if sure.any() else float("nan"),
        )
    accuracy[BOTH] = 100 * float((correct.pop("original side") & correct[EDITED]).mean())
    del accuracy["original side"], calibration["original side"]
    cases = [case for case in checklist.cases() if case.expected in ("positive", "negative")]
    texts = checklist.texts(cases)
    probabilities = dict(zip(texts, predict(texts)[0].tolist(), strict=True))
    outcomes = checklist.outcomes(cases, probabilities)
    accuracy[FAILED] = 100 * fmean(outcome.failures / outcome.n for outcome in outcomes)
    return Figures(accuracy, calibration, len(kinds[WHOLE].texts) / seconds[WHOLE])


def tables(found: Mapping[str, Figures]) -> list[str]:
    """A table of accuracies and speed, and one of calibration; a row for each model."""
    first = next(iter(found.values()))
    accuracy = [
        [name, *(f"{value:.1f}" for value in figures.accuracy.values()), f"{figures.speed:.0f}"]
        for name, figures in found.items()
    ]
    calibration = [
        [name, *(f"{error:.1f}; {sure:.0f} ({right:.1f})" for error, sure, right in figures.calibration.values())]
        for name, figures in found.items()
    ]
    return [
        markdown_table(["model", *first.accuracy, "reviews/s"], accuracy),
        markdown_table(["model", *first.calibration], calibration),
    ]


def run(options: argparse.Namespace) -> str:
    """Evaluate all models; returns the page."""
    info, found = machine_info(), {}
    kinds = load_kinds(DataConfig(source=options.data, groups_file=options.groups_file), options.pairs, options.texts)
    for load, models in ((lstm, options.models), (transformer, options.transformers)):
        for model in models:
            log(model)
            found[model] = evaluate(load(model), kinds)
    sizes = ", ".join(f"{len(kind.texts):,} {name}" for name, kind in kinds.items())
    notes = (
        "- First table: accuracy in percent, and the mean share of failed checklist tests of known label; speed in\n"
        "  whole reviews, measured once.\n"
        "- Second table: calibration error; share of predictions that are not uncertain (accuracy of these).\n"
        f"- {sizes}.\n{machine_note(info)}"
    )
    record = {"setting": info, "models": {name: vars(figures) for name, figures in found.items()}}
    return write_results(options.output, "texts", [*tables(found), notes], record)


def main() -> None:
    """The command."""
    parser = benchmark_parser("accuracy.texts", __doc__, data="labeled reviews", groups_file=True, output="runs/texts")
    parser.add_argument("--pairs", required=True, type=Path, metavar="FILE", help="contrast pairs")
    parser.add_argument("--texts", nargs="+", type=Path, default=[], metavar="FILE", help="labeled short texts")
    names = ["imdb", "imdb-small"]
    parser.add_argument("--models", nargs="+", default=names, metavar="DIR", help=f"default: {' '.join(names)}")
    parser.add_argument("--transformers", nargs="+", default=[], metavar="DIR", help="classifiers that taught them")
    run_benchmark(parser, run)


if __name__ == "__main__":
    main()
