import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.harness.results import digits, markdown_table, ratios, spread, write_results


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.0123, "0.0123"),
        (5.306, "5.31"),
        (53.06, "53.1"),
        (531, "531"),
        (11_840, "11,800"),
        (9.999, "10.0"),
    ],
)
def test_three_digits(value: float, text: str) -> None:
    assert digits(value) == text


def test_spread() -> None:
    assert spread([3.0, 1.0, 2.0]) == "2.00 (1.00–3.00)"
    assert spread([2.0]) == spread([2.0, 2.0001]) == "2.00"
    assert spread([]) == "–"


def test_a_ratio_is_within_its_round() -> None:
    assert ratios([2.0, 4.0, 3.0], [1.0, 1.0, 1.0]) == "3.00 (2.00–4.00)"
    assert ratios([1.0, 100.0], [2.0, 200.0]) == "0.500"


def test_a_table() -> None:
    assert markdown_table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


def test_results_are_written(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Round:
        seconds: float

    page = write_results(tmp_path / "new", "speed", ["one", "two"], {"rounds": {"a": [Round(0.5)]}})
    assert page == (tmp_path / "new" / "speed.md").read_text() == "one\n\ntwo\n"
    assert json.loads((tmp_path / "new" / "speed.json").read_text()) == {"rounds": {"a": [{"seconds": 0.5}]}}
