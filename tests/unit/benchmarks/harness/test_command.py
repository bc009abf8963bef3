import argparse
from pathlib import Path

import pytest

from benchmarks.harness.command import add_count, benchmark_parser, run_benchmark
from sentiment.errors import InputError, RunError
from sentiment.io.signals import Stopped


def parser() -> argparse.ArgumentParser:
    return benchmark_parser("peers", "What it does.\n\nMore.", data="reviews", reviews=50, output="reports/benchmark")


def test_a_benchmark_has_the_common_options_that_it_asks_for() -> None:
    found = parser().parse_args(["--data", "x.csv"])
    assert vars(found) == {"data": "x.csv", "reviews": 50, "output": Path("reports/benchmark")}
    assert parser().prog == "python -m benchmarks.peers" and parser().description == "What it does."


@pytest.mark.parametrize("text", ["0", "-1", "many", "1.5"])
def test_counts_begin_with_one(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    counting = argparse.ArgumentParser()
    add_count(counting, "--runs", default=21, what="starts")
    assert counting.parse_args(["--runs", "1"]).runs == 1
    with pytest.raises(SystemExit) as leaving:
        counting.parse_args([f"--runs={text}"])
    assert leaving.value.code == 2
    assert f"argument --runs: is {text}; give a whole number from 1 on" in capsys.readouterr().err


def test_the_page_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    run_benchmark(parser(), lambda options: f"{options.reviews} reviews", ["--data", "x", "--reviews", "3"])
    assert capsys.readouterr() == ("3 reviews\n", "")


@pytest.mark.parametrize(
    ("failure", "code", "message"),
    [
        (InputError("no such file."), 2, "benchmarks.peers: no such file.\n"),
        (RunError("no space left."), 1, "benchmarks.peers: no space left.\n"),
        (KeyboardInterrupt(), 130, "benchmarks.peers: stopped; some is kept.\n"),
        (Stopped(15, "state saved."), 143, "benchmarks.peers: stopped; some is kept.\n"),
    ],
)
def test_a_failure_is_one_sentence_and_an_exit_code(
    capsys: pytest.CaptureFixture[str], failure: BaseException, code: int, message: str
) -> None:
    def fail(options: argparse.Namespace) -> str:
        raise failure

    with pytest.raises(SystemExit) as leaving:
        run_benchmark(parser(), fail, ["--data", "x"], stopped="stopped; some is kept.")
    assert leaving.value.code == code
    assert capsys.readouterr() == ("", message)


def test_an_unexpected_failure_is_not_hidden() -> None:
    def fail(options: argparse.Namespace) -> str:
        raise KeyError("x")

    with pytest.raises(KeyError):
        run_benchmark(parser(), fail, ["--data", "x"])
