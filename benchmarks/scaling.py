"""Cost as work grows: training on more and more reviews, predicting more and more, each size in a process of its own.

    python -m benchmarks.scaling --data SOURCE [--model DIR] [--largest 100000] [--output DIR]

Prints a Markdown page and writes it, with scaling.json and scaling.png, to the output directory. What is run is
`sentiment train` and `sentiment predict`, as a person calls them. Time is to be linear in the reviews, memory flat:
the exponents of both are fitted and printed.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any

import numpy as np
import psutil  # type: ignore[import-untyped]
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.machine import failing_in_one_sentence, say, setting
from benchmarks.results import digits, spread
from benchmarks.scaling_plot import draw
from sentiment.config import DataConfig
from sentiment.data import load_reviews
from sentiment.errors import InputError, RunError
from sentiment.files import write_json, write_text
from sentiment.model_directory import locate_model

ROOT = Path(__file__).parent.parent
CONFIG = ROOT / "configs" / "imdb.yaml"
TRAINING = (1_000, 5_000, 25_000)
PREDICTION = (1_000, 10_000, 100_000, 1_000_000)
LARGEST = 100_000
POOL = 1_000
"""Distinct reviews that are predicted; larger files repeat them, so every size has the same mixture of lengths."""
BRIEF = 20.0
"""Seconds of a command below which it is run three times."""
POLL = 0.2
"""Seconds between two looks at a command's memory."""


@dataclass(frozen=True)
class Point:
    """One size of one job."""

    job: str
    reviews: int
    seconds: list[float]
    """Of the work itself, as the command says them: the epoch's steps, or the file read, predicted and written."""
    whole: list[float]
    """Seconds of the command, its start and all else included."""
    memory: list[float]
    """Peak megabytes of all the command's processes; what several share is counted once."""


def points(data: str, model: Path | None, training: Sequence[int], prediction: Sequence[int]) -> Iterator[Point]:
    """Measure every size.

    Raises:
        InputError: for reviews that cannot be read, or too few of them.
        RunError: if a command fails.
    """
    reviews = load_reviews(DataConfig(source=data), "train")
    rows = np.random.default_rng(0).permutation(len(reviews))
    if training and max(training) > len(rows):
        raise InputError(f"{data}: {len(rows)} reviews, where {max(training)} are to be trained on.")
    drawn = reviews.select(rows[: max([POOL, *training])])
    texts, labels = list(drawn["text"]), list(drawn["label"])
    with TemporaryDirectory(prefix="scaling-") as place:
        directory = Path(place)
        train, reviews_file = directory / "train.parquet", directory / "reviews.parquet"
        for size in training:
            pq.write_table(pa.table({"text": texts[:size], "label": labels[:size]}), train)
            yield _repeated("training, one epoch", size, lambda: _train(train, directory))
        for size in prediction:
            _write_repeated(texts[:POOL], size, reviews_file)
            yield _repeated("prediction", size, lambda: _predict(reviews_file, directory, model))


def _write_repeated(texts: Sequence[str], size: int, file: Path) -> None:
    block = pa.table({"text": [*texts] * 10})
    with pq.ParquetWriter(file, block.schema) as writer:
        for start in range(0, size, len(block)):
            writer.write_table(block.slice(0, size - start))


Measured = tuple[float, float, float]
"""Seconds of the work, seconds of the command, peak megabytes."""


def _repeated(job: str, size: int, once: Callable[[], Measured]) -> Point:
    say(f"{job}: {size:,} reviews")
    found = [once()]
    while found[0][1] < BRIEF and len(found) < 3:
        found.append(once())
    seconds, whole, memory = (list(column) for column in zip(*found, strict=True))
    return Point(job, size, seconds, whole, memory)


def _train(file: Path, directory: Path) -> Measured:
    with TemporaryDirectory(dir=directory) as place:
        run = Path(place) / "run"
        overrides = [f"--data.source={file}", f"--run.output_dir={run}", "--optimisation.epochs=1"]
        _, whole, memory = watched(["train", str(CONFIG), *overrides], Path(place))
        history = [json.loads(line) for line in (run / "history.jsonl").read_text("utf-8").splitlines()]
    return float(history[0]["seconds"]), whole, memory


def _predict(file: Path, directory: Path, model: Path | None) -> Measured:
    with TemporaryDirectory(dir=directory) as place:
        chosen = [] if model is None else ["--model", str(model.resolve())]
        files = ["--input", str(file), "--output", str(Path(place) / "answers.parquet")]
        printed, whole, memory = watched(["predict", *chosen, *files], Path(place))
    found = re.search(r": (\d+) reviews.* in ([\d.]+) s$", printed.strip())
    if found is None:
        raise RunError(f"sentiment predict printed no time: {printed.strip()!r}.")
    return float(found[2]), whole, memory


