"""The command line of a benchmark: common options, messages to the person at the terminal, exit codes."""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from sentiment.errors import InputError, RunError
from sentiment.io.signals import Stopped


def benchmark_parser(
    name: str,
    doc: str | None,
    *,
    data: str | None = None,
    model: bool = False,
    groups_file: bool = False,
    split: bool = False,
    reviews: int | None = None,
    rounds: int | None = None,
    output: str | None = None,
) -> argparse.ArgumentParser:
    """A parser for `python -m benchmarks.NAME`, with those of the common options that the benchmark has.

    `data` says what SOURCE must hold; `reviews`, `rounds` and `output` are defaults.
    """
    parser = argparse.ArgumentParser(f"python -m benchmarks.{name}", description=(doc or "").split("\n")[0])
    if data is not None:
        parser.add_argument("--data", required=True, metavar="SOURCE", help=f"hub id, directory or file: {data}")
    if model:
        parser.add_argument("--model", metavar="DIR", help="a model directory or name; default: the shipped model")
    if groups_file:
        parser.add_argument("--groups-file", metavar="FILE", help="the film of each training row, one a line")
    if split:
        parser.add_argument("--split", default="test", help="split of SOURCE; a file is its own split (default: test)")
    if reviews is not None:
        add_count(parser, "--reviews", default=reviews, what="reviews, drawn at random")
    if rounds is not None:
        add_count(parser, "--rounds", default=rounds, what="rounds, of which the medians are printed")
    if output is not None:
        help_text = f"directory for all files (default: {output})"
        parser.add_argument("--output", type=Path, default=Path(output), metavar="DIR", help=help_text)
    return parser


def add_count(parser: argparse.ArgumentParser, *names: str, default: int, what: str) -> None:
    """An option that takes a whole number from 1 on."""
    parser.add_argument(*names, type=_count, default=default, metavar="N", help=f"{what} (default: {default})")


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"is {text}; give a whole number from 1 on")
    return int(text)


def run_benchmark(
    parser: argparse.ArgumentParser,
    benchmark: Callable[[argparse.Namespace], str],
    arguments: Sequence[str] | None = None,
    stopped: str = "stopped.",
) -> None:
    """Read the options, run the benchmark and print its page.

    A failure is one sentence, with the exit codes of `sentiment`: 2 for an InputError, 1 for a RunError, 128 + signal
    number after Ctrl-C or SIGTERM, when `stopped` is said.
    """
    options = parser.parse_args(arguments)
    try:
        print(benchmark(options))
    except (InputError, RunError) as error:
        _leave(parser, str(error), 2 if isinstance(error, InputError) else 1)
    except KeyboardInterrupt:
        _leave(parser, stopped, 130)
    except Stopped as signal:
        _leave(parser, stopped, signal.exit_code)


def _leave(parser: argparse.ArgumentParser, message: str, code: int) -> None:
    print(f"{parser.prog.removeprefix('python -m ')}: {message}", file=sys.stderr)
    raise SystemExit(code) from None


def log(message: str) -> None:
    """A message on standard error, with the time of day."""
    print(f"{time.strftime('%H:%M:%S')} {message}", file=sys.stderr, flush=True)
