"""From the start of a process to its first answer: `python -m benchmarks.speed.cold_start [--model DIR] [--runs 21]`.

Each command is started anew, in turns with the others. The clock stops when the first line of output is there; the
first start of each, which fills the disk's cache, does not count.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.harness.command import add_count, benchmark_parser, run_benchmark
from benchmarks.harness.machine import machine_info, machine_note
from benchmarks.harness.results import markdown_table
from benchmarks.harness.timing import in_turns
from sentiment.errors import RunError

TEXT = "I loved every minute of it."
TIMEOUT = 60.0
"""Seconds after which a process counts as stuck."""


def first_line(command: Sequence[str], variables: Mapping[str, str] | None = None) -> float:
    """Seconds from the start of a process to its first line of output; a RunError if it fails."""
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=variables) as process:
        assert process.stdout is not None
        process.stdout.readline()
        seconds = time.perf_counter() - started
        _, message = process.communicate(timeout=TIMEOUT)
    if process.returncode:
        raise RunError(f"{' '.join(command)}: {message.strip()}")
    return seconds


def table(seconds: Mapping[str, Sequence[float]]) -> str:
    """Median, and the range of all starts."""
    return markdown_table(
        ["started", "median", "range"],
        [[name, f"{median(all_):.2f} s", f"{min(all_):.2f}–{max(all_):.2f} s"] for name, all_ in seconds.items()],
    )


def run(options: argparse.Namespace) -> str:
    """Start every command `options.runs` times; returns the page."""
    info = machine_info()
    model = [] if options.model is None else ["--model", options.model]
    sentiment = [sys.executable, "-m", "sentiment"]
    predict = [*sentiment, "predict", *model, TEXT]
    with TemporaryDirectory() as cache:
        settings = os.environ | {"XDG_CACHE_HOME": cache}
        nowhere = os.environ | {"XDG_CACHE_HOME": os.devnull}
        commands = {
            "Python alone": partial(first_line, [sys.executable, "-c", "print()"]),
            "`import sentiment`": partial(first_line, [sys.executable, "-c", "import sentiment; print()"]),
            "`sentiment predict`, the first time": partial(first_line, predict, nowhere),
            "`sentiment predict`, later": partial(first_line, predict, settings),
        }
        first_line(predict, settings)
        seconds = in_turns(commands, options.runs)
    return f"{table(seconds)}\n\n- {options.runs} starts of each, in turns.\n{machine_note(info)}"


def main() -> None:
    """The command."""
    parser = benchmark_parser("speed.cold_start", __doc__, model=True)
    add_count(parser, "--runs", default=21, what="starts of each command that count")
    run_benchmark(parser, run)


if __name__ == "__main__":
    main()
