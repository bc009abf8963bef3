"""Full and read-only disks, and two runs in one place: one sentence, and nothing lost."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from safetensors.torch import load_file

ROOT = Path(__file__).parent.parent.parent
SAMPLE = ROOT / "sentiment" / "data" / "samples" / "train.jsonl"

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """An empty file system of 4 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", place], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"cannot mount a small file system here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def remount(disk: Path, option: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{option}", disk], check=True)


def run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sentiment", script, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=ROOT)


def assert_refused(finished: subprocess.CompletedProcess[str], code: int, sentence: str) -> None:
    assert finished.returncode == code, finished.stderr
    assert "Traceback" not in finished.stderr and sentence in finished.stderr.splitlines()[-1], finished.stderr


@pytest.fixture
def config(tmp_path: Path) -> Path:
    settings = {
        "run": {"device": "cpu", "precision": "fp32", "state_every_steps": 1},
        "data": {"source": str(SAMPLE), "validation_fraction": 0.2},
        "text": {"vocab_size": 300, "min_frequency": 1, "max_length": 30},
        "model": {"embedding_dim": 64, "hidden_dim": 48},
        "optimization": {"epochs": 3},
        "batch_tokens": 300,
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(settings))
    return tmp_path / "config.yaml"


def test_a_full_disk_costs_no_state(disk: Path, config: Path, tmp_path: Path) -> None:
    whole, cramped = tmp_path / "whole", disk / "run"
    assert run("train", config, f"--run.output_dir={whole}").returncode == 0
    remount(disk, "size=1m")  # a state takes half of it
    assert_refused(run("train", config, f"--run.output_dir={cramped}"), 1, "No space left on device")
    assert not list(cramped.rglob(".tmp-*"))
    remount(disk, "size=8m")
    resumed = run("train", config, f"--run.output_dir={cramped}", "--resume")
    assert resumed.returncode == 0 and "resumed at step" in resumed.stderr
    weights, expected = (load_file(place / "model" / "model.safetensors") for place in (cramped, whole))
    assert all(weights[name].equal(tensor) for name, tensor in expected.items())


def test_a_full_disk_leaves_the_former_answers(disk: Path, tiny_model_directory: Path, tmp_path: Path) -> None:
    source, output = tmp_path / "in.jsonl", disk / "out.jsonl"
    source.write_text("".join(json.dumps({"text": f"a wonderful film {row}"}) + "\n" for row in range(30_000)))
    output.write_text("what stood there before")
    arguments = ("--model", tiny_model_directory, "--input", source, "--output", output, "--overwrite")
    assert_refused(run("predict", *arguments), 1, "No space left on device")
    assert output.read_text() == "what stood there before"
    remount(disk, "size=64m")
    assert run("predict", *arguments, "--resume").returncode == 0
    assert len(output.read_text().splitlines()) == 30_000
    assert [path.name for path in disk.iterdir()] == ["out.jsonl"]


def test_standard_output_on_a_full_disk(tiny_model_directory: Path) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, ROOT / "scripts" / "predict.py", "--model", tiny_model_directory, "a wonderful film"]
        finished = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=120)
    assert_refused(finished, 1, "No space left on device")


def test_a_read_only_directory(disk: Path, config: Path, tiny_model_directory: Path, reviews_file: Path) -> None:
    remount(disk, "ro")
    assert_refused(run("train", config, f"--run.output_dir={disk / 'run'}"), 1, "Read-only file system")
    arguments = ("--model", tiny_model_directory, "--input", reviews_file, "--output", disk / "out.csv")
    assert_refused(run("predict", *arguments), 1, "Read-only file system")


def test_the_second_run_in_a_directory_is_refused(config: Path, tmp_path: Path) -> None:
    place = f"--run.output_dir={tmp_path / 'run'}"
    command = [sys.executable, ROOT / "scripts" / "train.py", config, place, "--optimization.epochs=100000"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as first:
        try:
            while not list((tmp_path / "run").glob("state/*.json")):
                assert first.poll() is None
                time.sleep(0.1)
            assert_refused(run("train", config, place), 2, "another process is using this directory")
            assert_refused(run("train", config, place, "--resume"), 2, "another process is using this directory")
        finally:
            first.terminate()
            _, messages = first.communicate(timeout=60)
        assert first.returncode == 143 and "Go on with the same command and --resume" in messages