def watched(arguments: Sequence[str], directory: Path) -> tuple[str, float, float]:
    """Run a command of this project; its standard output, its seconds, and the peak of its memory in megabytes.

    Args:
        arguments: of `sentiment`.
        directory: where it caches what it has read, so that nothing of an earlier command helps it.

    Raises:
        RunError: if it fails, with the last thing it said.
    """
    environment = os.environ | {"HF_DATASETS_CACHE": str(directory / "cache"), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-m", "sentiment", *arguments]
    with TemporaryFile("w+") as out, TemporaryFile("w+") as messages:
        started, peak = time.monotonic(), 0.0
        with subprocess.Popen(command, stdout=out, stderr=messages, cwd=ROOT, env=environment, text=True) as process:
            try:
                watched_process = psutil.Process(process.pid)
                while True:
                    peak = max(peak, memory_of(watched_process))
                    with suppress(subprocess.TimeoutExpired):
                        process.wait(POLL)
                        break
            except BaseException:
                process.kill()
                raise
        seconds = time.monotonic() - started
        out.seek(0)
        messages.seek(0)
        said = [line.strip() for line in messages.read().split("\n") if line.strip()]
        if process.returncode:
            raise RunError(f"sentiment {arguments[0]} failed: {said[-1] if said else 'it said nothing'}")
        return out.read(), seconds, peak


def memory_of(process: psutil.Process) -> float:
    """Megabytes of a process and its children; a page that n of them share counts as an n-th in each (PSS)."""
    total = 0.0
    with suppress(psutil.NoSuchProcess):
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                found = one.memory_full_info()
                total += getattr(found, "pss", found.rss) / 1e6
    return total


def exponent(sizes: Sequence[float], values: Sequence[float]) -> float | None:
    """Slope b of the least-squares line through log value over log size: value ∝ size^b; None for a single size."""
    if len(sizes) < 2:
        return None
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def exponents(found: Sequence[Point]) -> dict[str, dict[str, float | None]]:
    """Of time and memory, by job."""
    jobs = list(dict.fromkeys(point.job for point in found))
    fitted = {}
    for job in jobs:
        own = [point for point in found if point.job == job]
        sizes = [point.reviews for point in own]
        fitted[job] = {
            "time": exponent(sizes, [median(point.seconds) for point in own]),
            "memory": exponent(sizes, [median(point.memory) for point in own]),
        }
    return fitted


def page(found: Sequence[Point], about: dict[str, Any]) -> str:
    """The measurements as a Markdown table, and the exponents."""
    lines = [
        "| job | reviews | seconds | reviews/s | whole command, s | peak memory, MB |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for point in found:
        rate = digits(point.reviews / median(point.seconds))
        cells = [
            point.job,
            f"{point.reviews:,}",
            spread(point.seconds),
            rate,
            spread(point.whole),
            spread(point.memory),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    notes = [
        f"- {job}: time ∝ reviews^{_said(fit['time'])}, peak memory ∝ reviews^{_said(fit['memory'])} "
        "(1 is linear, 0 is flat)."
        for job, fit in exponents(found).items()
    ]
    notes += [
        f"- Each size in a process of its own; below {BRIEF:.0f} s three times, median (smallest–largest). Seconds: "
        "the epoch's steps, or the file read, predicted and written; the command's start is in the column after.",
        f"- Trained on the first n of a random order of the training split; predicted: {POOL:,} of its reviews, "
        "repeated. Memory: all processes of the command, what they share counted once, looked at every "
        f"{1000 * POLL:.0f} ms.",
        f"- {about['machine']}; {about['cores']} cores; load average at the start {about['load_average']:.2f}. "
        f"{', '.join(f'{name} {number}' for name, number in about['versions'].items())}.",
    ]
    return "\n".join(lines) + "\n\n" + "\n".join(notes) + "\n"


def _said(fit: float | None) -> str:
    return "–" if fit is None else f"{fit:.2f}"


def run(data: str, model: Path | None, training: Sequence[int], prediction: Sequence[int], output: Path) -> str:
    """Measure, write and return the page."""
    about = setting(max([*training, *prediction]), 1)
    model = None if model is None else locate_model(model)  # a shipped name, too
    found = list(points(data, model, training, prediction))
    fitted = exponents(found)
    write_json(output / "scaling.json", {"setting": about, "points": list(map(asdict, found)), "exponents": fitted})
    text = page(found, about)
    write_text(output / "scaling.md", text)
    draw(found, fitted, output / "scaling.png")
    return text


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser("python -m benchmarks.scaling", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", required=True, metavar="SOURCE", help="reviews with a train split")
    parser.add_argument("--model", type=Path, metavar="DIR", help="that predicts; default: the shipped model")
    parser.add_argument("--largest", type=int, default=LARGEST, metavar="N", help=f"most reviews (default: {LARGEST})")
    parser.add_argument("--output", type=Path, default=Path("reports/benchmark"), metavar="DIR", help="for all files")
    options = parser.parse_args(arguments)
    training, prediction = ([size for size in sizes if size <= options.largest] for sizes in (TRAINING, PREDICTION))
    with failing_in_one_sentence("scaling"):
        if not prediction:
            raise InputError(f"--largest is {options.largest}; the smallest size is {min(PREDICTION)}.")
        print(run(options.data, options.model, training, prediction, options.output))


if __name__ == "__main__":
    main()
