"""How many wrong labels an audit finds: some labels are flipped, and three ways of ranking look for them.

    python -m benchmarks.accuracy.audit --data SOURCE [--data SOURCE ...] [--reviews 2000] [--output DIR]

Flips 5% of the labels of each source, ranks all reviews by the probability of their label, and counts the flipped among
as many reviews as were flipped. The probability is out of fold, or that of the shipped model as it is. Prints a
Markdown table and writes it to the output directory. Sources have wrong labels of their own, so not all of the flipped
can come first.
"""

import argparse
from collections.abc import Callable

import numpy as np

from benchmarks.harness.command import benchmark_parser, log, run_benchmark
from benchmarks.harness.machine import machine_info, machine_note
from benchmarks.harness.results import markdown_table, write_results

FLIPPED = 0.05
SEED = 0


def found_flips(source: str, count: int) -> dict[str, int | str]:
    """Number of reviews of a source, of flipped labels, and of those that each ranking finds."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    from benchmarks.harness.reviews import draw_reviews
    from sentiment.classifier import SentimentClassifier
    from sentiment.data.loading import tokenize_texts
    from sentiment.data.splitting import groups_of
    from sentiment.evaluation.baselines import nb_regression
    from sentiment.integrations.label_audit import out_of_fold_probabilities
    from sentiment.integrations.sklearn import SentimentEstimator

    reviews = draw_reviews(source, "train", count)
    texts, labels, groups = reviews["text"][:], np.asarray(reviews["label"]), groups_of(reviews)
    flipped = np.random.default_rng(SEED).permutation(len(labels))[: round(FLIPPED * len(labels))]
    labels[flipped] = 1 - labels[flipped]
    found: dict[str, int | str] = {"source": source, "reviews": len(labels), "flipped": len(flipped)}
    n_grams = make_pipeline(FunctionTransformer(tokenize_texts), nb_regression())
    rankings: dict[str, Callable[[], np.ndarray]] = {
        "audit-labels": lambda: out_of_fold_probabilities(texts, labels, groups, SentimentEstimator()),
        "n-gram baseline": lambda: out_of_fold_probabilities(texts, labels, groups, n_grams),
        "shipped model": lambda: SentimentClassifier.from_pretrained().predict_proba(texts)[:, 1],
    }
    for name, ranking in rankings.items():
        log(f"{source}: {name}")
        probabilities = ranking()
        self_confidence = np.where(labels == 1, probabilities, 1 - probabilities)
        first = np.argsort(self_confidence, kind="stable")[: len(flipped)]
        found[name] = len(set(first.tolist()) & set(flipped.tolist()))
    return found


def run(options: argparse.Namespace) -> str:
    """Audit each source; returns the page."""
    info = machine_info()
    rows = [found_flips(source, options.reviews) for source in options.sources]
    table = markdown_table(list(rows[0]), [[str(value) for value in row.values()] for row in rows])
    return write_results(options.output, "audit", [table, machine_note(info)], {"setting": info, "rows": rows})


def main() -> None:
    """The command."""
    parser = benchmark_parser("accuracy.audit", __doc__, reviews=2000, output="runs/audit")
    help_text = "hub id, directory or file: labeled reviews; may be given several times"
    parser.add_argument("--data", action="append", required=True, dest="sources", metavar="SOURCE", help=help_text)
    run_benchmark(parser, run)


if __name__ == "__main__":
    main()
