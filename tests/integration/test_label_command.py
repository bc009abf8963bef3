"""label through the command line: the dialog, Label Studio, and what bad input gets."""

import io
import json
from pathlib import Path

import pandas as pd
import pytest

from sentiment.cli import main as cli


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        cli.run("label", [str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return int(left.value.code or 0), printed.out, printed.err


@pytest.fixture
def meals(tmp_path: Path) -> Path:
    file = tmp_path / "meals.txt"
    file.write_text("the soup was cold\nthe bread was fresh\nthe fish \x1b[2Jwas stale\n")
    return file


def test_answers_go_into_a_table_that_adapt_reads(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tiny_model_directory: Path,
    tmp_path: Path,
    meals: Path,
) -> None:
    labels = tmp_path / "labels.csv"
    arguments = [meals, "--labels", labels, "--from", tiny_model_directory]
    monkeypatch.setattr("sys.stdin", io.StringIO("u\nx\np\nu\nn\ns\nq\n"))
    code, printed, messages = run(capsys, *arguments)
    assert code == 0, messages
    assert "There is no answer to undo." in printed and "Type one of p, n, s, u and q." in printed
    assert "\x1b" not in printed and "sentiment adapt" in printed.splitlines()[-1]
    table = pd.read_csv(labels)
    assert table["label"].tolist() == ["negative", "skip"]
    monkeypatch.setattr("sys.stdin", io.StringIO("positive\n"))
    code, printed, messages = run(capsys, *arguments)
    assert code == 0 and "There are no more reviews to label." in printed and "2 labels in" in printed
    assert pd.read_csv(labels)["label"].tolist() == ["negative", "skip", "positive"]
    monkeypatch.setattr("sys.stdin", io.StringIO(""))  # the end of the input is like quitting
    assert run(capsys, *arguments)[0] == 0


def test_tasks_go_to_label_studio_and_come_back(
    capsys: pytest.CaptureFixture[str], tiny_model_directory: Path, tmp_path: Path, meals: Path
) -> None:
    labels, tasks = tmp_path / "labels.csv", tmp_path / "tasks.json"
    arguments = [meals, "--labels", labels, "--from", tiny_model_directory]
    code, _, messages = run(capsys, *arguments, "--export", tasks, "--count", "2")
    assert code == 0 and "2 tasks" in messages and not labels.exists()
    exported = json.loads(tasks.read_text())
    for task in exported:
        choice = {"choices": ["Positive"]}
        task["annotations"] = [{"result": [{"value": choice}], "was_cancelled": False}]
    annotated = tmp_path / "annotated.json"
    annotated.write_text(json.dumps(exported))
    code, _, messages = run(capsys, *arguments, "--import", annotated)
    assert code == 0 and "2 labels added" in messages
    table = pd.read_csv(labels)
    assert table["label"].tolist() == ["positive"] * 2
    assert set(table["text"]) == {task["data"]["text"] for task in exported}


def test_bad_input_gets_one_sentence(
    capsys: pytest.CaptureFixture[str], tiny_model_directory: Path, tmp_path: Path, meals: Path
) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text("[")
    labels = tmp_path / "labels.csv"
    cases = [
        ([meals], "--labels"),
        ([meals, "--labels", meals], "meals.txt"),
        ([meals, "--labels", tmp_path / "labels.doc", "--from", tiny_model_directory], "ends in .csv"),
        ([meals, "--labels", labels, "--export", broken], "already exists; choose another file"),
        ([meals, "--labels", labels, "--export", "a.json", "--import", broken], "not allowed with"),
        ([tmp_path / "none.csv", "--labels", labels], "none.csv"),
        ([meals, "--labels", labels, "--from", tiny_model_directory, "--import", broken], "not JSON"),
        ([meals, "--labels", labels, "--from", tiny_model_directory, "--import", tmp_path / "no.json"], "cannot be"),
        ([meals, "--labels", labels, "--count", "0"], "whole number of at least 1"),
    ]
    for arguments, words in cases:
        code, printed, messages = run(capsys, *arguments)
        last = messages.strip().splitlines()[-1]
        assert code == 2 and not printed and words in last and last.startswith("sentiment label:"), last
    assert not labels.exists()
