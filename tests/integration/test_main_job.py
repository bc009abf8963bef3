"""The main job through the command line, as a new user does it: train, evaluate, predict."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "sentiment" / "data" / "samples" / "test.jsonl"
MODEL_FILES = {"config.json", "model.safetensors", "vocab.json", "metrics.json", "README.md"}


def run(script: str, *arguments: str | Path, cwd: Path, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / f"{script}.py"), *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, input=stdin, capture_output=True, text=True, check=False, timeout=100)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory in which the demo's model was trained."""
    directory = tmp_path_factory.mktemp("job")
    overrides = [f"--data.source={SAMPLES.parent}", "--run.output_dir=run", "--run.device=cpu"]
    done = run("train", ROOT / "configs" / "demo.yaml", *overrides, cwd=directory)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "model: run/model"
    assert "training on cpu" in done.stderr
    return directory


def test_a_run_directory_holds_exactly_this(trained: Path) -> None:
    files = {path.relative_to(trained / "run").as_posix() for path in (trained / "run").rglob("*") if path.is_file()}
    states = {name for name in files if name.startswith("state/")}
    expected = {"config.yaml", "versions.json", "history.jsonl", *(f"model/{name}" for name in MODEL_FILES)}
    assert files - states - {".lock", "lock"} == expected
    assert len(states) <= 4
    history = [json.loads(line) for line in (trained / "run" / "history.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in history] == list(range(1, 31))
    assert {"train_loss", "accuracy", "log_loss", "tokens_per_second", "seconds", "best"} <= history[0].keys()


def test_evaluate_measures_the_trained_model(trained: Path) -> None:
    data = SAMPLES
    done = run("evaluate", "--model", "run/model", "--data", data, "--output", "report", cwd=trained)
    assert done.returncode == 0, done.stderr
    metrics = json.loads((trained / "report" / "metrics.json").read_text())
    wanted = {"accuracy", "precision", "recall", "f1", "roc_auc", "log_loss", "brier", "ece", "n"}
    assert wanted <= metrics.keys()
    assert metrics["n"] == 40
    assert metrics["accuracy"] > 0.75
    assert done.stdout.startswith(f"accuracy {metrics['accuracy']:.2%}, 95% interval ")


def test_predict_answers_arguments_and_standard_input(trained: Path) -> None:
    texts = ["A wonderful story and a superb script.", "A boring story and a terrible script."]
    done = run("predict", "--model", "run/model", "--json", *texts, cwd=trained)
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["label"] for answer in answers] == ["positive", "negative"]
    piped = run("predict", "--model", "run/model", "--json", cwd=trained, stdin="\n".join(texts) + "\n")
    probabilities = [json.loads(line)["probability"] for line in piped.stdout.splitlines()]
    assert probabilities == pytest.approx([answer["probability"] for answer in answers], abs=1e-6)


@pytest.mark.parametrize(
    ("script", "arguments", "words"),
    [
        ("train", ["nowhere.yaml"], "nowhere.yaml: no such configuration file"),
        ("train", [ROOT / "configs" / "demo.yaml", "--model.hiden_dim=3"], "hiden_dim"),
        ("train", [ROOT / "configs" / "demo.yaml", "--data.source=nothing.csv", "--run.output_dir=x"], "nothing.csv"),
        ("train", [ROOT / "configs" / "demo.yaml", "--run.output_dir=run"], "--resume"),
        ("evaluate", ["--model", "run/model", "--data", "nothing.csv"], "nothing.csv"),
        ("evaluate", ["--model", "nothing", "--data", SAMPLES], "nothing: no such model directory"),
        ("evaluate", ["--model", "run/config.yaml", "--data", SAMPLES], "is a file; give the model directory"),
        ("predict", ["--model", "run", "text"], "config.json"),
    ],
)
def test_bad_calls_get_one_sentence_and_leave_nothing(
    script: str, arguments: list[Any], words: str, trained: Path
) -> None:
    before = sorted(path for path in trained.rglob("*"))
    if script == "train" and "--run.output_dir=run" in arguments:
        arguments = [*arguments, f"--data.source={SAMPLES.parent}"]
    done = run(script, *arguments, cwd=trained)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    steps = ("reading ", "building the vocabulary ", "encoding ")  # before it is seen that the run exists
    assert len([line for line in done.stderr.strip().splitlines() if not line.startswith(steps)]) == 1
    assert sorted(path for path in trained.rglob("*")) == before


@pytest.mark.real_data
def test_real_reviews_are_read_and_judged(imdb: Path) -> None:
    """The shipped model on real reviews: far better than chance, every answer within its range."""
    import pyarrow.parquet as pq

    from sentiment import SentimentClassifier

    rows = pq.read_table(imdb / "train.parquet").slice(12_450, 100).to_pylist()
    predictions = SentimentClassifier.from_pretrained().predict([row["text"] for row in rows])
    right = sum(
        (prediction.label == "positive") == row["label"] for prediction, row in zip(predictions, rows, strict=True)
    )
    assert right > 80
