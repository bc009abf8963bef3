"""This project and its peers on the same reviews, in one run on one machine.

    python -m benchmarks.peers --data SOURCE [--models DIR ...] [--only TEXT ...] [--reviews 5000] [--output DIR]

Prints a Markdown page and writes it, with benchmark.json and benchmark.png, to the output directory. What peers learn
from the training split is kept there, too; they learn again only if the reviews or this benchmark change.
"""

import argparse

from benchmarks.harness.command import add_count, benchmark_parser, run_benchmark


def compare(options: argparse.Namespace) -> str:
    """Measure all systems, alone in the output directory."""
    # torch takes seconds to import, and --help does not need it
    from benchmarks.peers.comparison import run
    from sentiment.io.files import lock_directory, remove_leftovers

    with lock_directory(options.output):
        remove_leftovers(options.output / "peers")
        return run(options.data, options.models, options.only, options.reviews, options.repeats, options.output)


def main() -> None:
    """The command."""
    parser = benchmark_parser(
        "peers", __doc__, data="reviews with a train and a test split", reviews=5000, output="reports/benchmark"
    )
    parser.add_argument("--models", nargs="+", default=[], metavar="DIR", help="model directories beside the shipped")
    parser.add_argument("--only", nargs="+", default=[""], metavar="TEXT", help="systems with this in their name")
    add_count(parser, "--repeats", "--rounds", default=3, what="rounds, of which the medians are printed")
    run_benchmark(parser, compare, stopped="stopped; what peers learned is kept.")


if __name__ == "__main__":
    main()
