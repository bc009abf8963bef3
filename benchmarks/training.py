"""This project's training against the tutorial way, on the same reviews, in one run on one machine.

    python -m benchmarks.training --data SOURCE [--reviews 500] [--rounds 5] [--to-loss 0.45] [--output DIR]

Prints a Markdown page and writes it, with training.json, to the output directory: training speed side by side, the
share of it that waits for data, what each part of the loop changes, and, where asked for, the time to a validation
loss.
"""

import argparse
import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks import tutorial_training
from benchmarks.machine import failing_in_one_sentence, say, setting
from benchmarks.results import spread
from benchmarks.training_ways import AS_CONFIGURED, CHANGES, FP32, Job, Pass, Way, new_trainer, quiet, train_once
from benchmarks.tutorial_training import TutorialRNN
from sentiment.batching import EncodedReviews
from sentiment.config import DataConfig, TrainConfig, load_config
from sentiment.data import Parts, read_parts
from sentiment.errors import InputError
from sentiment.files import write_json, write_text
from sentiment.hardware import Hardware
from sentiment.supervised import SentimentObjective
from sentiment.text import TextEncoder, Vocabulary, build_vocabulary

CONFIGS = (Path("configs/imdb.yaml"), Path("configs/sentiment_rnn.yaml"))
HELD_OUT = 1000
PIECES = 15
"""Validations per epoch on the way to a loss."""
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
"""Where both ways compute."""


@dataclass(frozen=True)
class Contest:
    """One shape of network, on the same reviews both ways."""

    name: str
    job: Job
    fixed: Tensor
    """The job's reviews as the tutorial reads them: [reviews, 200] int64."""
    fixed_validation: Tensor

    def network(self) -> TutorialRNN:
        """The tutorial's network in this shape."""
        torch.manual_seed(self.job.config.run.seed)
        model = self.job.config.model
        return TutorialRNN(self.job.vocab_size, model.embedding_dim, model.hidden_dim)


def contest(file: Path, parts: Parts, vocabulary: Vocabulary, reviews: int | None) -> Contest:
    """Reviews drawn from the training part, encoded for both ways; None for all of them."""
    config = load_config(TrainConfig, file)
    model, text = config.model, config.text
    encoder = TextEncoder(vocabulary, text.max_length, text.keep, text.direction)
    head = TextEncoder(vocabulary, tutorial_training.TIME, "head", "forward")

    def drawn(texts: list[str], labels: np.ndarray, count: int | None) -> tuple[EncodedReviews, Tensor]:
        rows = np.random.default_rng(0).permutation(len(texts))[:count]
        words = [texts[row].split() for row in rows]
        encoded = EncodedReviews(map(encoder.encode, words), labels[rows])
        return encoded, tutorial_training.fixed_length([head.encode(review) for review in words])

    train, fixed = drawn(parts.train, parts.train_labels, reviews)
    validation, fixed_validation = drawn(parts.validation, parts.validation_labels, HELD_OUT)
    name = f"{file.stem}: embedding {model.embedding_dim}, {model.num_layers} × {model.hidden_dim} units"
    return Contest(name, Job(config, len(vocabulary), train, validation), fixed, fixed_validation)


def tutorial_once(contest: Contest) -> Pass:
    """One epoch the tutorial way."""
    labels = torch.from_numpy(contest.job.train.labels)
    steps = list(tutorial_training.train(contest.network(), contest.fixed, labels, DEVICE))
    return Pass(
        seconds=sum(step.seconds for step in steps),
        waited=sum(step.waited for step in steps),
        reviews=len(labels),
        tokens=int(np.minimum(contest.job.train.lengths, tutorial_training.TIME).sum()),
        positions=contest.fixed.numel(),
    )


# ---- speed ----

TUTORIAL = "tutorial way"


def measure(contests: Sequence[Contest], rounds: int) -> dict[str, dict[str, list[Pass]]]:
    """Rounds that take turns over all ways; by shape and way. One more round before them warms up and is dropped."""
    found: dict[str, dict[str, list[Pass]]] = {contest.name: {} for contest in contests}
    for number in range(rounds + 1):
        for contest in contests:
            say(f"round {number} of {rounds}: {contest.name}" if number else f"warming up: {contest.name}")
            for name, once in _ways(contest).items():
                gc.collect()
                measured = once()
                if number:
                    found[contest.name].setdefault(name, []).append(measured)
    return found


def _ways(contest: Contest) -> dict[str, Callable[[], Pass]]:
    def ours(way: Way) -> Callable[[], Pass]:
        return lambda: train_once(contest.job, way)

    return {TUTORIAL: lambda: tutorial_once(contest)} | {way.name: ours(way) for way in (AS_CONFIGURED, *CHANGES)}


