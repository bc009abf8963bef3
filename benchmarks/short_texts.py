"""What teaches a student to read short texts: pieces of reviews, the sentences of a grammar, both or neither.

    python -m benchmarks.short_texts --data SOURCE [--groups-file FILE] [--unlabelled 10000] [--output DIR]

Trains five students of the shipped model in small, alike but for the short texts that they read beside the reviews and
for how many of these make a batch, and puts whole reviews, sentences cut from validation reviews and the behaviour
tests to each. Prints a Markdown table and writes it to the output directory. What is finished stays: stop it any time,
the same command goes on.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import failing_in_one_sentence, say
from sentiment import behaviour, short_texts
from sentiment.classifier import SHIPPED_MODEL, SentimentClassifier
from sentiment.config import DataConfig, DistilConfig, load_config
from sentiment.distillation import distil
from sentiment.errors import InputError
from sentiment.files import locked, write_text

RECIPE = Path(__file__).parents[1] / "configs" / "distil_small.yaml"
IN_SMALL = ["--adversarial.weight=0", "--optimisation.epochs=1"]
VARIANTS = {
    "whole reviews alone": "--crops=0 --short_reviews=0",
    "and pieces of reviews": "--crops=10000 --short_reviews=0",
    "and sentences of the grammar": "--crops=0 --short_reviews=40000",
    "and both": "--crops=10000 --short_reviews=40000",
    "both, in batches of any number": "--crops=10000 --short_reviews=40000 --batch_reviews=0",
}
"""What a student reads, and the overrides that make it so; the recipe's batches hold 64 reviews at most."""


@dataclass(frozen=True)
class Student:
    """What one student came to; all figures are shares, 0 to 1."""

    reads: str
    whole: float
    """Accuracy on validation reviews, whole."""
    sentence: float
    """On one sentence of each."""
    last_sentence: float
    """On the last sentence of each."""
    failures: float
    """Mean failure rate of the behaviour tests whose label is known, each test counting the same."""


def settings(variant: str, data: DataConfig, unlabelled: int, output: Path) -> DistilConfig:
    """Of one student."""
    place = output / variant.replace(" ", "_")
    groups = [] if data.groups_file is None else [f"--data.groups_file={data.groups_file}"]
    return load_config(
        DistilConfig,
        RECIPE,
        [
            *IN_SMALL,
            *VARIANTS[variant].split(),
            f"--data.source={data.source}",
            *groups,
            f"--unlabelled_reviews={unlabelled}",
            f"--pretrained={SHIPPED_MODEL}",
            f"--teachers=[{SHIPPED_MODEL}]",
            f"--run.output_dir={place}",
        ],
    )


def judge(reads: str, whole: float, model: Path, data: DataConfig) -> Student:
    """Put short texts to a student, whose accuracy on whole reviews is known.

    Raises:
        InputError: if the reviews or the model cannot be read.
    """
    classifier = SentimentClassifier.from_pretrained(model)
    accuracy = {row.piece: row.accuracy for row in short_texts.measure(classifier, data) if row.reader == "model"}
    cases = [case for case in behaviour.cases() if case.expected in ("positive", "negative")]
    texts = behaviour.texts(cases)
    said = dict(zip(texts, classifier.predict_proba(texts)[:, 1].tolist(), strict=True))
    tests = behaviour.outcomes(cases, said)
    failures = sum(test.failures / test.n for test in tests) / len(tests)
    return Student(reads, whole, accuracy["one sentence, any"], accuracy["last sentence"], failures)


def table(students: Sequence[Student]) -> str:
    """Markdown."""
    names = (
        "| the student reads | as settings | whole reviews | one sentence | last sentence | behaviour tests failed |"
    )
    lines = [names, "|" + " --- |" * 6]
    for one in students:
        shares = " | ".join(f"{share:.1%}" for share in (one.whole, one.sentence, one.last_sentence, one.failures))
        lines.append(f"| {one.reads} | `{VARIANTS[one.reads]}` | {shares} |")
    return "\n".join(lines)


def run(data: DataConfig, unlabelled: int, output: Path) -> str:
    """Train and judge all; returns the table.

    Raises:
        InputError: for reviews or an output directory that cannot be used.
        RunError: if the work fails on the way.
        Stopped: after SIGINT or SIGTERM, with the state saved.
    """
    students = []
    for reads in VARIANTS:
        say(reads)
        config = settings(reads, data, unlabelled, output)
        history = distil(config, resume=True)
        students.append(judge(reads, history[-1]["accuracy"], Path(config.run.output_dir) / "model", data))
    page = table(students)
    write_text(output / "short_texts.md", page + "\n")
    return page


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser("python -m benchmarks.short_texts", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", required=True, metavar="SOURCE", help="reviews with train and unsupervised splits")
    parser.add_argument("--groups-file", metavar="FILE", help="the film of each training row, one a line")
    parser.add_argument("--unlabelled", type=int, default=10_000, help="unlabelled reviews read (default: 10000)")
    parser.add_argument("--output", type=Path, default=Path("runs/short_texts"), metavar="DIR", help="for all files")
    options = parser.parse_args()
    with failing_in_one_sentence("short_texts", "stopped; the same command goes on."):
        if options.unlabelled < 1:
            raise InputError("--unlabelled must be at least 1.")
        data = DataConfig(options.data, groups_file=options.groups_file)
        with locked(options.output):
            print(run(data, options.unlabelled, options.output))


if __name__ == "__main__":
    main()
