"""What `sentiment adapt` gains on few labeled reviews of your own.

    python -m benchmarks.accuracy.adaptation --data FILE [FILE ...] [--trained-on SOURCE [--groups-file FILE]]
        [--unlabeled N] [--keep-imdb] [--sizes 16 64 256 500] [--model DIR] [--seeds 5] [--output DIR]

Adapts the model to 16, 64, 256 and 500 labeled reviews of each file, half of each label, drawn anew with each seed. The
other reviews of the file are the test part, the same one for the model as it was, the adapted one, and TF-IDF with
logistic regression on the same labels; N of them can be unlabeled reviews instead. With --trained-on, the reviews that
the model was trained on: single sentences of their validation part are a further file, and so are two kinds of whole
ones; each adapted model reads 500 others, which shows what it has forgotten. Prints a Markdown table and writes it to
the output directory.
"""

import argparse
import re
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.accuracy.estimator import SMALLEST_TEST, draw, spread
from benchmarks.harness.command import add_count, benchmark_parser, log, run_benchmark
from benchmarks.harness.machine import machine_info, machine_note
from benchmarks.harness.results import markdown_table, write_results
from sentiment.errors import InputError

SIZES = (16, 64, 256, 500)
"""Numbers of reviews that the model is adapted to."""
MOVIES = 500
"""Whole reviews that show what a model has forgotten."""
SENTENCES = 1000
"""Sentences of movie reviews, of one review each."""
KINDS = {"horror": r"\bhorror\b", "films before 1980": r"^(?!.*\b(19[89]|20\d)\d\b).*\b19[1-7]\d\b"}
"""{kind of movie reviews: words by which they are found}."""


@dataclass(frozen=True)
class Labeled:
    """Reviews [n] and their labels [n], 0 or 1."""

    texts: np.ndarray
    labels: np.ndarray


