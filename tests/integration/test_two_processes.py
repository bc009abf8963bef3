"""Two processes of torchrun learn what one learns. Resuming them, and pretraining, is in tests/slow."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file

from sentiment.cli import main as cli


@pytest.mark.timeout(120)
def test_two_processes_learn_what_one_learns(reviews_file: Path, tmp_path: Path) -> None:
    settings = {
        "run": {"device": "cpu", "precision": "fp32", "threads": 1},
        "data": {"source": str(reviews_file), "validation_fraction": 0.2},
        "text": {"vocab_size": 100, "min_frequency": 1},
        # each process draws dropout masks for itself
        "model": {"embedding_dim": 8, "hidden_dim": 8, "dropout": 0, "embedding_dropout": 0, "head_dropout": 0},
        "optimization": {"epochs": 2},
        "batch_tokens": 100,
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(settings))
    arguments = [str(tmp_path / "config.yaml"), f"--run.output_dir={tmp_path / 'two'}"]
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [*launcher, "-m", "sentiment", "train", *arguments]
    two = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    with pytest.raises(SystemExit) as leaving:
        cli.run("train", [arguments[0], f"--run.output_dir={tmp_path / 'one'}"])
    messages = two.communicate(timeout=100)[1]
    assert not leaving.value.code and two.returncode == 0 and "2 process(es)" in messages
    one, both = (load_file(tmp_path / name / "model" / "model.safetensors") for name in ("one", "two"))
    expected = torch.cat([tensor.flatten() for tensor in one.values()])
    assert torch.allclose(expected, torch.cat([both[name].flatten() for name in one]), atol=1e-5)
