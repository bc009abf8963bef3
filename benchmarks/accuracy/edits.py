"""What teaches a student to see edits and short texts: sentences, counterfactual copies, a transformer, opinions.

    python -m benchmarks.accuracy.edits CONFIG.yaml --pairs FILE [--texts FILE ...] [--seeds 3] [--output DIR]

CONFIG.yaml is the configuration of a student (`sentiment distill`). Trains it as it is, and without each part, with
several seeds; the teachers answer each text once. Prints a Markdown table, with the model that it starts from in the
first row, and writes it to the output directory. What is finished stays: stop it any time, the same command goes on.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from benchmarks.harness.command import add_count, benchmark_parser, log, run_benchmark
from benchmarks.harness.machine import machine_info, machine_note
from benchmarks.harness.results import markdown_table, write_results
from sentiment.config import DataConfig, DistillConfig

NONE: dict[str, Any] = {"sentences": 0, "counterfactuals": 0, "grammar_sentences": 0, "opinions": 0}
VARIANTS: dict[str, dict[str, Any]] = {
    "all": {},
    "without opinions": {"opinions": 0},
    "without sentences": {"sentences": 0},
    "without counterfactuals": {"counterfactuals": 0},
    "without the transformer": {"transformer_share": 0.0},
    "with the transformer alone": {"transformer_share": 1.0},
    "further training alone": NONE,
}
"""What differs from the configuration."""


def evaluate(model: Path | str, data: DataConfig, pairs: Path, texts: Sequence[Path]) -> dict[str, float]:
    """Accuracy in percent on the validation part, on pairs and on files of labeled texts; failed tests in percent."""
    import numpy as np

    from sentiment.classifier import SentimentClassifier
    from sentiment.data.loading import load_reviews
    from sentiment.data.splitting import read_parts
    from sentiment.evaluation import checklist
    from sentiment.evaluation.contrast_pairs import evaluate_pairs, load_pairs

    classifier = SentimentClassifier.from_pretrained(model)

    def predict(read: Sequence[str]) -> dict[str, float]:
        return dict(zip(read, classifier.predict_proba(read)[:, 1].tolist(), strict=True))

    def accuracy(read: Sequence[str], labels: Sequence[int]) -> float:
        found = predict(read)
        return 100 * float(np.mean([(found[text] >= 0.5) == label for text, label in zip(read, labels, strict=True)]))

    parts = read_parts(data)
    found = {"whole reviews": accuracy(parts.validation_texts, parts.validation_labels.tolist())}
    edited = load_pairs(pairs)
    figures = evaluate_pairs(edited, predict(edited.texts))
    found |= {"edited side": 100 * figures["accuracy_edited"], "both sides right": 100 * figures["consistency"]}
    for file in texts:
        reviews = load_reviews(DataConfig(source=str(file)), "test")
        found[file.stem] = accuracy(reviews["text"], reviews["label"])
    cases = [case for case in checklist.cases() if case.expected in ("positive", "negative")]
    outcomes = checklist.outcomes(cases, predict(checklist.texts(cases)))
    return found | {"checklist tests failed": 100 * fmean(one.failures / one.n for one in outcomes)}


def table(start: Mapping[str, float], students: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    """A row for the model before, and one for each variant: mean ± sample standard deviation over the seeds."""
    rows = [["before", "", *(f"{value:.1f}" for value in start.values())]]
    for variant, runs in students.items():
        settings = " ".join(f"--{name}={value}" for name, value in VARIANTS[variant].items())
        rows.append(
            [variant, f"`{settings}`" if settings else "", *(_mean([run[name] for run in runs]) for name in start)]
        )
    return markdown_table(["the student learns from", "as settings", *start], rows)


def _mean(values: Sequence[float]) -> str:
    return f"{fmean(values):.1f}" + (f" ± {stdev(values):.1f}" if len(values) > 1 else "")


def run(options: argparse.Namespace) -> str:
    """Train and evaluate all students, alone in the output directory; returns the page."""
    from sentiment.config_reader import load_config
    from sentiment.io.files import lock_directory, read_json, write_json
    from sentiment.training.distill import distill

    config, info = load_config(DistillConfig, options.config), machine_info()
    with lock_directory(options.output):
        start = evaluate(config.pretrained, config.data, options.pairs, options.texts)
        students: dict[str, list[dict[str, float]]] = {}
        for variant, settings in VARIANTS.items():
            for seed in range(1, options.seeds + 1):
                directory = options.output / f"{variant.replace(' ', '_')}_{seed}"
                result = directory / "result.json"
                if not result.is_file():
                    log(f"{variant}, seed {seed}")
                    settled = replace(config.run, output_dir=str(directory), seed=seed)
                    distill(replace(config, run=settled, **settings), resume=True)
                    write_json(result, evaluate(directory / "model", config.data, options.pairs, options.texts))
                students.setdefault(variant, []).append(read_json(result))
        record = {"setting": info, "before": start, "students": students}
        notes = f"- {options.seeds} seeds: mean ± sample standard deviation, in percent.\n{machine_note(info)}"
        return write_results(options.output, "edits", [table(start, students), notes], record)


def main() -> None:
    """The command."""
    parser = benchmark_parser("accuracy.edits", __doc__, output="runs/edits")
    parser.add_argument("config", metavar="CONFIG.yaml", help="configuration of a student")
    parser.add_argument("--pairs", required=True, type=Path, metavar="FILE", help="contrast pairs")
    parser.add_argument("--texts", nargs="+", type=Path, default=[], metavar="FILE", help="labeled short texts")
    add_count(parser, "--seeds", default=3, what="seeds of each variant")
    run_benchmark(parser, run, stopped="stopped; the same command goes on.")


if __name__ == "__main__":
    main()
