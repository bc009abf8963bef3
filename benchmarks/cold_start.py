"""From the start of a process to its first answer: `python -m benchmarks.cold_start [--model DIR] [--runs 21]`.

Each command is started anew, in turn with the others, so that whatever else the machine does meets all of them alike.
The clock stops when the first line of output is there; the first start of each, which fills the disk's cache, does not
count.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks.machine import setting

TEXT = "I loved every minute of it."
TIMEOUT = 60.0
"""Seconds after which a process is taken for stuck."""


def commands(model: str | None, exported: Path) -> dict[str, list[str]]:
    """What is started; each prints one line."""
    predict = [sys.executable, "-m", "sentiment", "predict"]
    return {
        "Python alone": [sys.executable, "-c", "print()"],
        "`import sentiment`": [sys.executable, "-c", "import sentiment; print()"],
        "`sentiment predict` through torch": [*predict, *([] if model is None else ["--model", model]), TEXT],
        "`sentiment predict` through ONNX Runtime": [*predict, "--model", str(exported), TEXT],
    }


def first_line(command: Sequence[str]) -> float:
    """Seconds from the start of a process to its first line of output.

    Raises:
        RuntimeError: if it fails.
    """
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        seconds = time.perf_counter() - started
        _, complaint = process.communicate(timeout=TIMEOUT)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}: {complaint.strip()}")
    return seconds


def measure(model: str | None, runs: int) -> dict[str, list[float]]:
    """Seconds of each start, by the name of the command."""
    with tempfile.TemporaryDirectory() as scratch:
        exported = Path(scratch) / "exported"
        chosen = [] if model is None else ["--model", model]
        export = [sys.executable, "-m", "sentiment", "export", *chosen, "--output", str(exported)]
        subprocess.run(export, check=True, stdout=subprocess.DEVNULL)
        started = commands(model, exported)
        seconds: dict[str, list[float]] = {name: [] for name in started}
        for run in range(runs + 1):
            for name, command in started.items():
                taken = first_line(command)
                if run:
                    seconds[name].append(taken)
    return seconds


def table(seconds: dict[str, list[float]]) -> str:
    """Markdown: median, and the range of all starts."""
    rows = [
        f"| {name} | {statistics.median(taken):.2f} s | {min(taken):.2f}–{max(taken):.2f} s |"
        for name, taken in seconds.items()
    ]
    return "\n".join(["| started | median | range |", "| --- | --- | --- |", *rows])


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser("python -m benchmarks.cold_start", description="Measures cold starts.")
    parser.add_argument("--model", metavar="DIR", help="model directory; default: the shipped model")
    parser.add_argument("--runs", type=int, default=21, help="starts of each command that count (default: 21)")
    options = parser.parse_args()
    if options.runs < 1:
        parser.error("--runs must be at least 1")
    found = setting(1, options.runs)
    versions = ", ".join(f"{name} {found['versions'][name]}" for name in ("Python", "torch", "numpy"))
    print(f"{found['machine']}, {found['cores']} cores, load average {found['load_average']:.1f} before; {versions},")
    print(f"onnxruntime {version('onnxruntime')}; {options.runs} starts of each, in turn.\n")
    print(table(measure(options.model, options.runs)))


if __name__ == "__main__":
    main()
