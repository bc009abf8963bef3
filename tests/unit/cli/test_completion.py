"""Completions, asked for as the shell does: the line in the environment, the answer in a file or a descriptor."""

import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import argcomplete
import pytest

from sentiment.cli import main as cli
from sentiment.cli.main import COMMANDS

SHIPPED = {"imdb", "imdb-small"}
CONFIGS = {"ablation", "demo", "gradient_flow", "imdb", "sentiment_rnn", "transformer"}


@pytest.fixture
def completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], set[str]]:
    """The completions of a line in a directory with a few files."""
    folder = tmp_path / "work"
    (folder / "reviews").mkdir(parents=True)
    for name in ("mine.yaml", "mine.csv"):
        (folder / name).touch()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(argcomplete.CompletionFinder, "_init_debug_stream", lambda finder: None)  # a descriptor

    def complete(line: str) -> set[str]:
        answer = tmp_path / "answer"
        monkeypatch.setattr(sys, "argv", ["sentiment"])
        for name, value in {
            "_ARGCOMPLETE": "1",
            "_ARGCOMPLETE_IFS": "\n",
            "_ARGCOMPLETE_SUPPRESS_SPACE": "1",
            "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
            "COMP_LINE": line,
            "COMP_POINT": str(len(line.encode())),
        }.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as left:
            cli.main()
        assert not left.value.code
        return set(answer.read_text("utf-8").split())

    return complete


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("sentiment ", set(COMMANDS)),
        ("sentiment tr", {"train", "train-transformer", "truncation"}),
        ("sentiment --v", {"--version"}),
        ("sentiment nothing ", set()),
        ("sentiment train ", CONFIGS | {"mine.yaml", "reviews/"}),
        ("sentiment train im", {"imdb"}),
        ("sentiment distil im", {"imdb"}),  # a name of version 0.1
        ("sentiment recipe ", {"imdb", "mine.yaml", "reviews/"}),
        ("sentiment train imdb --run.dev", {"--run.device"}),
        ("sentiment train imdb --run.device ", {"auto", "cpu", "cuda"}),
        ("sentiment train imdb --device cu", {"cuda"}),
        ("sentiment train imdb --data.header ", {"true", "false"}),
        ("sentiment train imdb --seed ", set()),
        ("sentiment train imdb --data s", {"samples"}),
        ("sentiment train imdb --optimization ", {"mine.yaml", "reviews/"}),
        ("sentiment train imdb --pretrained ", SHIPPED | {"reviews/"}),
        ("sentiment predict --model ", SHIPPED | {"reviews/"}),
        ("sentiment predict --engine ", {"local", "ray"}),
        ("sentiment predict mi", {"mine.yaml", "mine.csv"}),
        ("sentiment evaluate --data ", {"samples", "mine.yaml", "mine.csv", "reviews/"}),
        ("sentiment evaluate --compare imdb", SHIPPED),
        ("sentiment evaluate --output ", {"reviews/"}),
    ],
)
def test_completions(completed: Callable[[str], set[str]], line: str, expected: set[str]) -> None:
    assert completed(line) == expected


@pytest.mark.parametrize("command", COMMANDS)
def test_options_are_completed(completed: Callable[[str], set[str]], command: str) -> None:
    assert {"--help", "--quiet", "--verbose", "--version"} <= completed(f"sentiment {command} --")


def test_the_shell_gets_the_answer(tmp_path: Path) -> None:
    line = "sentiment train dem"
    program = shlex.join([sys.executable, "-c", "from sentiment.cli.main import main; main()"])
    environment = {"_ARGCOMPLETE": "1", "COMP_LINE": line, "COMP_POINT": str(len(line)), "PATH": "/usr/bin:/bin"}
    script = f"{program} 8>answer 9>/dev/null"
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert (tmp_path / "answer").read_text("utf-8").strip() == "demo"


def test_a_normal_start_does_not_import_argcomplete() -> None:
    program = "import sys; from sentiment.cli.main import run\ntry: run('toy-task', ['--version'])\n"
    program += "finally: assert 'argcomplete' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", program], check=False, capture_output=True).returncode == 0