def speed_table(passes: dict[str, list[Pass]]) -> str:
    """The tutorial way against this project's, in one shape."""
    lines = [
        "| | reviews/s | words read/s | positions computed/s | waits for data, % |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name in (TUTORIAL, AS_CONFIGURED.name):
        rows = passes[name]
        cells = [
            spread(row.reviews / row.seconds for row in rows),
            spread(row.tokens / row.seconds for row in rows),
            spread(row.positions / row.seconds for row in rows),
            spread(100 * row.waited / row.seconds for row in rows),
        ]
        lines.append(f"| {'this project, ' if name != TUTORIAL else ''}{name} | {' | '.join(cells)} |")
    pairs = list(zip(passes[AS_CONFIGURED.name], passes[TUTORIAL], strict=True))
    words = spread(_speed(ours) / _speed(theirs) for ours, theirs in pairs)
    positions = spread(ours.positions / ours.seconds / (theirs.positions / theirs.seconds) for ours, theirs in pairs)
    lines.append(f"| times as fast, round by round | | {words} | {positions} | |")
    return "\n".join(lines)


def change_table(passes: dict[str, list[Pass]]) -> str:
    """Each way with one thing changed: its time for the same reviews, as a multiple of the loop's as configured."""
    lines = ["| one thing changed | words read/s | time, × as configured |", "| --- | --- | --- |"]
    base = passes[AS_CONFIGURED.name]
    for name, rows in passes.items():
        if name != TUTORIAL:
            times = [row.seconds / other.seconds for row, other in zip(rows, base, strict=True)]
            lines.append(f"| {name} | {spread(map(_speed, rows))} | {spread(times)} |")
    return "\n".join(lines)


def _speed(row: Pass) -> float:
    return row.tokens / row.seconds


# ---- time to a loss ----


@dataclass(frozen=True)
class Course:
    """How far one way came."""

    seconds: float
    """Of training, validation left out."""
    reviews: int
    """Trained on, repeats counted."""
    loss: float
    """Of the last validation."""
    reached: bool


class _Enough(Exception):  # noqa: N818  # not an error: the goal or the limit is reached
    pass


def in_pieces(pieces: int) -> type[SentimentObjective]:
    """An objective whose epochs are pieces of an epoch, so that validation comes often."""

    class InPieces(SentimentObjective):
        def start_epoch(self, epoch: int) -> Sequence[int]:
            tokens = np.array(super().start_epoch(epoch // pieces))
            chosen = np.array_split(np.arange(len(tokens)), pieces)[epoch % pieces]
            self._batches = [self._batches[batch] for batch in chosen]
            return [int(count) for count in tokens[chosen]]

    return InPieces


def our_course(contest: Contest, goal: float, at_most: float) -> Course:
    """This project's loop until the goal or the limit, by the configuration's own schedule."""
    courses: list[Course] = []
    with TemporaryDirectory() as directory, quiet():
        epochs = contest.job.config.optimisation.epochs * PIECES
        way = replace(AS_CONFIGURED, objective=in_pieces(PIECES))
        trainer = new_trainer(contest.job, way, Path(directory), epochs)
        plain_validate = trainer.objective.validate

        def validate(model: nn.Module) -> dict[str, float]:
            figures = plain_validate(model)
            progress = trainer.progress
            seconds = sum(row["seconds"] for row in progress.history) + progress.seconds
            share = (len(progress.history) + 1) / PIECES
            reached = figures["log_loss"] <= goal
            courses.append(Course(seconds, round(share * len(contest.job.train)), figures["log_loss"], reached))
            if reached or seconds > at_most:
                raise _Enough
            return figures

        trainer.objective.validate = validate  # type: ignore[method-assign]
        with suppress(_Enough):
            trainer.fit()
    return courses[-1]


def tutorial_course(contest: Contest, goal: float, at_most: float) -> Course:
    """The tutorial way until the goal or the limit, for the notebook's four epochs at most."""
    network = contest.network()
    labels, targets = torch.from_numpy(contest.job.train.labels), torch.from_numpy(contest.job.validation.labels)
    every = max(1, len(labels) // tutorial_training.BATCH // PIECES)
    seconds, reviews, loss = 0.0, 0, float("inf")
    for number, step in enumerate(_four_epochs(network, contest.fixed, labels), 1):
        seconds, reviews = seconds + step.seconds, reviews + step.reviews
        if number % every == 0:
            loss = tutorial_training.log_loss(network, contest.fixed_validation, targets, DEVICE)
            if loss <= goal or seconds > at_most:
                break
    return Course(seconds, reviews, loss, loss <= goal)


def _four_epochs(network: TutorialRNN, fixed: Tensor, labels: Tensor) -> Iterator[tutorial_training.TutorialStep]:
    for _ in range(4):
        yield from tutorial_training.train(network, fixed, labels, DEVICE)


def course_table(courses: dict[str, dict[str, Course]], goal: float) -> str:
    """Time to the goal, by shape and way."""
    lines = [
        f"| to a validation log loss of {goal} | seconds of training | reviews trained on |",
        "| --- | --- | --- |",
    ]
    for shape, ways in courses.items():
        for way, course in ways.items():
            time_taken = f"{course.seconds:.0f}" if course.reached else f"not in {course.seconds:.0f}"
            lines.append(f"| {shape}, {way} | {time_taken} (loss {course.loss:.3f}) | {course.reviews:,} |")
    return "\n".join(lines)


# ---- the command ----


def run(data: str, reviews: int, rounds: int, goal: float | None, at_most: float, output: Path) -> str:
    """Measure, write and return the page.

    Raises:
        InputError: for reviews that cannot be read.
        RunError: if a file cannot be written.
    """
    parts = read_parts(DataConfig(source=data))
    text = load_config(TrainConfig, CONFIGS[0]).text  # both configurations know as many words
    vocabulary = build_vocabulary(map(str.split, parts.train), text.vocab_size, text.min_frequency)
    contests = [contest(file, parts, vocabulary, reviews) for file in CONFIGS]
    about = setting(len(contests[0].job.train), rounds)
    about |= {"computes_on": str(Hardware.choose("auto", "auto")), "data": data}
    found = measure(contests, rounds)
    courses: dict[str, dict[str, Course]] = {}
    if goal is not None:
        for file in CONFIGS:
            whole = contest(file, parts, vocabulary, None)
            say(f"to a loss of {goal}: {whole.name}")
            courses[whole.name] = {
                TUTORIAL: tutorial_course(whole, goal, at_most),
                "this project": our_course(whole, goal, at_most),
            }
    page = _page(about, found, courses, goal)
    plain: dict[str, Any] = {
        "setting": about,
        "passes": {
            shape: {way: list(map(asdict, rows)) for way, rows in ways.items()} for shape, ways in found.items()
        },
        "goal": goal,
        "to_goal": {shape: {way: asdict(one) for way, one in ways.items()} for shape, ways in courses.items()},
    }
    write_json(output / "training.json", plain)
    write_text(output / "training.md", page)
    return page


def _page(
    about: dict[str, Any],
    found: dict[str, dict[str, list[Pass]]],
    courses: dict[str, dict[str, Course]],
    goal: float | None,
) -> str:
    blocks = []
    for shape, passes in found.items():
        blocks += [f"**{shape}**", speed_table(passes), change_table(passes)]
    if goal is not None:
        blocks.append(course_table(courses, goal))
    versions = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
    notes = [
        f"- Median of {about['rounds']} rounds (smallest–largest) that take turns over all ways; a round is one epoch "
        f"on the same {about['reviews']:,} reviews of the training split, tokenised before. A dropped round warms up.",
        f"- Tutorial way: fp32, the first {tutorial_training.TIME} words of each review padded on the left, batches of "
        f"{tutorial_training.BATCH} in random order, nn.LSTM of two layers, Adam, gradient clipped; same vocabulary.",
        f"- This project: {about['computes_on']}; whole steps, the averaging of the weights included. Waiting for data "
        "is the ordering of the epoch and the making of each batch.",
        f"- {FP32.name}, not fused, and so on: `Trainer` as configured but for that one thing. The sparse gradient is "
        "stepped by SparseAdam, whose moments rest for words that a batch lacks, and is not clipped.",
        f"- {about['machine']}; {about['cores']} cores; load average at the start {about['load_average']:.2f}. "
        f"{versions}.",
    ]
    if goal is not None:
        notes.append(
            f"- Time to a loss: one run each (seed 1) on the training part, {HELD_OUT:,} held-out reviews of the "
            f"training split judged {PIECES} times an epoch; the judging is not counted."
        )
    return "\n\n".join([*blocks, "\n".join(notes)]) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser("python -m benchmarks.training", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", required=True, metavar="SOURCE", help="reviews with a train split")
    parser.add_argument("--reviews", type=int, default=500, help="in a round, drawn at random (default: 500)")
    parser.add_argument("--rounds", type=int, default=5, help="medians are printed (default: 5)")
    parser.add_argument("--to-loss", type=float, metavar="LOSS", help="also the time to this validation log loss")
    parser.add_argument("--at-most", type=float, default=120.0, metavar="S", help="seconds for that (default: 120)")
    parser.add_argument("--output", type=Path, default=Path("reports/benchmark"), metavar="DIR", help="for both files")
    options = parser.parse_args(arguments)
    with failing_in_one_sentence("training"):
        if options.reviews < 1 or options.rounds < 1:
            raise InputError("--reviews and --rounds must be at least 1.")
        print(run(options.data, options.reviews, options.rounds, options.to_loss, options.at_most, options.output))


if __name__ == "__main__":
    main()
