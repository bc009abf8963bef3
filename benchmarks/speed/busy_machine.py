"""How long one review takes on an idle machine, and while other processes use all its cores.

    python -m benchmarks.speed.busy_machine [--model DIR] [--rounds 5] [--output DIR]

In each round every call is made on the idle machine and beside one busy process per core, as the package computes it
and by torch with a team of threads for one review, as torch would choose. Prints a Markdown page and writes it, with
busy_machine.json, to the output directory.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from statistics import median
from typing import Any
from unittest.mock import patch

from benchmarks.harness.command import benchmark_parser, run_benchmark
from benchmarks.harness.machine import machine_info, machine_note
from benchmarks.harness.results import markdown_table, spread, write_results
from benchmarks.harness.timing import in_turns, timed

BUSY_LOOP = "while True: sum(range(100_000))"
SHORT = "A wonderful, moving film"
SENTENCE = "The film takes its time, but the leads are so good that you forgive it the slow start. "
WORDS = {5: SHORT, 260: SENTENCE * 13}
CALLS = 20
"""Calls per measurement, of which the median counts."""


def run(options: argparse.Namespace) -> str:
    """Measure everything; returns the page."""
    from sentiment.classifier import SentimentClassifier

    info = machine_info()
    classifier = SentimentClassifier.from_pretrained(options.model)
    calls: dict[str, Callable[[], object]] = {
        f"predict, {words} words": partial(classifier.predict, text) for words, text in WORDS.items()
    }
    calls["explain, 260 words"] = partial(classifier.explain, WORDS[260])
    measurements = {}
    for name, call in calls.items():
        for state, machine in (("idle", nullcontext), ("busy", busy_machine)):
            measurements[name, state, "this package"] = partial(p50, machine, call)
            measurements[name, state, "a team"] = partial(p50, machine, call, team=True)
    seconds = in_turns({", ".join(key): call for key, call in measurements.items()}, options.rounds)
    info |= {"model": options.model or "imdb", "rounds": options.rounds}
    rounds = f"{options.rounds} rounds of {CALLS} calls, or of 3 that take over 50 ms; medians (smallest–largest)"
    note = f"- {info['model']}; {rounds}.\n{machine_note(info)}"
    return write_results(options.output, "busy_machine", [table(seconds), note], {"setting": info, "seconds": seconds})


def p50(machine: Callable[[], Any], call: Callable[[], object], team: bool = False) -> float:
    """Median seconds of a call; with `team`, torch's own number of threads computes each review."""
    with machine(), team_of_threads() if team else nullcontext():
        call()
        slow = timed(call)[0] > 0.05
        return median(timed(call)[0] for _ in range(3 if slow else CALLS))


@contextmanager
def busy_machine() -> Iterator[None]:
    """Context manager in which one other process per core computes."""
    command = [sys.executable, "-c", BUSY_LOOP]
    others = [subprocess.Popen(command) for _ in range(os.cpu_count() or 1)]
    time.sleep(0.5)  # until they have started
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


@contextmanager
def team_of_threads() -> Iterator[None]:
    """Context manager in which torch computes, with its own number of threads, as before version 0.2."""
    import torch

    from sentiment.classifier import SentimentClassifier

    with (
        patch.object(torch, "set_num_threads", lambda count: None),
        patch.object(SentimentClassifier, "_onnx_network", lambda self: None),
    ):
        yield


def table(seconds: dict[str, list[float]]) -> str:
    """A row per call, in milliseconds."""
    rows = []
    for name in dict.fromkeys(key.rsplit(", ", 2)[0] for key in seconds):
        columns = [
            f"{name}, {state}, {threads}" for threads in ("this package", "a team") for state in ("idle", "busy")
        ]
        ratios = [busy / idle for idle, busy in zip(seconds[columns[0]], seconds[columns[1]], strict=True)]
        rows.append([name, *(spread(1000 * value for value in seconds[column]) for column in columns), spread(ratios)])
    header = [
        "ms",
        "idle",
        "busy",
        "idle, a team of threads",
        "busy, a team of threads",
        "busy / idle",
    ]
    return markdown_table(header, rows)


def main() -> None:
    """Entry point."""
    parser = benchmark_parser("speed.busy_machine", __doc__, model=True, rounds=5, output="reports/busy_machine")
    run_benchmark(parser, run)


if __name__ == "__main__":
    main()