def measure(data: Labeled, movies: Labeled | None, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Accuracy and calibration error for each size and seed, in percent."""
    from sentiment.adaptation.adapt import adapt, settings_for
    from sentiment.classifier import SentimentClassifier
    from sentiment.config import AdaptConfig
    from sentiment.config_reader import config_from_settings
    from sentiment.data.loading import tokenize_texts
    from sentiment.evaluation.baselines import tfidf_regression
    from sentiment.evaluation.metrics import expected_calibration_error
    from sentiment.inference.postprocessing import is_positive

    texts, labels, found = data.texts, data.labels, []
    shipped = SentimentClassifier.from_pretrained(options.model)
    documents, before = np.array(tokenize_texts(texts), object), shipped.predict_proba(texts.tolist())[:, 1]
    for count in options.sizes:
        if (
            len(texts) - count - options.unlabeled < SMALLEST_TEST
            or np.bincount(labels, minlength=2).min() < count // 2
        ):
            continue
        for seed in range(options.seeds):
            fitted, rest = draw(labels, count, seed)
            rest = np.random.default_rng(seed).permutation(rest)
            unlabeled, rest = rest[: options.unlabeled], rest[options.unlabeled :]
            with TemporaryDirectory() as directory:
                settings = {"run.output_dir": f"{directory}/model", "keep_imdb": options.keep_imdb}
                settings |= settings_for(count, options.keep_imdb)
                config = config_from_settings(AdaptConfig, settings, "benchmark")
                adapted = adapt(
                    shipped, texts[fitted].tolist(), labels[fitted].tolist(), config, texts[unlabeled].tolist()
                )
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
            if movies is not None:
                was, now = (
                    is_positive(one.predict_proba(movies.texts.tolist())[:, 1]) == movies.labels
                    for one in (shipped, adapted.classifier)
                )
                row["movies"] = 100 * float(now.mean() - was.mean())
            log(f"{count} labels, seed {seed}: {row['shipped']:.1f} -> {row['adapted']:.1f}, {row['chosen']}")
            found.append(row)
    return found


def table(measured: dict[str, list[dict[str, Any]]]) -> str:
    """A row for each file and size: mean ± standard deviation over the seeds, in percent."""
    rows, with_movies = [], any("movies" in row for found in measured.values() for row in found)
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
                f"{error.mean():.1f}",
                spread(baseline),
            ]
            if with_movies:
                cells.append(spread(np.array([row["movies"] for row in part]), "+"))
            rows.append([name, str(count), *cells])
    header = ["reviews", "labels", "shipped", "adapted", "gain, points", "smallest gain", "calibration error"]
    return markdown_table([*header, "TF-IDF + LR", *(["movie reviews, points"] if with_movies else [])], rows)


def read(options: argparse.Namespace) -> tuple[dict[str, Labeled], Labeled | None]:
    """The reviews of each file by name, and whole movie reviews, if they are asked for."""
    from sentiment.config import DataConfig
    from sentiment.data.augmentation import whole_sentences
    from sentiment.data.loading import load_reviews
    from sentiment.data.splitting import split_validation
    from sentiment.text.normalization import normalize

    found = {}
    for source in options.data:
        reviews = load_reviews(DataConfig(source=source), "test")
        found[Path(source).stem] = Labeled(np.array(reviews["text"], object), np.array(reviews["label"]))
    if options.trained_on is None:
        return found, None
    data = DataConfig(source=options.trained_on, groups_file=options.groups_file)
    reviews = load_reviews(data, "train")
    _, validation = split_validation(reviews, data.validation_fraction, data.validation_seed)
    rows = np.random.default_rng(0).permutation(validation)
    part = reviews.select(rows[MOVIES : MOVIES + SENTENCES])
    sentences = [
        (Random(row).choice(fitting), label)
        for row, (text, label) in enumerate(zip(part["text"], part["label"], strict=True))
        if (fitting := whole_sentences(normalize(text)))
    ]
    texts, labels = zip(*sentences, strict=True)
    found[f"{Path(data.source).stem}, sentences"] = Labeled(np.array(texts, object), np.array(labels))
    whole = reviews.select(rows[:MOVIES])
    part = reviews.select(rows[MOVIES:])
    for name, pattern in KINDS.items():
        kept = [row for row, text in enumerate(part["text"]) if re.search(pattern, text, re.IGNORECASE | re.DOTALL)]
        chosen = part.select(kept)
        found[f"{Path(data.source).stem}, {name}"] = Labeled(
            np.array(chosen["text"], object), np.array(chosen["label"])
        )
    return found, Labeled(np.array(whole["text"], object), np.array(whole["label"]))


def run(options: argparse.Namespace) -> str:
    """Measure all files; returns the page."""
    if options.groups_file is not None and options.trained_on is None:
        raise InputError("--groups-file belongs to the reviews of --trained-on; give both, or leave it out.")
    info, measured = machine_info(), {}
    files, movies = read(options)
    for name, data in files.items():
        log(f"{name}: {len(data.texts):,} reviews")
        found = measure(data, movies, options)
        if found:
            measured[name] = found
        elif name in {Path(source).stem for source in options.data}:
            raise InputError(f"{name}: {len(data.texts)} reviews are too few; give at least 116, of both labels.")
    record = {"setting": info, "options": {"model": options.model, "unlabeled": options.unlabeled}, "rows": measured}
    notes = f"- Model {options.model}; {options.seeds} seeds, each with other labels; mean ± standard deviation.\n"
    if options.unlabeled or options.keep_imdb:
        notes += f"- {options.unlabeled} unlabeled reviews; keep_imdb is {options.keep_imdb}.\n"
    return write_results(options.output, "adaptation", [table(measured), notes + machine_note(info)], record)


def main() -> None:
    """The command."""
    parser = benchmark_parser("accuracy.adaptation", __doc__, groups_file=True, output="runs/adaptation")
    what = "files of labeled reviews, each of its own domain"
    parser.add_argument("--data", required=True, nargs="+", metavar="FILE", help=what)
    what = "hub id, directory or file: the reviews that the model was trained on"
    parser.add_argument("--trained-on", metavar="SOURCE", help=what)
    parser.add_argument("--unlabeled", type=int, default=0, metavar="N", help="unlabeled reviews (default: 0)")
    parser.add_argument("--keep-imdb", action="store_true", help="adapt with --keep-imdb")
    what = "numbers of labels (default: 16 64 256 500)"
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="N", help=what)
    parser.add_argument("--model", default="imdb", metavar="DIR", help="a model directory or name (default: imdb)")
    add_count(parser, "--seeds", default=5, what="seeds")
    run_benchmark(parser, run)


if __name__ == "__main__":
    main()
