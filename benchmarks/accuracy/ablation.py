"""What each part of the recipe is worth: one recipe in small, one setting changed at a time, several seeds each.

    python -m benchmarks.accuracy.ablation --data SOURCE [--groups-file FILE] [--seeds 3] [--fraction 0.25]
        [--only NAME ...] [--output runs/ablation] [--table]

Trains a small language model, then every variant of configs/ablation.yaml, seed by seed. What is finished stays: stop
it any time, the same command goes on. Prints a Markdown table and writes it, with ablation.json, to the output
directory.
"""

import argparse
from collections.abc import Sequence

from benchmarks.accuracy.ablation_variants import VARIANTS, Ablation
from benchmarks.harness.command import add_count, benchmark_parser, run_benchmark

STOPPED = "stopped; the same command goes on, --table shows what is done."


def run(options: argparse.Namespace) -> str:
    """Train what is missing, alone in the output directory; returns the page."""
    ablation = Ablation(
        options.data, options.groups_file, options.fraction, options.seeds, options.output, tuple(options.only)
    )
    # torch takes seconds to import, and --help does not need it
    from benchmarks.accuracy.ablation_runs import train_missing, write_page
    from sentiment.io.files import lock_directory

    if not options.table:
        with lock_directory(ablation.output):
            train_missing(ablation)
    return write_page(ablation)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = benchmark_parser(
        "accuracy.ablation",
        __doc__,
        data="reviews with train and unsupervised splits",
        groups_file=True,
        output="runs/ablation",
    )
    add_count(parser, "--seeds", default=3, what="runs of each variant")
    parser.add_argument(
        "--fraction", type=float, default=0.25, metavar="F", help="share of the training part (default: 0.25)"
    )
    parser.add_argument(
        "--only", nargs="+", default=list(VARIANTS), metavar="NAME", help="these variants, and the base"
    )
    parser.add_argument("--table", action="store_true", help="train nothing, print the table of what is finished")
    run_benchmark(parser, run, arguments, STOPPED)


if __name__ == "__main__":
    main()
