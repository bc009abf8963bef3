"""How many requests a second `sentiment serve` answers, and after which time, with batching and without.

    python -m benchmarks.speed.service --data SOURCE [--model imdb] [--reviews 500] [--seconds 15] [--output DIR]

Each request has one review. `predict` gets the same reviews as a list in the same run. The load comes from wrk, on the
same cores. Prints a Markdown page and writes it, with service.json, to the output directory. Needs wrk (Debian: apt-get
install wrk) and the extra `serve`.
"""

import argparse
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psutil  # type: ignore[import-untyped]

from benchmarks.harness.command import add_count, benchmark_parser, run_benchmark
from benchmarks.harness.machine import cores, machine_info, machine_note
from benchmarks.harness.results import digits, markdown_table, write_results
from benchmarks.harness.reviews import draw_reviews
from benchmarks.harness.timing import timed
from sentiment.classifier import SentimentClassifier
from sentiment.errors import RunError

AS_THEY_ARE, EQUAL, WORDS = "as they are", "of 260 words", 260
LOADS = ((1, AS_THEY_ARE), (8, AS_THEY_ARE), (8, EQUAL), (64, AS_THEY_ARE), (256, AS_THEY_ARE))
"""Clients, and what the reviews of a measurement are."""
MODES = {"batches": [], "one by one": ["--max-batch", "1"]}
SHORT_TEXTS = ("I loved it.", "Dull and boring.", "Not bad at all.", "A wonderful film, but the ending isn't good.")
LUA = Path(__file__).with_suffix(".lua")


def run(options: argparse.Namespace) -> str:
    """Measure everything; returns the page."""
    if shutil.which("wrk") is None:
        raise RunError("needs wrk; Debian: apt-get install wrk")
    if options.soak:
        return soak(options)
    info = machine_info() | {"model": options.model, "seconds": options.seconds, "workers": options.workers}
    texts = draw_reviews(options.data, options.split, options.reviews)["text"]
    classifier = SentimentClassifier.from_pretrained(options.model)
    classifier.predict(texts[:50])
    rates = [len(texts) / timed(lambda: classifier.predict(texts))[0] for _ in range(3)]
    on_lists = sorted(rates)[1]
    found, rows = {}, []
    with tempfile.TemporaryDirectory() as temporary:
        words = " ".join(texts).split()
        equal = [" ".join(words[start : start + WORDS]) for start in range(0, len(words) - WORDS, WORDS)]
        files = {name: Path(temporary) / name for name in (AS_THEY_ARE, EQUAL)}
        for name, reviews in ((AS_THEY_ARE, texts), (EQUAL, equal)):
            files[name].write_text("".join(json.dumps({"inputs": text}) + "\n" for text in reviews))
        for mode, arguments in MODES.items():
            arguments = ["--model", options.model, "--workers", str(options.workers), *arguments]
            with service(arguments) as (address, process):
                for clients, kind in LOADS:
                    result = load(address, files[kind], clients, options.seconds)
                    memory = sum(part.memory_full_info().pss for part in family(process)) / 1e6
                    found[f"{mode}, {clients} clients, {kind}"] = result | {"memory_mb": memory}
                    rate = (result["requests"] - result["refused"]) / result["seconds"]
                    times = [digits(result[name]) for name in ("p50", "p95", "p99")]
                    failures = [f"{result[name]:,.0f}" for name in ("refused", "failed")]
                    share = "-" if kind == EQUAL else f"{rate / on_lists:.0%}"
                    rows.append((mode, str(clients), kind, digits(rate), share, *times, *failures, f"{memory:,.0f}"))
    header: tuple[str, ...] = ("", "clients", "reviews", "reviews/s", "of `predict`", "p50, ms", "p95, ms", "p99, ms")
    header += ("refused", "failed", "memory, MB")
    note = (
        f"- {options.model}, {len(texts)} reviews, {options.workers} process(es), {options.seconds} s for each row; "
        f"`predict` reads them as a list at {digits(on_lists)} reviews/s.\n{machine_note(info)}"
    )
    return write_results(
        options.output, "service", [markdown_table(header, rows), note], {"setting": info, "found": found}
    )


def soak(options: argparse.Namespace) -> str:
    """Send short texts until there were so many requests; the memory of all processes, and what was not answered."""
    info = machine_info()
    found, sent = [], 0.0
    with tempfile.TemporaryDirectory() as temporary, service(["--model", options.model]) as (address, process):
        bodies = Path(temporary) / "bodies"
        bodies.write_text("".join(json.dumps({"inputs": text}) + "\n" for text in SHORT_TEXTS))
        while sent < options.soak:
            result = load(address, bodies, 16, 30)
            sent += result["requests"]
            memory = sum(part.memory_full_info().pss for part in family(process)) / 1e6
            found.append((f"{sent:,.0f}", f"{memory:,.0f}", f"{result['refused']:.0f}", f"{result['failed']:.0f}"))
    table = markdown_table(("requests", "memory, MB", "refused", "failed"), found)
    return write_results(options.output, "service_soak", [table, machine_note(info)], {"setting": info, "found": found})


@contextmanager
def service(arguments: Sequence[str]) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A running service: its address and its process."""
    port = free_port()
    command = [sys.executable, "-m", "sentiment", "serve", "--port", str(port), "--max-queue", "100000", *arguments]
    process = subprocess.Popen(command)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                urlopen(f"{address}/ready").close()
                break
            except (URLError, ConnectionError):
                time.sleep(0.1)
        else:
            raise RunError("the service did not start within a minute.")
        yield address, process
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def load(address: str, bodies: Path, clients: int, seconds: int) -> dict[str, float]:
    """What wrk measures with so many clients; the times in milliseconds."""
    command = [
        "wrk",
        "-t1",
        f"-c{clients}",
        f"-d{seconds}s",
        "--timeout",
        "60s",
        "-s",
        str(LUA),
        address,
        "--",
        str(bodies),
    ]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found: dict[str, float] = json.loads(printed.partition("JSON ")[2])
    return found


def family(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """A process and its children."""
    parent = psutil.Process(process.pid)
    return [parent, *parent.children(recursive=True)]


def main() -> None:
    """Entry point."""
    parser = benchmark_parser(
        "speed.service", __doc__, data="reviews", split=True, reviews=500, output="reports/service"
    )
    parser.add_argument("--model", default="imdb", metavar="DIR", help="a model directory or name")
    add_count(parser, "--seconds", default=15, what="seconds of load in each row")
    add_count(parser, "--workers", default=cores(), what="processes of the service")
    parser.add_argument("--soak", type=int, default=0, metavar="N", help="instead, send N requests of short texts")
    run_benchmark(parser, run)


if __name__ == "__main__":
    main()
