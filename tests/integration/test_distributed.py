"""`torchrun scripts/predict.py` and `scripts/evaluate.py`: what two processes answer is what one answers, once."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sentiment.cli import main as cli

pytestmark = pytest.mark.timeout(300)

ROOT = Path(__file__).parents[2]
ROWS = 31
"""Two do not divide it."""


def run_one(command: str, *arguments: str | Path) -> None:
    with pytest.raises(SystemExit) as leaving:
        cli.run(command, [str(argument) for argument in arguments])
    assert leaving.value.code == 0


def run_two(command: str, *arguments: str | Path) -> str:
    """Standard output of both."""
    launcher = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
    call = [*launcher, str(ROOT / "scripts" / f"{command}.py"), *map(str, arguments)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(call, capture_output=True, text=True, timeout=280, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def source(tmp_path: Path, reviews: list[tuple[str, int]]) -> Path:
    file = tmp_path / "in.jsonl"
    rows = [{"id": row, "text": f"{row} {text}", "label": label} for row, (text, label) in enumerate(reviews[:ROWS])]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def test_two_processes_predict_what_one_predicts(source: Path, tmp_path: Path, tiny_model_directory: Path) -> None:
    arguments = ("--model", tiny_model_directory, "--input", source, "--output")
    run_one("predict", *arguments, tmp_path / "one.jsonl")
    printed = run_two("predict", *arguments, tmp_path / "two.jsonl")
    assert printed.startswith(f"{tmp_path / 'two.jsonl'}: {ROWS} reviews in ") and len(printed.splitlines()) == 1
    assert {file.name for file in tmp_path.iterdir()} == {"in.jsonl", "one.jsonl", "two.jsonl"}
    one, two = ([json.loads(line) for line in (tmp_path / f"{n}.jsonl").open()] for n in ("one", "two"))
    assert [row["id"] for row in two] == list(range(ROWS))
    for expected, found in zip(one, two, strict=True):
        floats = {name: pytest.approx(expected[name], abs=1e-6) for name in ("probability", "score")}
        assert found == expected | floats


def test_two_processes_measure_what_one_measures(source: Path, tmp_path: Path, tiny_model_directory: Path) -> None:
    # the second model is read together, too
    arguments = ("--model", tiny_model_directory, "--data", source, "--compare", tiny_model_directory, "--output")
    run_one("evaluate", *arguments, tmp_path / "one")
    printed = run_two("evaluate", *arguments, tmp_path / "two")
    assert printed.count("report: ") == 1
    names = {"metrics.json", "predictions.parquet", "report.html"}
    assert {file.name for file in (tmp_path / "two").iterdir()} == names
    assert pq.read_table(tmp_path / "two" / "predictions.parquet")["row"].to_pylist() == list(range(ROWS))
    one, two = (json.loads((tmp_path / name / "metrics.json").read_text()) for name in ("one", "two"))
    assert two["n"] == ROWS and two["compared"][0]["difference"] == 0
    for name in ("accuracy", "precision", "recall", "f1", "confusion_matrix", "data_sha256", "uncertain", "slices"):
        assert one[name] == two[name], name
    for name in ("roc_auc", "log_loss", "brier", "ece"):
        assert one[name] == pytest.approx(two[name], abs=1e-6), name
