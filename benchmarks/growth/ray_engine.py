"""What `--engine ray` costs on one machine, and what a second node brings.

    python -m benchmarks.growth.ray_engine --data SOURCE [--model DIR] [--words N] [--largest 100000] [--rounds 3]
        [--output DIR]

In each round every job is run by the plain command and by Ray, started on this machine, in random order. Then one node
of one CPU and two such nodes, simulated on this machine, do the same job. Prints a Markdown page and writes it, with
ray_engine.json, to the output directory.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import psutil  # type: ignore[import-untyped]

from benchmarks.harness.command import add_count, benchmark_parser, run_benchmark
from benchmarks.harness.machine import machine_info, machine_note
from benchmarks.harness.results import digits, markdown_table, spread, write_results
from benchmarks.harness.reviews import draw_reviews
from benchmarks.harness.timing import in_turns
from sentiment.errors import InputError, RunError

SIZES = (10_000, 100_000, 1_000_000)
FILES = 8
"""Files that the rows of a job are divided among."""
POOL = 10_000
"""Distinct reviews; larger jobs repeat them."""
EXAMPLE_REVIEWS, EXAMPLE_CORES = 10**9, 160
"""Of a larger job, whose time is extrapolated."""
POLL = 0.1
"""Seconds between two looks at a job."""


@dataclass(frozen=True)
class Job:
    """One run of the command."""

    seconds: float
    """Of the whole command, its start included."""
    first: float
    """Seconds until the first rows were on the disk."""
    memory: float
    """Peak megabytes of the process that was started (with Ray the driver), without its children."""


def write_input(data: str, rows: int, words: int, directory: Path) -> None:
    """Files of reviews, or of their first words, with a number each."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    found = [" ".join(text.split()[:words]) for text in draw_reviews(data, "train", POOL)["text"]]
    each = -(-rows // FILES)
    for file in range(FILES):
        numbers = range(file * each, min((file + 1) * each, rows))
        columns = {"id": list(numbers), "text": [found[number % len(found)] for number in numbers]}
        pq.write_table(pa.table(columns), directory / f"{file}.parquet", row_group_size=20_000)


def predict(source: Path, model: str, engine: Sequence[str]) -> Job:
    """Run the command as a person would.

    Raises:
        RunError: if it fails.
    """
    with TemporaryDirectory() as scratch:
        output = Path(scratch) / ("shards" if engine else "answers.parquet")
        shards = output if engine else output.with_name(f"{output.name}.partial")
        command = [sys.executable, "-m", "sentiment", "predict", "--model", model, "--device", "cpu"]
        command += ["--input", str(source), "--output", str(output), *engine]
        messages = Path(scratch) / "messages.txt"
        started, first, peak = time.monotonic(), None, 0.0
        environment = os.environ | {"HF_HUB_OFFLINE": "1"}
        with (
            messages.open("w") as said,
            subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said, env=environment) as process,
        ):
            while process.poll() is None:
                if first is None and (any(shards.glob("part-*")) or any(shards.glob("rows-*"))):
                    first = time.monotonic() - started
                peak = max(peak, _memory(process.pid))
                time.sleep(POLL)
        seconds = time.monotonic() - started
        if process.returncode:
            raise RunError(f"{' '.join(command)} failed: {messages.read_text()[-500:]}")
    return Job(seconds, seconds if first is None else first, peak)


def _memory(process_id: int) -> float:
    try:
        return float(psutil.Process(process_id).memory_full_info().uss) / 1e6
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0.0


