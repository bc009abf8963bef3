"""One round of a system that costs nothing, in processes of its own."""

from dataclasses import replace
from pathlib import Path

import fake_peer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.peers import measurement, worker_process
from benchmarks.peers.comparison import peer_systems, prepare
from benchmarks.peers.measurement import measure, spaced
from benchmarks.peers.system import System, TrainingData
from benchmarks.peers.tutorial_rnn import TIME, fixed_ids
from sentiment.errors import RunError

TEXTS = [f"a {'good' if number % 2 else 'bad'} film {'again ' * number}" for number in range(20)]
LABELS = [number % 2 for number in range(20)]


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> System:
    """Looks for one word."""
    monkeypatch.setenv("PYTHONPATH", str(Path(fake_peer.__file__).parent))
    monkeypatch.setattr(measurement, "cores", lambda: 2)
    system = System("fake", "a fake", tmp_path / "fake", fake_peer.load_good, fake_peer.prepare_good)
    prepare(system, TrainingData(["good"], [1]))
    return system


def test_a_round_of_a_system(system: System) -> None:
    found = measure(system, TEXTS, LABELS)
    assert found.accuracy == 1
    assert found.one_process > 0 and found.process_per_core is not None and found.process_per_core > 0
    assert 0 < found.p50 <= found.p99 < found.cold_start < 60
    assert 1e6 < found.peak_memory < 1e9
    assert measure(system, TEXTS, [1] * 20).accuracy == 0.5


def test_a_slow_system_labels_fewer_reviews(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measurement, "cores", lambda: 1)
    found = measure(replace(system, most_reviews=3), TEXTS, [0] * 19 + [1])
    assert found.process_per_core is None
    assert found.accuracy in (0, 1 / 3, 2 / 3, 1)


def test_a_system_that_fails_says_why(system: System) -> None:
    with pytest.raises(RunError, match=r"^fake: its process ended with code 1: ValueError: no such lexicon$"):
        measure(replace(system, load=fake_peer.load_broken), TEXTS, LABELS)
    with pytest.raises(RunError, match=r"^fake: 1 labels for 20 reviews\.$"):
        measure(replace(system, load=fake_peer.load_short), TEXTS, LABELS)


def test_a_system_that_hangs_is_ended(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_process, "TIMEOUT", 0.0)
    with pytest.raises(RunError, match="fake: its process ended with code -9"):
        measure(system, TEXTS, LABELS)


def test_a_system_learns_once_from_the_same_reviews(system: System) -> None:
    prepare(replace(system, prepare=None), TrainingData(["bad"], [0]))
    forbidden = replace(system, prepare=lambda data, directory: pytest.fail("learned again"))
    prepare(forbidden, TrainingData(["good"], [1]))
    assert (system.directory / "word").read_text() == "good"
    prepare(system, TrainingData(["bad"], [1]))
    assert (system.directory / "word").read_text() == "bad"


def test_missing_packages_are_named(system: System) -> None:
    assert system.missing_packages() == []
    assert replace(system, packages=("json", "no_such_package")).missing_packages() == ["no_such_package"]


def test_peers_have_names_of_their_own_and_share_only_what_they_prepare_alike(tmp_path: Path) -> None:
    systems = peer_systems(tmp_path)
    assert len({system.name for system in systems}) == len(systems)
    learning = {(system.directory, system.prepare) for system in systems if system.prepare is not None}
    assert len({directory for directory, _ in learning}) == len(learning)


@given(st.lists(st.text("ab", max_size=30), min_size=1, max_size=50), st.integers(1, 60))
def test_spaced_rows_are_distinct_and_stand_for_all_lengths(texts: list[str], count: int) -> None:
    rows = spaced(texts, count)
    assert rows == sorted(set(rows)) and len(rows) == min(count, len(texts))
    mean = sum(len(texts[row]) for row in rows) / len(rows)
    # every drawn review stands for one stretch of the sorted lengths, so the mean cannot miss by more than one stretch
    assert abs(mean - sum(map(len, texts)) / len(texts)) <= (max(map(len, texts)) - min(map(len, texts))) / len(rows)


def test_spaced_rows_have_the_mean_length_of_all() -> None:
    texts = ["x" * (7 * number % 1000) for number in range(1000)]
    assert sum(len(texts[row]) for row in spaced(texts, 10)) / 10 == pytest.approx(499.5, abs=1)


def test_tutorials_pad_on_the_left_and_cut_the_end() -> None:
    ids = {"good": 1, "film": 2}
    assert fixed_ids("A GOOD, good film!", ids) == [0] * (TIME - 3) + [1, 1, 2]
    assert fixed_ids("film " + "good " * 300, ids) == [2] + [1] * (TIME - 1)
