"""The benchmark's own arithmetic, and one round of a peer that costs nothing."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from fake_peer import load_broken, load_good, load_short, prepare_good
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import measuring
from benchmarks.field import missing_package, peers
from benchmarks.measuring import Round, measure, spaced
from benchmarks.networks import TUTORIAL_TIME, _tutorial_ids
from benchmarks.peers import prepare
from benchmarks.plot import draw
from benchmarks.readers import Peer, Train
from benchmarks.results import System, digits, frontier, notes, ratios, spread, table
from sentiment.errors import RunError

SETTING = {"reviews": 10, "rounds": 2, "machine": "a machine", "cores": 2, "load_average": 0.1, "versions": {"x": "1"}}
TEXTS = [f"a {'good' if number % 2 else 'bad'} film {'again ' * number}" for number in range(20)]
LABELS = [number % 2 for number in range(20)]


@pytest.fixture
def peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Peer:
    """Looks for one word; its processes find it beside this file."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    monkeypatch.setattr(measuring, "cores", lambda: 2)
    peer = Peer("fake", "a fake", tmp_path / "fake", load_good, prepare_good)
    prepare(peer, Train(["good"], [1]))
    return peer


def test_a_round_of_a_peer(peer: Peer):
    found = measure(peer, TEXTS, LABELS)
    assert found.accuracy == 1
    assert found.one_process > 0 and found.process_per_core is not None and found.process_per_core > 0
    assert 0 < found.p50 <= found.p99 < found.cold_start < 60
    assert 1e6 < found.peak_memory < 1e9
    assert measure(peer, TEXTS, [1] * 20).accuracy == 0.5