@contextmanager
def nodes(count: int) -> Iterator[str]:
    """Context manager that simulates nodes of one CPU each; yields the address of the cluster."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        for _ in range(count - 1):
            cluster.add_node(num_cpus=1)
        yield cluster.address
    finally:
        cluster.shutdown()


def on_nodes(count: int, source: Path, model: str) -> Job:
    """Run the command on simulated nodes."""
    with nodes(count) as address:
        return predict(source, model, ["--engine", "ray", "--ray-address", address])


def run(options: argparse.Namespace) -> str:
    """Measure everything; returns the page."""
    sizes = [size for size in SIZES if size <= options.largest]
    if not sizes:
        raise InputError(f"--largest is {options.largest}; the smallest size is {min(SIZES):,}.")
    model = options.model or "imdb-small"
    info = machine_info()
    jobs: dict[str, list[Job]] = {}
    with TemporaryDirectory() as scratch:
        for size in sizes:
            source = Path(scratch) / str(size)
            source.mkdir()
            write_input(options.data, size, options.words, source)
            engines = {"plain": (), "ray": ("--engine", "ray")}
            calls = {f"{size:,}, {name}": partial(predict, source, model, engine) for name, engine in engines.items()}
            jobs |= in_turns(calls, options.rounds, warm_up=False)
        middle = sizes[min(1, len(sizes) - 1)]
        source = Path(scratch) / str(middle)
        calls = {f"{middle:,}, nodes: {count}": partial(on_nodes, count, source, model) for count in (1, 2)}
        jobs |= in_turns(calls, options.rounds, warm_up=False)
    note = (
        f"- {model}, the first {options.words:,} words of each review, in {FILES} parquet files; {options.rounds} "
        f"rounds, medians (smallest–largest).\n{machine_note(info)}"
    )
    return write_results(
        options.output, "ray_engine", [table(jobs), ratios(jobs, sizes, middle), note], {"setting": info, "jobs": jobs}
    )


def table(jobs: Mapping[str, Sequence[Job]]) -> str:
    """A row for each job."""
    rows = [
        [
            name,
            spread([job.seconds for job in found]),
            spread([job.first for job in found]),
            spread([job.memory for job in found]),
        ]
        for name, found in jobs.items()
    ]
    return markdown_table(["rows, engine", "command, s", "first rows after, s", "memory, MB"], rows)


def ratios(jobs: Mapping[str, Sequence[Job]], sizes: Sequence[int], middle: int) -> str:
    """Overhead of Ray at each size, and what the second node brings; each ratio within one round."""
    lines = []
    for size in sizes:
        more = _ratios(jobs[f"{size:,}, ray"], jobs[f"{size:,}, plain"])
        lines.append(f"- {size:,} rows: Ray takes {spread([100 * (ratio - 1) for ratio in more])}% more time.")
    per_second = {engine: _rate(jobs, sizes, engine) for engine in ("plain", "ray")}
    lines.append(
        f"- Without the start, reviews per second: {digits(per_second['plain'])} by the plain command, "
        f"{digits(per_second['ray'])} by Ray."
    )
    cores = os.cpu_count() or 1
    hours = EXAMPLE_REVIEWS / (per_second["ray"] / cores * EXAMPLE_CORES) / 3600
    lines.append(
        f"- Extrapolated: {digits(per_second['plain'] * 86400)} reviews a day by the plain command on this machine; "
        f"{EXAMPLE_REVIEWS:,} reviews in {digits(hours)} hours by Ray on {EXAMPLE_CORES} such cores."
    )
    faster = _ratios(jobs[f"{middle:,}, nodes: 1"], jobs[f"{middle:,}, nodes: 2"])
    lines.append(f"- Two nodes of one CPU are {spread(faster)} times as fast as one.")
    return "\n".join(lines)


def _rate(jobs: Mapping[str, Sequence[Job]], sizes: Sequence[int], engine: str) -> float:
    """Reviews per second between the two largest sizes, so that the start does not count."""
    seconds = [0.0, *(median(job.seconds for job in jobs[f"{size:,}, {engine}"]) for size in sizes)]
    return ([0, *sizes][-1] - [0, *sizes][-2]) / (seconds[-1] - seconds[-2])


def _ratios(over: Sequence[Job], under: Sequence[Job]) -> list[float]:
    return [one.seconds / other.seconds for one, other in zip(over, under, strict=True)]


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = benchmark_parser(
        "growth.ray_engine",
        __doc__,
        data="reviews with a train split",
        model=True,
        rounds=3,
        output="reports/benchmark",
    )
    add_count(parser, "--words", default=10_000, what="words of each review, from its beginning")
    add_count(parser, "--largest", default=100_000, what="rows of the largest job")
    run_benchmark(parser, run, arguments)


if __name__ == "__main__":
    main()
