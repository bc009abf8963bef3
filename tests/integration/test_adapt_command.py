"""adapt through the command line: the table, the model directory, and what bad input gets."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sentiment.classifier import SentimentClassifier
from sentiment.cli import main as cli


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        cli.run("adapt", [str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return int(left.value.code or 0), printed.out, printed.err


@pytest.fixture
def stars(tmp_path: Path) -> Path:
    """Ratings of meals; three stars say nothing."""
    file = tmp_path / "meals.csv"
    good, bad = ["crisp", "fresh", "tasty", "warm", "sweet"], ["cold", "stale", "soggy", "late", "rude"]
    rows = [f"the {word} {thing} was {word},5" for word in bad for thing in ("soup", "bread", "fish", "wine")]
    rows += [f"the {word} {thing} was {word},1" for word in good for thing in ("soup", "bread", "fish", "wine")]
    file.write_text("text,stars\n" + "\n".join([*rows, "a meal,3"]) + "\n")
    return file


STARS = ["--label-column", "stars", "--positive-from", "4", "--negative-to", "2"]


def test_a_model_is_adapted_and_the_table_says_how(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, stars: Path
) -> None:
    output = tmp_path / "my-model"
    code, printed, messages = run(capsys, stars, "--output", output, "--from", "imdb-small", *STARS)
    assert code == 0, messages
    header, *rows, chosen, band = [line for line in printed.splitlines() if not line.startswith("Unknown words")]
    assert header.startswith("what changes") and rows[0].startswith("nothing ")
    assert rows[-1].startswith("all layers ")
    assert [bool(row.endswith("*")) for row in rows].count(True) == 1
    assert (
        re.match(r"\* chosen: .*measured on 40 reviews that were not trained on\.", chosen)
        and "200 reviews or more" in band
    )
    assert "1 of 41" in messages or "left out" in messages
    adapted = SentimentClassifier.from_pretrained(output)
    assert adapted.predict("the stale bread was stale").label == "positive"
    metrics = json.loads((output / "metrics.json").read_text())
    assert metrics["n"] == 40 and metrics["split"] == "cross-validation"


def test_bad_input_gets_one_sentence_and_writes_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, stars: Path
) -> None:
    few = tmp_path / "few.csv"
    few.write_text("text,label\ngood,1\nbad,0\n")
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "notes.txt").write_text("mine")
    cases = [
        ([few, "--output", tmp_path / "a"], "too few different reviews to adapt to: 1 negative and 1 positive"),
        ([tmp_path / "none.csv", "--output", tmp_path / "a"], "none.csv"),
        ([stars, "--output", tmp_path / "a"], "--positive-from"),
        ([stars, *STARS, "--output", taken], "taken"),
        ([stars, *STARS, "--output", tmp_path / "a", "--from", "nowhere"], "nowhere"),
        ([stars, *STARS], "--output"),
    ]
    for arguments, words in cases:
        code, printed, messages = run(capsys, *arguments)
        last = messages.strip().splitlines()[-1]
        assert code == 2 and not printed and words in last and last.startswith("sentiment adapt:"), last
    assert not (tmp_path / "a").exists() and [file.name for file in taken.iterdir()] == ["notes.txt"]


def test_settings_can_be_changed_and_a_run_resumed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, stars: Path
) -> None:
    more = tmp_path / "more.txt"
    more.write_text("the crisp soup was late\n" * 3 + "the cold soup was warm\n" * 3)
    arguments = [stars, *STARS, "--output", tmp_path / "model", "--from", "imdb-small", "--optimization.epochs=1"]
    code, printed, messages = run(
        capsys, *arguments, "--unlabelled", more, "--keep-imdb", "--batch_reviews=4", "--resume"
    )
    assert code == 0, messages
    assert "all layers, unlabeled" in printed and "40 sample reviews of movies: accuracy" in printed
    assert not (tmp_path / "model.run").exists()
    code, _, messages = run(capsys, *arguments, "--optimization.epoch=1")
    assert code == 2 and "did you mean --optimization.epochs?" in messages


def test_a_killed_run_says_how_to_go_on(tmp_path: Path, stars: Path) -> None:
    command = [sys.executable, "-m", "sentiment", "adapt", stars, *STARS, "--output", tmp_path / "model"]
    command += ["--from", "imdb-small", "--optimization.epochs=200"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        while not list((tmp_path / "model.run" / "state").glob("*/fold-0")) and process.poll() is None:
            time.sleep(0.1)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        last = process.stderr.read().strip().splitlines()[-1]
    assert process.returncode == 130 and "Go on with the same command and --resume" in last, last
    assert not (tmp_path / "model").exists()


def test_the_output_may_end_in_a_slash_and_be_in_a_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, stars: Path
) -> None:
    settings = tmp_path / "settings.yaml"
    settings.write_text(
        f"run: {{output_dir: {tmp_path}/model/}}\ndata: {{source: nowhere.csv}}\npretrained: imdb-small\n"
    )
    code, _, messages = run(capsys, stars, *STARS, "--config", settings, "--optimization.epochs=1")
    assert code == 0, messages
    assert {file.name for file in tmp_path.iterdir()} == {"meals.csv", "settings.yaml", "model"}
    assert SentimentClassifier.from_pretrained(tmp_path / "model").predict("the stale bread was stale").label
