"""The CPU threads of a training: chosen at its start, recorded, and the same when it is resumed."""

import json
import logging
from collections import namedtuple
from pathlib import Path

import joblib
import psutil
import pytest
import torch

from sentiment.config import RunConfig, TrainConfig
from sentiment.errors import InputError
from sentiment.training import threads
from sentiment.training.hardware import Hardware
from sentiment.training.run import open_run
from sentiment.training.threads import choose_threads, free_cpus


@pytest.fixture(autouse=True)
def four_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with four CPUs, three of them free."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(threads, "cpu_count", lambda: 4)
    monkeypatch.setattr(threads, "free_cpus", lambda: 3)


def test_a_number_that_was_given_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert choose_threads(7) == (7, "run.threads")
    assert choose_threads(None) == (2, "OMP_NUM_THREADS")


@pytest.mark.parametrize(("free", "taken"), [(0, 1), (1, 1), (3, 3), (4, 4), (60, 4)])
def test_the_free_cpus_are_taken(free: int, taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "free_cpus", lambda: free)
    assert choose_threads(None) == (taken, f"{min(free, 4)} of 4 CPUs free")


def test_processes_share_the_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    for processes, taken in (("2", 2), ("3", 1), ("8", 1)):
        monkeypatch.setenv("LOCAL_WORLD_SIZE", processes)
        assert choose_threads(None)[0] == taken


Load = namedtuple("Load", "user nice system idle iowait")


@pytest.mark.parametrize(
    ("load", "free"),
    [(Load(0, 0, 0, 100, 0), 4), (Load(20, 0, 5, 75, 0), 3), (Load(0, 50, 0, 0, 50), 4), (Load(95, 0, 5, 0, 0), 0)],
)
def test_programs_of_low_priority_leave_a_cpu_free(load: Load, free: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "cpu_times_percent", lambda interval: load)
    monkeypatch.setattr(psutil, "cpu_count", lambda: 4)
    assert free_cpus() == free


def test_the_number_is_measured_on_this_machine() -> None:
    assert 0 <= free_cpus() <= (psutil.cpu_count() or 1)
    assert joblib.cpu_count() >= 1


@pytest.fixture
def run(tmp_path: Path):
    """Open a run; gives the number of threads in it."""

    def opened(resume: bool = False, wanted: int | None = None) -> int:
        config = TrainConfig(run=RunConfig(output_dir=str(tmp_path / "run"), device="cpu", threads=wanted))
        with open_run(config, Hardware.choose("cpu", "fp32"), resume) as directory:
            (directory / "state" / "step-000001").mkdir(parents=True, exist_ok=True)
            return torch.get_num_threads()

    before = torch.get_num_threads()
    yield opened
    assert torch.get_num_threads() == before, "after the run torch has its threads back"


def test_a_resumed_run_takes_the_threads_with_which_it_began(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "sentiment"):
        assert run() == 3
    assert "training on cpu (3 threads), fp32, 1 process(es) (3 of 4 CPUs free), run directory" in caplog.text
    assert json.loads((tmp_path / "run" / "versions.json").read_text())["threads"] == 3
    monkeypatch.setattr(threads, "free_cpus", lambda: 1)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert run(resume=True) == 3
    assert run(resume=True) == 3
    with pytest.raises(InputError, match=r"run.threads=None, now 2"):
        run(resume=True, wanted=2)


def test_a_run_without_a_state_chooses_anew(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(wanted=2) == 2
    (tmp_path / "run" / "state" / "step-000001").rmdir()
    assert run() == 3


def test_a_run_of_version_0_1_leaves_the_number_to_torch(run, tmp_path: Path) -> None:
    assert run() == 3
    file = tmp_path / "run" / "versions.json"
    file.write_text(json.dumps({"python": "3.11"}))
    before = torch.get_num_threads()
    assert run(resume=True) == before
