"""This project's training beside the tutorial's, on the same reviews, in one run on one machine.

    python -m benchmarks.speed.training --data SOURCE [--reviews 500] [--rounds 5] [--to-loss 0.45] [--output DIR]

Prints a Markdown page and writes it, with training.json, to the output directory: the speed of both, the share of it
that waits for data, what each part of the loop changes, and, where asked for, the time to a validation loss.
"""

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.harness.command import benchmark_parser, log, run_benchmark
from benchmarks.harness.machine import machine_info, machine_note
from benchmarks.harness.results import markdown_table, ratios, spread, write_results
from benchmarks.harness.timing import in_turns

if TYPE_CHECKING:  # torch takes seconds to import, and --help does not need it
    from benchmarks.speed.time_to_loss import Course
    from benchmarks.speed.training_job import Epoch

CONFIGS = (Path("configs/imdb.yaml"), Path("configs/sentiment_rnn.yaml"))
TUTORIAL, OURS = "the tutorial's loop", "this project, as configured"


def speed_table(epochs: Mapping[str, Sequence["Epoch"]]) -> str:
    """A row for each loop, compared round by round with the tutorial's and with this project's as configured."""
    speeds = {name: [one.tokens / one.seconds for one in rounds] for name, rounds in epochs.items()}
    rows = []
    for name, rounds in epochs.items():
        waits = spread(100 * one.waited / one.seconds for one in rounds)
        gain = ratios(speeds[name], speeds[TUTORIAL])
        # the tutorial's time is of other words: the first 200 of each review
        slower = "" if name == TUTORIAL else ratios(speeds[OURS], speeds[name])
        rows.append([name, spread(speeds[name]), waits, gain, slower])
    header = ["", "words read/s", "waits for data, %", "speed, × the tutorial's", "time, × as configured"]
    return markdown_table(header, rows)


def loss_table(courses: Mapping[str, Mapping[str, "Course"]], goal: float) -> str:
    """Time to the goal, by shape and variant."""
    rows = []
    for shape, by_variant in courses.items():
        for name, course in by_variant.items():
            taken = f"{course.seconds:.0f}" if course.reached else f"not in {course.seconds:.0f}"
            rows.append([f"{shape}, {name}", f"{taken} (loss {course.loss:.3f})"])
    return markdown_table([f"to a validation log loss of {goal}", "seconds of training"], rows)


def run(options: argparse.Namespace) -> str:
    """Measure everything; returns the page."""
    from benchmarks.speed.time_to_loss import our_course, tutorial_course
    from benchmarks.speed.training_job import read_jobs, train_tutorial
    from benchmarks.speed.training_variants import CHANGES, Variant, train_variant
    from sentiment.training.hardware import Hardware

    info = machine_info() | {"computes_on": str(Hardware.choose("auto", "auto")), "rounds": options.rounds}
    jobs = read_jobs(options.data, CONFIGS, options.reviews)
    info["reviews"] = len(jobs[0].train)
    blocks, measured = [], {}
    for job in jobs:
        calls = {TUTORIAL: partial(train_tutorial, job), OURS: partial(train_variant, job, Variant())}
        calls |= {name: partial(train_variant, job, variant) for name, variant in CHANGES.items()}
        measured[job.name] = in_turns(calls, options.rounds)
        blocks += [f"**{job.name}**", speed_table(measured[job.name])]
    courses: dict[str, dict[str, Course]] = {}
    if options.to_loss is not None:
        for job in read_jobs(options.data, CONFIGS, None):
            log(f"to a loss of {options.to_loss}: {job.name}")
            courses[job.name] = {
                TUTORIAL: tutorial_course(job, options.to_loss, options.at_most),
                OURS: our_course(job, options.to_loss, options.at_most),
            }
        blocks.append(loss_table(courses, options.to_loss))
    record = {"setting": info, "epochs": measured, "to_loss": options.to_loss, "courses": courses}
    return write_results(options.output, "training", [*blocks, notes(info, options.to_loss is not None)], record)


def notes(info: dict[str, Any], to_loss: bool) -> str:
    """What was measured, and how."""
    from benchmarks.speed.time_to_loss import PIECES
    from benchmarks.speed.training_job import HELD_OUT

    lines = [
        f"- Median of {info['rounds']} rounds (smallest–largest) in turns; a round is one epoch on the same "
        f"{info['reviews']:,} reviews of the training split, tokenized before.",
        "- The tutorial's loop: fp32, the first 200 words of each review padded on the left, batches of 50 in random "
        "order, nn.LSTM of two layers, Adam, gradient clipped; same vocabulary.",
        f"- This project: {info['computes_on']}; whole steps, the averaging of the weights included. Waiting for data "
        "is the ordering of the epoch and the making of each batch. Below it, one thing is changed at a time.",
    ]
    if to_loss:
        lines.append(
            f"- Time to a loss: one run each on the training part; {HELD_OUT:,} held-out reviews predicted {PIECES} "
            "times an epoch, which is not counted."
        )
    return "\n".join([*lines, machine_note(info)])


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = benchmark_parser(
        "speed.training",
        __doc__,
        data="reviews with a train split",
        reviews=500,
        rounds=5,
        output="reports/benchmark",
    )
    parser.add_argument("--to-loss", type=float, metavar="LOSS", help="also the time to this validation log loss")
    parser.add_argument("--at-most", type=float, default=120.0, metavar="S", help="seconds for that (default: 120)")
    run_benchmark(parser, run, arguments)


if __name__ == "__main__":
    main()
