"""Two processes that read together when something goes wrong: it is said once, and nobody stays behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")

pytestmark = pytest.mark.timeout(300)


def start(*arguments: object) -> "subprocess.Popen[str]":
    command = [*TORCHRUN, str(ROOT / "scripts" / "predict.py"), *map(str, arguments)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)


def answered(output: Path) -> list[Path]:
    """The rows that a job has put aside for its file of answers."""
    return list(output.with_name(f"{output.name}.partial").glob("rows-*"))


@contextmanager
def half_done(model: Path, output: Path) -> "Iterator[subprocess.Popen[str]]":
    """A long job that has some answers, and is far from all."""
    source = output.with_name("in.txt")
    source.write_text("".join(f"{row} a wonderful film\n" for row in range(400_000)))
    with start("--model", model, "--input", source, "--output", output) as job:
        while not answered(output):
            assert job.poll() is None
            time.sleep(0.05)
        yield job


def test_bad_input_is_said_once(tmp_path: Path, tiny_model_directory: Path) -> None:
    output = tmp_path / "out.jsonl"
    with start("--model", tiny_model_directory, "--input", tmp_path / "no.csv", "--output", output) as job:
        messages = job.communicate(timeout=120)[1]
    assert job.returncode != 0 and not output.exists()
    assert messages.count("no.csv: no such file") == 1 and "Connection closed" not in messages


def test_a_stop_keeps_what_is_answered(tmp_path: Path, tiny_model_directory: Path) -> None:
    output = tmp_path / "out.jsonl"
    with half_done(tiny_model_directory, output) as job:
        job.send_signal(signal.SIGTERM)
        messages = job.communicate(timeout=120)[1]
    assert messages.count("stopped by SIGTERM after") == 1 and "--resume" in messages
    assert not output.exists() and answered(output)


def test_a_lost_helper_is_reported(tmp_path: Path, tiny_model_directory: Path) -> None:
    output = tmp_path / "out.jsonl"
    with half_done(tiny_model_directory, output) as job:
        helper = next(child for child in psutil.Process(job.pid).children() if child.environ().get("RANK") == "1")
        helper.kill()
        messages = job.communicate(timeout=120)[1]
    assert job.returncode != 0 and "a worker process has ended" in messages
    assert not output.exists() and answered(output)
