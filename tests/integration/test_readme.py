"""What the README says to type works, word for word where that takes seconds."""

import json
import re
import shlex
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from sentiment.cli import COMMANDS
from sentiment.config import DistilConfig, PretrainConfig, TrainConfig, load_config

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
BLOCKS = BLOCK.findall(README)
PYTHON = next(code for language, code in BLOCKS if language == "python")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
SHIPPED = sorted(directory.parent.name for directory in (ROOT / "sentiment" / "models").glob("*/config.json"))


def commands(beginning: str) -> list[str]:
    """Commands in code blocks and in running text, where one may be broken over two lines."""
    lines = (line.split("#")[0] for _, code in BLOCKS for line in code.splitlines() if line.startswith(beginning))
    quoted = (" ".join(match.split()) for match in re.findall(r"`([^`]+)`", BLOCK.sub("", README)))
    return sorted({" ".join(line.split()) for line in (*lines, *quoted) if line.startswith(beginning)})


COMMAND_LINES = commands("sentiment ")


def test_the_python_of_the_readme_runs(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", PYTHON], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "directory" / "config.json").is_file()


@pytest.mark.parametrize("line", COMMAND_LINES)
def test_every_command_of_the_readme_is_one(line: str) -> None:
    _, command, *arguments = shlex.split(line)
    assert command in COMMANDS
    if arguments and arguments[0].startswith("configs/"):
        classes = {"pretrain": PretrainConfig, "distil": DistilConfig, "ensemble": DistilConfig}
        overrides = [argument for argument in arguments[1:] if argument not in ("--resume", "--split", "test")]
        load_config(classes.get(command, TrainConfig), ROOT / arguments[0], overrides)
    else:
        check_options(["sentiment", command], arguments)


@pytest.mark.parametrize("line", commands("python -m benchmarks."))
def test_every_benchmark_of_the_readme_is_one(line: str) -> None:
    _, _, module, *arguments = shlex.split(line)
    check_options([module], arguments)


def check_options(module: list[str], arguments: list[str]) -> None:
    """Whether the help of `python -m MODULE ...` names every option among the arguments."""
    command = [sys.executable, "-m", *module, "--help"]
    described = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert described.returncode == 0, described.stderr
    known = set(re.findall(r"--[\w.-]+", described.stdout))
    assert {argument.split("=")[0] for argument in arguments if argument.startswith("--")} <= known


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
    named = {word for line in commands("make ") for word in shlex.split(line)[1:] if "=" not in word}
    assert {"demo", "test"} <= named
    for target in named:
        assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), target


@pytest.mark.parametrize("name", SHIPPED)
def test_the_figures_of_a_shipped_model_are_its_own(name: str) -> None:
    """Test accuracy and interval in its row of the results are those in the model's metrics.json."""
    metrics = json.loads((ROOT / "sentiment" / "models" / name / "metrics.json").read_text("utf-8"))
    (row,) = (line for line in README.splitlines() if line.startswith(f"| **shipped model `{name}`"))
    figures = re.findall(r"(\d+\.\d\d) \((\d+\.\d\d)[–-](\d+\.\d\d)\)", row)
    assert figures == [tuple(f"{100 * figure:.2f}" for figure in (metrics["accuracy"], *metrics["accuracy_95"]))]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_model_was_trained_with_the_config_of_its_row(name: str) -> None:
    metrics = json.loads((ROOT / "sentiment" / "models" / name / "metrics.json").read_text("utf-8"))
    (row,) = (line for line in README.splitlines() if line.startswith(f"| **shipped model `{name}`"))
    (config,) = re.findall(r"configs/\w+\.yaml", row)
    settings = asdict(load_config(DistilConfig, ROOT / config))
    for recorded in (settings, metrics["training"]):
        del recorded["data"]["source"], recorded["data"]["groups_file"]  # where the reviews lay
    assert metrics["training"] == settings
