"""The tables and the plot of a comparison."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.peers.measurement import Measurement
from benchmarks.peers.plot import draw
from benchmarks.peers.results import SystemResult, frontier, notes, ratio_table, table
from benchmarks.peers.system import System

INFO = {"reviews": 10, "rounds": 2, "machine": "a machine", "cores": 2, "load_average": 0.1, "versions": {"x": "1"}}
POINTS = st.lists(st.tuples(st.sampled_from([0.7, 0.8, 0.9]), st.integers(1, 5).map(float)), min_size=1, max_size=12)


def beats(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one != other and one[0] >= other[0] and one[1] >= other[1]


@given(POINTS)
def test_frontier_is_what_no_other_beats(points: list[tuple[float, float]]) -> None:
    best = frontier(points)
    assert not any(beats(points[other], points[index]) for index in best for other in range(len(points)))
    for index in set(range(len(points))) - set(best):
        assert any(beats(points[other], points[index]) for other in best)
    along = [points[index] for index in best]
    assert [speed for _, speed in along] == sorted((speed for _, speed in along), reverse=True)
    assert [accuracy for accuracy, _ in along] == sorted(accuracy for accuracy, _ in along)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights").write_bytes(bytes(5_000_000))
    return tmp_path / "model"


def result(name: str, accuracy: float, speeds: Sequence[float], directory: Path, **more: object) -> SystemResult:
    system = System(name, "its description", directory, lambda directory: list, **more)  # type: ignore[arg-type]
    rounds = [Measurement(accuracy, speed, speed / 2, 0.001, 0.002, 1.5, 300_000_000) for speed in speeds]
    return SystemResult(system, rounds)


def test_table_ratios_and_notes(directory: Path) -> None:
    ours = result("ours", 0.9, [300, 200], directory, ours=True)
    quoted = result("quoted", 0.4, [20, 30], directory, quoted_accuracy=0.95, quoted_from="a paper", most_reviews=4)
    beaten = result("beaten", 0.8, [100, 100], directory)
    lines = table([beaten, quoted, ours]).splitlines()
    assert len({line.count("|") for line in lines}) == 1
    assert lines[2:] == [
        "| **ours** | 90.00 | 250 (200–300) | 125 (100–150) | 1.00 | 2.00 | 1.50 | 300 | 5.00 |",
        "| beaten | 80.00 | 100 | 50.0 | 1.00 | 2.00 | 1.50 | 300 | 5.00 |",
        "| **quoted** | 95.00 (quoted) | 25.0 (20.0–30.0) | 12.5 (10.0–15.0) | 1.00 | 2.00 | 1.50 | 300 | 5.00 |",
    ]
    assert ratio_table([beaten, quoted, ours]).splitlines()[2:] == [
        "| beaten | 2.50 (2.00–3.00) |",
        "| quoted | 10.8 (6.67–15.0) |",  # round by round: 300 / 20 and 200 / 30
    ]
    text = notes([quoted, ours], INFO, {"fake": ["x", "y"]})
    assert "ours: its description; p50 and p99 of 10 reviews." in text
    assert "quoted: its description; 4 reviews evenly spaced by length; p50 and p99 of 4 reviews." in text
    assert "Random weights; accuracy quoted: a paper." in text
    assert "Left out: fake, for want of the package x, y." in text


def test_a_system_is_as_fast_as_in_the_better_of_both(directory: Path) -> None:
    one = result("a", 0.9, [10, 20], directory)
    assert one.speeds == [10, 20]
    per_core = replace(one, rounds=[replace(found, process_per_core=2 * found.one_process) for found in one.rounds])
    assert per_core.speeds == [20, 40]
    one_core = replace(one, rounds=[replace(found, process_per_core=None) for found in one.rounds])
    assert one_core.speeds == [10, 20] and "| – |" in table([one_core])


@pytest.mark.parametrize("accuracies", [[0.9], [1.0, 0.5, 0.5], [0.8 + step / 1000 for step in range(15)]])
def test_plot_is_drawn(tmp_path: Path, accuracies: list[float]) -> None:
    results = [result(f"number {row}", value, [1000 + row], tmp_path) for row, value in enumerate(accuracies)]
    draw(results, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
