"""What teaches a student to read short texts: pieces of reviews, the sentences of a grammar, both or neither.

    python -m benchmarks.accuracy.short_text --data SOURCE [--groups-file FILE] [--unlabeled 10000] [--output DIR]

Trains five students of the shipped model in small, alike but for the short texts that they read beside the reviews and
for how many of these make a batch, and puts whole reviews, sentences cut from validation reviews and the checklist
tests to each. Prints a Markdown table and writes it to the output directory. What is finished stays: stop it any time,
the same command goes on.
"""

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from benchmarks.harness.command import add_count, benchmark_parser, log, run_benchmark
from benchmarks.harness.machine import machine_info, machine_note
from benchmarks.harness.results import markdown_table, write_results
from sentiment.config import DataConfig, DistillConfig

RECIPE, STAGE = Path(__file__).parents[2] / "configs" / "recipes" / "imdb.yaml", "small"
"""Where the settings of the students come from: here without adversarial training, for one epoch."""
VARIANTS: dict[str, dict[str, int]] = {
    "whole reviews alone": {"crops": 0, "grammar_sentences": 0},
    "also pieces of reviews": {"crops": 10_000, "grammar_sentences": 0},
    "also sentences of the grammar": {"crops": 0, "grammar_sentences": 40_000},
    "also both": {"crops": 10_000, "grammar_sentences": 40_000},
    "also both, batches without a limit of reviews": {"crops": 10_000, "grammar_sentences": 40_000, "batch_reviews": 0},
}
"""What a student reads, and the settings that make it so; the recipe's batches hold 64 reviews at most."""


def student_configs(data: DataConfig, unlabeled: int, output: Path) -> dict[str, DistillConfig]:
    """Settings of each student, by its variant."""
    from sentiment.persistence.model_directory import PRETRAINED_MODELS
    from sentiment.training.recipe import load_recipe

    stage, teacher = load_recipe(RECIPE).stages[STAGE].config, str(PRETRAINED_MODELS / "imdb")
    assert isinstance(stage, DistillConfig)
    shared = replace(
        stage,
        data=data,
        optimization=replace(stage.optimization, epochs=1),
        adversarial=replace(stage.adversarial, weight=0.0),
        unlabeled_reviews=unlabeled,
        pretrained=teacher,
        teachers=[teacher],
    )
    configs = {}
    for variant, settings in VARIANTS.items():
        run = replace(shared.run, output_dir=str(output / variant.replace(",", "").replace(" ", "_")))
        configs[variant] = replace(shared, run=run, **settings)  # type: ignore[arg-type]  # whole numbers, all of them
    return configs


def evaluate(model: Path, data: DataConfig) -> dict[str, float]:
    """A student on short texts: accuracy on sentences of validation reviews, and the rate of failed checklist tests.

    The rate is the mean of the tests whose label is known, each test counting the same.
    """
    from sentiment.classifier import SentimentClassifier
    from sentiment.evaluation import checklist, short_text

    classifier = SentimentClassifier.from_pretrained(model)
    accuracy = {row.piece: row.accuracy for row in short_text.measure(classifier, data) if row.reader == "model"}
    cases = [case for case in checklist.cases() if case.expected in ("positive", "negative")]
    texts = checklist.texts(cases)
    probabilities = dict(zip(texts, classifier.predict_proba(texts)[:, 1].tolist(), strict=True))
    tests = checklist.outcomes(cases, probabilities)
    return {
        "one sentence": accuracy["one sentence, any"],
        "last sentence": accuracy["last sentence"],
        "checklist tests failed": sum(test.failures / test.n for test in tests) / len(tests),
    }


def table(students: Mapping[str, Mapping[str, float]]) -> str:
    """A row for each student, by its variant."""
    rows = []
    for variant, figures in students.items():
        settings = " ".join(f"--{name}={value}" for name, value in VARIANTS[variant].items())
        rows.append([variant, f"`{settings}`", *(f"{share:.1%}" for share in figures.values())])
    return markdown_table(["the student reads", "as settings", *next(iter(students.values()))], rows)


def run(options: argparse.Namespace) -> str:
    """Train and evaluate all students, alone in the output directory; returns the page."""
    # torch takes seconds to import, and --help does not need it
    from sentiment.io.files import lock_directory
    from sentiment.training.distill import distill

    info, students = machine_info(), {}
    data = DataConfig(source=options.data, groups_file=options.groups_file)
    with lock_directory(options.output):
        for variant, config in student_configs(data, options.unlabeled, options.output).items():
            log(variant)
            whole = distill(config, resume=True)[-1]["accuracy"]
            students[variant] = {"whole reviews": whole} | evaluate(Path(config.run.output_dir) / "model", data)
        record = {"setting": info, "students": students}
        return write_results(options.output, "short_text", [table(students), machine_note(info)], record)


def main() -> None:
    """The command."""
    parser = benchmark_parser(
        "accuracy.short_text",
        __doc__,
        data="reviews with train and unsupervised splits",
        groups_file=True,
        output="runs/short_text",
    )
    add_count(parser, "--unlabeled", default=10_000, what="unlabeled reviews read")
    run_benchmark(parser, run, stopped="stopped; the same command goes on.")


if __name__ == "__main__":
    main()
