"""Two processes share every batch: they learn what one learns, and resume as exactly."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file

ROOT = Path(__file__).parent.parent.parent
DROPOUTS = ("dropout", "embedding_dropout", "head_dropout")

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    for split in ("train", "unsupervised"):
        sample = (ROOT / "sentiment" / "data" / "samples" / "train.jsonl").read_text()
        (tmp_path / f"{split}.jsonl").write_text(sample)
    settings: dict[str, Any] = {
        "run": {"device": "cpu", "precision": "fp32", "state_every_steps": 7},
        "data": {"source": str(tmp_path), "validation_fraction": 0.2},
        "text": {"vocab_size": 300, "min_frequency": 1, "max_length": 30},
        "model": {"embedding_dim": 16, "hidden_dim": 16},
        "optimization": {"epochs": 6, "ema_decay": 0.9},
    }
    for script, more in {"train": {"batch_tokens": 200}, "pretrain": {"streams": 5, "chunk_length": 16}}.items():
        (tmp_path / f"{script}.yaml").write_text(yaml.safe_dump(settings | more))
    return tmp_path


def launch(script: str, processes: int, *arguments: object) -> list[str]:
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    return [*launcher, "-m", "sentiment", script, *map(str, arguments)]


def run(script: str, processes: int, config: Path, directory: Path, *arguments: object) -> str:
    command = launch(script, processes, config / f"{script}.yaml", f"--run.output_dir={directory}", *arguments)
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    finished = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=ROOT, env=environment)
    assert finished.returncode == 0, finished.stderr[-3000:]
    return finished.stderr


def last_state(directory: Path) -> dict[str, torch.Tensor]:
    return load_file(max((directory / "state").glob("*.safetensors")))


@pytest.mark.parametrize("script", ["train", "pretrain"])
def test_two_processes_learn_what_one_learns(
    config: Path, tmp_path: Path, script: str, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = [f"--model.{name}=0" for name in DROPOUTS]  # each process draws for itself
    plain += ["--negatives=0"] if script == "pretrain" else []
    run(script, 1, config, tmp_path / "one", *plain)
    assert "2 process(es)" in run(script, 2, config, tmp_path / "two", *plain)
    one, two = last_state(tmp_path / "one"), last_state(tmp_path / "two")
    assert one.keys() == two.keys()
    difference = max(float((tensor - two[name]).abs().max()) for name, tensor in one.items())
    with capsys.disabled():
        print(f"\n{script}: largest difference of a weight {difference:.0e} between one process and two")
    assert difference < 1e-4
    names = {path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*")}
    assert names == {path.relative_to(tmp_path / "two") for path in (tmp_path / "two").rglob("*")}


@pytest.mark.parametrize("script", ["train", "pretrain"])
def test_two_processes_resume_exactly(config: Path, tmp_path: Path, script: str) -> None:
    run(script, 2, config, tmp_path / "whole")
    arguments = (config / f"{script}.yaml", f"--run.output_dir={tmp_path / 'stopped'}", "--run.state_every_steps=1")
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = launch(script, 2, *arguments)
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, cwd=ROOT, env=environment) as job:
        while not list((tmp_path / "stopped").glob("state/step-00000000[4-9].json")):
            assert job.poll() is None
            time.sleep(0.01)
        job.send_signal(signal.SIGTERM)
        messages = job.communicate(timeout=120)[1].decode()
    assert "Go on with the same command and --resume" in messages
    assert "resumed at step" in run(script, 2, config, tmp_path / "stopped", "--resume")
    whole, resumed = last_state(tmp_path / "whole"), last_state(tmp_path / "stopped")
    assert whole.keys() == resumed.keys()
    for name, tensor in whole.items():
        assert torch.equal(resumed[name], tensor), name
