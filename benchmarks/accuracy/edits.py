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

from benchmarks.accuracy.texts import evaluate, load_kinds, lstm
from benchmarks.harness.command import add_count, benchmark_parser, log, run_benchmark
from benchmarks.harness.machine import machine_info, machine_note
from benchmarks.harness.results import markdown_table, write_results
from sentiment.config import DistillConfig

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
    kinds = load_kinds(config.data, options.pairs, options.texts)

    def accuracy(model: str | Path) -> Mapping[str, float]:
        return evaluate(lstm(model), kinds).accuracy

    with lock_directory(options.output):
        start = accuracy(config.pretrained)
        students: dict[str, list[dict[str, float]]] = {}
        for variant, settings in VARIANTS.items():
            for seed in range(1, options.seeds + 1):
                directory = options.output / f"{variant.replace(' ', '_')}_{seed}"
                result = directory / "result.json"
                if not result.is_file():
                    log(f"{variant}, seed {seed}")
                    settled = replace(config.run, output_dir=str(directory), seed=seed)
                    distill(replace(config, run=settled, **settings), resume=True)
                    write_json(result, accuracy(directory / "model"))
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
