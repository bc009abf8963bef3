"""`sentiment serve` beside the same service with LitServe and with Ray Serve.

    python -m benchmarks.speed.other_services --data SOURCE [--model imdb-small] [--reviews 500] [--seconds 10]

Each request has one review; the services take turns. Prints a Markdown page and writes it, with other_services.json, to
the output directory. Needs wrk, and `pip install -c constraints.txt litserve 'ray[serve]'`.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

from benchmarks.harness.command import add_count, benchmark_parser, run_benchmark
from benchmarks.harness.machine import cores, machine_info, machine_note
from benchmarks.harness.results import markdown_table, spread, write_results
from benchmarks.harness.reviews import draw_reviews
from benchmarks.speed.service import family, free_port, load, service
from sentiment.errors import RunError

CLIENTS = (8, 64)
OTHERS = {"LitServe": "litserve_service", "Ray Serve": "ray_service"}


def run(options: argparse.Namespace) -> str:
    """Measure everything; returns the page."""
    info = machine_info() | {"model": options.model, "seconds": options.seconds, "rounds": options.rounds}
    texts = draw_reviews(options.data, options.split, options.reviews)["text"]
    found: dict[tuple[str, int], list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        bodies = Path(temporary) / "bodies"
        bodies.write_text("".join(json.dumps({"inputs": text}) + "\n" for text in texts))
        for _ in range(options.rounds):
            for name in ("sentiment serve", *OTHERS):
                arguments = ["--model", options.model, "--workers", str(cores())]
                with other(OTHERS[name], options.model) if name in OTHERS else service(arguments) as (address, _):
                    for clients in CLIENTS:
                        found.setdefault((name, clients), []).append(load(address, bodies, clients, options.seconds))
    rows = [
        (
            name,
            str(clients),
            spread((result["requests"] - result["refused"]) / result["seconds"] for result in results),
            spread(result["p50"] for result in results),
            spread(result["p99"] for result in results),
        )
        for (name, clients), results in found.items()
    ]
    table = markdown_table(("", "clients", "reviews/s", "p50, ms", "p99, ms"), rows)
    rounds = f"{options.rounds} rounds of {options.seconds} s, medians (smallest–largest)"
    note = f"- {options.model}, {len(texts)} reviews, {cores()} processes; {rounds}.\n{machine_note(info)}"
    record = {"setting": info, "found": {f"{name}, {clients}": results for (name, clients), results in found.items()}}
    return write_results(options.output, "other_services", [table, note], record)


@contextmanager
def other(module: str, model: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A running service of this folder: its address and its process."""
    port = free_port()
    command = [sys.executable, "-m", f"benchmarks.speed.other_services.{module}", str(port), model, str(cores())]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=quiet, stderr=quiet)
    address = f"http://127.0.0.1:{port}"
    request = Request(f"{address}/predict", b'{"inputs": "Ready?"}', {"Content-Type": "application/json"})
    try:
        for _ in range(200):
            try:
                urlopen(request, timeout=5).close()
                break
            except (URLError, ConnectionError, TimeoutError):
                time.sleep(0.3)
        else:
            raise RunError(f"{module} did not start within a minute.")
        yield address, process
    finally:
        for part in family(process):
            part.kill()


def main() -> None:
    """Entry point."""
    name, output = "speed.other_services", "reports/other_services"
    parser = benchmark_parser(name, __doc__, data="reviews", split=True, reviews=500, rounds=3, output=output)
    parser.add_argument("--model", default="imdb-small", metavar="DIR", help="a model directory or name")
    add_count(parser, "--seconds", default=10, what="seconds of load in each round")
    run_benchmark(parser, run)


if __name__ == "__main__":
    main()