def test_a_slow_peer_reads_fewer_reviews(peer: Peer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(measuring, "cores", lambda: 1)
    found = measure(replace(peer, most_reviews=3), TEXTS, [0] * 19 + [1])
    assert found.process_per_core is None
    assert found.accuracy in (0, 1 / 3, 2 / 3, 1)


def test_a_peer_that_fails_says_why(peer: Peer):
    with pytest.raises(RunError, match=r"^fake: its process ended with code 1: ValueError: no such lexicon$"):
        measure(replace(peer, load=load_broken), TEXTS, LABELS)
    with pytest.raises(RunError, match=r"^fake: 1 answers to 20 reviews\.$"):
        measure(replace(peer, load=load_short), TEXTS, LABELS)


def test_a_peer_that_hangs_is_ended(peer: Peer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(measuring, "TIMEOUT", 0.0)
    with pytest.raises(RunError, match="fake: its process ended with code -9"):
        measure(peer, TEXTS, LABELS)


def test_a_peer_learns_once_from_the_same_reviews(peer: Peer):
    prepare(replace(peer, prepare=None), Train(["bad"], [0]))
    prepare(replace(peer, prepare=lambda train, directory: pytest.fail("learnt again")), Train(["good"], [1]))
    assert (peer.directory / "word").read_text() == "good"
    prepare(peer, Train(["bad"], [1]))
    assert (peer.directory / "word").read_text() == "bad"


def test_a_peer_without_its_package_is_left_out_with_a_sentence(peer: Peer):
    assert missing_package(peer) is None
    sentence = missing_package(replace(peer, packages=("json", "no_such_package")))
    assert sentence == "fake, for want of the package no_such_package."


def test_peers_have_names_of_their_own_and_share_only_what_they_prepare_alike(tmp_path: Path):
    everyone = peers(tmp_path, (0.8, "somewhere"))
    assert len({peer.name for peer in everyone}) == len(everyone)
    learning = {(peer.directory, peer.prepare) for peer in everyone if peer.prepare is not None}
    assert len({directory for directory, _ in learning}) == len(learning)


@given(st.lists(st.text("ab", max_size=30), min_size=1, max_size=50), st.integers(1, 60))
def test_spaced_rows_are_distinct_and_stand_for_all_lengths(texts: list[str], count: int):
    rows = spaced(texts, count)
    assert rows == sorted(set(rows)) and len(rows) == min(count, len(texts))
    mean = sum(len(texts[row]) for row in rows) / len(rows)
    # every drawn review stands for one stretch of the sorted lengths, so the mean cannot miss by more than one stretch
    assert abs(mean - sum(map(len, texts)) / len(texts)) <= (max(map(len, texts)) - min(map(len, texts))) / len(rows)


def test_spaced_rows_have_the_mean_length_of_all():
    texts = ["x" * (7 * number % 1000) for number in range(1000)]
    assert sum(len(texts[row]) for row in spaced(texts, 10)) / 10 == pytest.approx(499.5, abs=1)


POINTS = st.lists(st.tuples(st.sampled_from([0.7, 0.8, 0.9]), st.integers(1, 5).map(float)), min_size=1, max_size=12)


def beats(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one != other and one[0] >= other[0] and one[1] >= other[1]


@given(POINTS)
def test_frontier_is_what_no_other_beats(points: list[tuple[float, float]]):
    best = frontier(points)
    assert not any(beats(points[other], points[index]) for index in best for other in range(len(points)))
    for index in set(range(len(points))) - set(best):
        assert any(beats(points[other], points[index]) for other in best)
    along = [points[index] for index in best]
    assert [speed for _, speed in along] == sorted((speed for _, speed in along), reverse=True)
    assert [accuracy for accuracy, _ in along] == sorted(accuracy for accuracy, _ in along)


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
def test_three_digits(value: float, text: str):
    assert digits(value) == text


def test_spread():
    assert spread([3.0, 1.0, 2.0]) == "2.00 (1.00–3.00)"
    assert spread([2.0]) == spread([2.0, 2.0001]) == "2.00"


def system(name: str, accuracy: float, speeds: Sequence[float], **changes: object) -> System:
    rounds = [Round(accuracy, speed, speed / 2, 0.001, 0.002, 1.5, 300_000_000) for speed in speeds]
    return System(name, "a way", False, rounds, 10, 10, 5_000_000, **changes)  # type: ignore[arg-type]


def test_table_ratios_and_notes():
    ours = replace(system("ours", 0.9, [300, 200]), ours=True)
    quoted = system("quoted", 0.4, [20, 30], quoted_accuracy=0.95, quoted_from="a paper")
    beaten = system("beaten", 0.8, [100, 100])
    lines = table([beaten, quoted, ours]).splitlines()
    assert len({line.count("|") for line in lines}) == 1
    assert lines[2:] == [
        "| **ours** | 90.00 | 250 (200–300) | 125 (100–150) | 1.00 | 2.00 | 1.50 | 300 | 5.00 |",
        "| beaten | 80.00 | 100 | 50.0 | 1.00 | 2.00 | 1.50 | 300 | 5.00 |",
        "| **quoted** | 95.00 (quoted) | 25.0 (20.0–30.0) | 12.5 (10.0–15.0) | 1.00 | 2.00 | 1.50 | 300 | 5.00 |",
    ]
    assert ratios([beaten, quoted, ours]).splitlines()[2:] == [
        "| beaten | 2.50 (2.00–3.00) |",
        "| quoted | 10.8 (6.67–15.0) |",  # round by round: 300 / 20 and 200 / 30
    ]
    said = notes([quoted, replace(ours, reviews=4)], SETTING, ["fake, for want of the package x."])
    assert "quoted: a way; p50 and p99 of 10 reviews. Random weights; accuracy quoted: a paper." in said
    assert "ours: a way; 4 reviews evenly spaced by length;" in said
    assert "Left out: fake, for want of the package x." in said


def test_a_system_is_as_fast_as_the_better_way():
    one = system("a", 0.9, [10, 20])
    assert one.speeds == [10, 20]
    per_core = replace(one, rounds=[replace(found, process_per_core=2 * found.one_process) for found in one.rounds])
    assert per_core.speeds == [20, 40]
    one_core = replace(one, rounds=[replace(found, process_per_core=None) for found in one.rounds])
    assert one_core.speeds == [10, 20] and "| – |" in table([one_core])


@pytest.mark.parametrize("accuracies", [[0.9], [1.0, 0.5, 0.5], [0.8 + step / 1000 for step in range(15)]])
def test_plot_is_drawn(tmp_path: Path, accuracies: list[float]):
    draw([system(f"number {row}", value, [1000 + row]) for row, value in enumerate(accuracies)], tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_tutorials_pad_on_the_left_and_cut_the_end():
    ids = {"good": 1, "film": 2}
    assert _tutorial_ids("A GOOD, good film!", ids) == [0] * (TUTORIAL_TIME - 3) + [1, 1, 2]
    assert _tutorial_ids("film " + "good " * 300, ids) == [2] + [1] * (TUTORIAL_TIME - 1)
