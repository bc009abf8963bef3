"""evaluate and behavior through the command line: what is written, and what bad input gets."""

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from sentiment.cli import main as cli
from sentiment.evaluation.evaluator import NO_BASELINES, NO_CHECKLIST


def run(capsys: pytest.CaptureFixture[str], command: str, *arguments: str | Path) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        cli.run(command, [str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return int(left.value.code or 0), printed.out, printed.err


@pytest.fixture
def source(tmp_path: Path, reviews: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a train and a test split."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    directory = tmp_path / "reviews"
    directory.mkdir()
    lines = [json.dumps({"text": text, "label": label}) + "\n" for text, label in reviews]
    (directory / "train.jsonl").write_text("".join(lines[:40]), "utf-8")
    (directory / "test.jsonl").write_text("".join(lines[40:]), "utf-8")
    return directory


def test_evaluate_writes_exactly_four_files(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, source: Path, tiny_model_directory: Path
) -> None:
    pairs = tmp_path / "pairs.jsonl"
    pair = {"original": "a good film", "edited": "a bad film", "label_original": 1, "label_edited": 0}
    pairs.write_text(json.dumps(pair) + "\n", "utf-8")
    output = tmp_path / "out"
    arguments = ["--model", tiny_model_directory, "--data", source, "--output", output, "--pairs", pairs]
    code, printed, _ = run(capsys, "evaluate", *arguments)
    assert code == 0
    names = {"metrics.json", "predictions.parquet", "errors.csv", "report.html"}
    assert {file.name for file in output.iterdir()} == names
    assert f"sentiment evaluate --model {tiny_model_directory}" in (output / "report.html").read_text("utf-8")
    metrics = json.loads((output / "metrics.json").read_text("utf-8"))
    assert printed.startswith(f"accuracy {metrics['accuracy']:.2%}")
    assert metrics["n"] == 10 and len(metrics["baselines"]) == 3 and metrics["pairs"]["n"] == 1
    table = pq.read_table(output / "predictions.parquet")
    assert table.num_rows == 10
    assert {"row", "true_label", "label", "probability", "uncertain", "reason"} <= set(table.column_names)
    # a second model beside it, by its predictions
    again = run(capsys, "evaluate", *arguments, "--compare", output / "predictions.parquet")
    assert "+0.00 points" in again[1]


def test_evaluate_says_each_step_and_quick_leaves_out_what_the_reviews_do_not_change(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, source: Path, tiny_model_directory: Path
) -> None:
    arguments = ["--model", tiny_model_directory, "--data", source, "--output", tmp_path / "out"]
    code, _, said = run(capsys, "evaluate", *arguments)
    steps = ["evaluating", "reading the training reviews", "0/10", "10/10", "predicting the behavior tests"]
    steps += ["tokenizing 40 training reviews", "fitting TF-IDF", "fitting NB-weighted", "writing the report"]
    assert code == 0 and sorted(steps, key=said.index) == steps

    code, printed, said = run(capsys, "evaluate", *arguments, "--quick")
    assert (
        code == 0
        and "no baselines: not requested; leave out" in printed
        and "no behavior tests: not requested" in printed
    )
    assert "10/10" in said and "writing the report" in said
    assert not any(word in said for word in ("training reviews", "fitting", "behavior"))
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text("utf-8"))
    assert (metrics["baselines_left_out"], metrics["checklist_left_out"]) == (NO_BASELINES, NO_CHECKLIST)
    assert metrics["baselines"] == metrics["checklist"] == [] and metrics["n"] == 10 and metrics["slices"]
    report = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert f"No baselines: {NO_BASELINES}." in report and f"No behavior tests: {NO_CHECKLIST}." in report

    code, printed, said = run(capsys, "evaluate", *arguments, "--no-baselines")
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text("utf-8"))
    assert code == 0 and "behavior" not in printed and metrics["checklist"] and not metrics["baselines"]
    for flag in ("--quick", "--no-baselines"):
        code, _, said = run(capsys, "evaluate", *arguments, flag, "--train-data", source)
        assert code == 2 and f"which {flag} leaves out" in said


def test_the_model_takes_over_the_figures(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, source: Path, tiny_model_directory: Path
) -> None:
    model = tmp_path / "model"
    shutil.copytree(tiny_model_directory, model)
    code, _, _ = run(capsys, "evaluate", "--model", model, "--data", source, "--no-baselines", "--update-model")
    assert code == 0
    metrics = json.loads((model / "metrics.json").read_text("utf-8"))
    assert metrics["n"] == 10 and f"| {metrics['accuracy']:.4f} |" in (model / "README.md").read_text("utf-8")
    assert run(capsys, "evaluate", "--model", model, "--data", source, "--no-baselines")[0] == 0  # still whole


@pytest.mark.parametrize(
    ("rows", "arguments", "words"),
    [
        ([{"text": "a", "label": "bad"}], [], "contains 'bad', which is no label"),
        ([{"text": "a", "stars": 1}], [], "no column 'label'"),
        ([{"text": "a", "label": 2}], [], "contains '2', which is no label"),
        ([{"text": "a", "label": 1}], ["--compare", "nothing"], "nothing: no such model directory"),
        ([{"text": "a", "label": 1}], ["--pairs", "nothing.csv"], "nothing.csv"),
        ([{"text": "a", "label": 1}], ["--train-data", "nothing.csv"], "nothing.csv"),
        ([{"text": "a", "label": 1}], ["--update-model"], "give it with --model"),
    ],
)
def test_bad_input_gets_one_sentence_and_leaves_nothing(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    tiny_model_directory: Path,
    rows: list[dict[str, Any]],
    arguments: list[str],
    words: str,
) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    model = [] if "--update-model" in arguments else ["--model", tiny_model_directory]
    code, printed, said = run(capsys, "evaluate", *model, "--data", file, "--output", tmp_path / "out", *arguments)
    sentence = said.splitlines()[-1]
    assert code == 2 and printed == "" and sentence.startswith("sentiment evaluate: ") and words in sentence
    assert not (tmp_path / "out").exists()


def test_behavior_prints_rates_and_examples(capsys: pytest.CaptureFixture[str], tiny_model_directory: Path) -> None:
    code, printed, _ = run(capsys, "checklist", "--model", tiny_model_directory)
    assert code == 0 and "negated positive" in printed and "%" in printed
    code, printed, _ = run(capsys, "checklist", "--model", tiny_model_directory, "--json")
    (rows,) = json.loads(printed).values()
    assert {"test", "n", "failures", "interval", "examples"} <= rows[0].keys()


def test_short_texts_are_measured(
    capsys: pytest.CaptureFixture[str], source: Path, tiny_model_directory: Path, tmp_path: Path
) -> None:
    code, printed, _ = run(capsys, "short-text", "--model", tiny_model_directory, "--data", source)
    assert code == 0 and printed.splitlines()[2].startswith("| one sentence, any | model |")
    code, _, complaint = run(capsys, "short-text", "--model", tiny_model_directory, "--data", tmp_path / "none")
    assert code == 2 and "none" in complaint


def test_length_limits_are_measured(
    capsys: pytest.CaptureFixture[str], source: Path, tiny_model_directory: Path
) -> None:
    arguments = ["--model", tiny_model_directory, "--data", source / "test.jsonl"]
    code, printed, _ = run(capsys, "truncation", *arguments, "--limits", "3")
    assert code == 0 and len(printed.splitlines()) == 6
    code, _, complaint = run(capsys, "truncation", *arguments, "--limits", "0")
    assert code == 2 and "--limits: '0' is not a whole number of at least 1" in complaint


@pytest.mark.parametrize(("settings", "held_out"), [([], 4), (["--validation-fraction", "0.5"], 20)])
def test_the_validation_part_is_that_of_the_training(
    capsys: pytest.CaptureFixture[str], source: Path, tiny_model_directory: Path, settings: list[str], held_out: int
) -> None:
    arguments = ["--model", tiny_model_directory, "--data", source, "--limits", "1"]  # which every review is over
    code, printed, _ = run(capsys, "truncation", *arguments, *settings)
    assert code == 0 and printed.splitlines()[1].split()[3] == str(held_out)
    code, _, complaint = run(capsys, "truncation", *arguments, "--validation-seed", "-1")
    assert code == 2 and "--validation-seed" in complaint


def test_a_path_in_the_home_directory_is_written_there(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    source: Path,
    tiny_model_directory: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    arguments = ["--model", tiny_model_directory, "--no-baselines", "--data=~/reviews"]
    assert run(capsys, "evaluate", *arguments, "--output=~/out")[0] == 0 and (tmp_path / "out").is_dir()
    files = ["--input=~/reviews/test.jsonl", "--output=~/answers.csv"]
    assert run(capsys, "predict", "--model", tiny_model_directory, *files)[0] == 0
    assert (tmp_path / "answers.csv").is_file()
    code, _, complaint = run(capsys, "explain", "--html=~nosuchuser/page.html", "good")
    assert code == 2 and "no home directory is known for ~nosuchuser" in complaint


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("evaluate", ["--no-baselines"]),
        ("short-text", []),
        ("truncation", ["--limits", "3"]),
        ("faithfulness", ["--reviews", "2"]),
        ("checklist", []),
    ],
)
def test_every_judge_can_be_told_which_columns_to_read(
    capsys: pytest.CaptureFixture[str], tiny_model_directory: Path, source: Path, command: str, arguments: list[str]
) -> None:
    for file in source.iterdir():
        file.write_text(file.read_text("utf-8").replace('"text"', '"words"').replace('"label"', '"liked"'), "utf-8")
    option = "--train-data" if command == "checklist" else "--data"
    call = [command, "--model", tiny_model_directory, option, source, *arguments]
    code, printed, said = run(capsys, *call)
    needed = "no column 'label'" if command != "faithfulness" else "the reviews are in the column 'words'"
    assert needed in said and code == (0 if command == "faithfulness" else 2)
    code, printed, said = run(capsys, *call, "--text-column", "words", "--label-column", "liked")
    assert code == 0 and printed, said
