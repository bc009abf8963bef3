"""Cost as work grows: training on more and more reviews, predicting more and more, each size in a process of its own.

    python -m benchmarks.growth.scaling --data SOURCE [--model DIR] [--largest 100000] [--output DIR]

Prints a Markdown page and writes it, with scaling.json and scaling.png, to the output directory. What is run is
`sentiment train` and `sentiment predict`, as a person calls them. Time is to be linear in the reviews, memory flat:
the exponents of both are fitted and printed.
"""

import argparse
import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.growth import watched_command
from benchmarks.growth.results import Point, exponents, table
from benchmarks.harness.command import add_count, benchmark_parser, log, run_benchmark
from benchmarks.harness.machine import machine_info, machine_note
from benchmarks.harness.results import write_results
from sentiment.errors import InputError, RunError

CONFIG = Path(__file__).parents[2] / "configs" / "imdb.yaml"
TRAINING = (1_000, 5_000, 25_000)
PREDICTION = (1_000, 10_000, 100_000, 1_000_000)
POOL = 1_000
"""Distinct reviews that are predicted; larger files repeat them, so every size has the same mixture of lengths."""
BRIEF = 20.0
"""Seconds of a command below which it is run three times."""

Measured = tuple[float, float, float]
"""Seconds of the work, seconds of the command, peak megabytes."""


def measure(data: str, model: str | None, training: Sequence[int], prediction: Sequence[int]) -> Iterator[Point]:
    """Every size of both jobs."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from benchmarks.harness.reviews import draw_reviews

    drawn = draw_reviews(data, "train", max([POOL, *training]))
    texts, labels = list(drawn["text"]), list(drawn["label"])
    if training and max(training) > len(texts):
        raise InputError(f"{data}: {len(texts)} reviews, where {max(training)} are to be trained on.")
    with TemporaryDirectory(prefix="scaling-") as scratch:
        reviews_file = Path(scratch) / "reviews.parquet"
        for size in training:
            pq.write_table(pa.table({"text": texts[:size], "label": labels[:size]}), reviews_file)
            yield repeated("training, one epoch", size, lambda: train(reviews_file))
        for size in prediction:
            write_repeated(texts[:POOL], size, reviews_file)
            yield repeated("prediction", size, lambda: predict(reviews_file, model))


def write_repeated(texts: Sequence[str], size: int, file: Path) -> None:
    """A parquet file of `size` reviews, which are `texts` over and over."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    block = pa.table({"text": [*texts] * 10})
    with pq.ParquetWriter(file, block.schema) as writer:
        for start in range(0, size, len(block)):
            writer.write_table(block.slice(0, size - start))


def repeated(job: str, size: int, once: Callable[[], Measured]) -> Point:
    """One size, three times where it is brief."""
    log(f"{job}: {size:,} reviews")
    found = [once()]
    while found[0][1] < BRIEF and len(found) < 3:
        found.append(once())
    return Point(job, size, *map(list, zip(*found, strict=True)))


def train(file: Path) -> Measured:
    """One epoch through `sentiment train`."""
    with TemporaryDirectory() as scratch:
        run = Path(scratch) / "run"
        overrides = [f"--data.source={file}", f"--run.output_dir={run}", "--optimization.epochs=1"]
        command = watched_command.watch(["train", str(CONFIG), *overrides], Path(scratch) / "cache")
        history = json.loads((run / "history.jsonl").read_text("utf-8").splitlines()[0])
    return float(history["seconds"]), command.seconds, command.memory


def predict(file: Path, model: str | None) -> Measured:
    """A file through `sentiment predict`."""
    with TemporaryDirectory() as scratch:
        chosen = [] if model is None else ["--model", model]
        files = ["--input", str(file), "--output", str(Path(scratch) / "answers.parquet")]
        command = watched_command.watch(["predict", *chosen, *files], Path(scratch) / "cache")
    found = re.search(r": (\d+) reviews.* in ([\d.]+) s$", command.output.strip())
    if found is None:
        raise RunError(f"sentiment predict printed no time: {command.output.strip()!r}.")
    return float(found[2]), command.seconds, command.memory


def run(options: argparse.Namespace) -> str:
    """Measure all sizes up to the largest; returns the page."""
    training, prediction = ([size for size in sizes if size <= options.largest] for sizes in (TRAINING, PREDICTION))
    if not prediction:
        raise InputError(f"--largest is {options.largest}; the smallest size is {min(PREDICTION)}.")
    from benchmarks.growth.plot import draw
    from sentiment.persistence.model_directory import locate_model

    info = machine_info()
    model = None if options.model is None else str(locate_model(options.model).resolve())
    points = list(measure(options.data, model, training, prediction))
    fitted = exponents(points)
    draw(points, fitted, options.output / "scaling.png")
    record = {"setting": info, "points": points, "exponents": fitted}
    notes = [
        f"- {job}: time ∝ reviews^{_text(fit['time'])}, peak memory ∝ reviews^{_text(fit['memory'])} "
        "(1 is linear, 0 is flat)."
        for job, fit in fitted.items()
    ]
    notes += [
        f"- Each size in a process of its own; below {BRIEF:.0f} s three times, median (smallest–largest). Seconds: "
        "the epoch's steps, or the file read, predicted and written; the command's start is in the column after.",
        f"- Trained on the first n of a random order of the training split; predicted: {POOL:,} of its reviews, "
        "repeated. Memory: all processes of the command, what they share counted once.",
        machine_note(info),
    ]
    return write_results(options.output, "scaling", [table(points), "\n".join(notes)], record)


def _text(fit: float | None) -> str:
    return "–" if fit is None else f"{fit:.2f}"


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = benchmark_parser(
        "growth.scaling", __doc__, data="reviews with a train split", model=True, output="reports/benchmark"
    )
    add_count(parser, "--largest", default=100_000, what="most reviews")
    run_benchmark(parser, run, arguments)


if __name__ == "__main__":
    main()
