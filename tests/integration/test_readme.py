"""What the README says to type works, word for word where that takes seconds."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from sentiment.cli import COMMANDS
from sentiment.config import DistilConfig, PretrainConfig, TrainConfig, load_config

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
PYTHON = next(code for language, code in BLOCKS if language == "python")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
# in code blocks and in running text, where a command may be broken over two lines
COMMAND_LINES = sorted(
    {
        " ".join(line.split("#")[0].split())
        for _, code in BLOCKS
        for line in code.splitlines()
        if line.startswith("sentiment ")
    }
    | {" ".join(match.split()) for match in re.findall(r"`(sentiment [^`]+)`", README)}
)


def test_the_python_of_the_readme_runs(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", PYTHON], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "directory" / "config.json").is_file()


@pytest.mark.parametrize("line", COMMAND_LINES)
def test_every_command_of_the_readme_is_one(line: str) -> None:
    _, command, *arguments = shlex.split(line)
    assert command in COMMANDS
    if arguments and arguments[0].endswith(".yaml") and not arguments[0].isupper():
        classes = {"pretrain": PretrainConfig, "distil": DistilConfig, "ensemble": DistilConfig}
        overrides = [argument for argument in arguments[1:] if argument not in ("--resume", "--split", "test")]
        if arguments[0].startswith("configs/"):
            load_config(classes.get(command, TrainConfig), ROOT / arguments[0], overrides)
        return
    options = subprocess.run(
        [sys.executable, "-m", "sentiment", command, "--help"], capture_output=True, text=True, check=False
    )
    for argument in arguments:
        if argument.startswith("--"):
            assert argument.split("=")[0] in options.stdout


@pytest.mark.parametrize(
    "line", [line for line in COMMAND_LINES if line.startswith(('sentiment predict "', 'sentiment explain "'))]
)
def test_commands_on_a_text_answer(line: str, tmp_path: Path) -> None:
    arguments = shlex.split(line)[1:]
    done = subprocess.run(
        [sys.executable, "-m", "sentiment", *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert re.search("positive|negative", done.stdout)


def test_the_two_commands_and_the_others_of_make_exist() -> None:
    named = set(re.findall(r"make (\w[\w-]*)", README)) - {"PYTHON"}
    assert {"demo", "test"} <= named
    for target in named:
        assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), target


def test_the_shipped_model_is_the_one_of_the_readme() -> None:
    """The accuracy in the table is the one in the model's own metrics."""
    metrics = json.loads((ROOT / "sentiment" / "models" / "imdb" / "metrics.json").read_text())
    assert f"{metrics['accuracy']:.2%}".rstrip("%") in README
