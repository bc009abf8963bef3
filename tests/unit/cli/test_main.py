"""All commands: `--help` is fast and correct, and old names still work."""

import os
import subprocess
import sys

import pytest

from sentiment.cli.main import COMMANDS, RENAMED, run

HEAVY = {"torch", "datasets", "sklearn", "scipy", "matplotlib", "captum", "accelerate", "transformers"}
HELP = """
import sys
from sentiment.cli.main import run
try:
    run(sys.argv[1], ["--help"])
finally:
    print("MODULES", *sorted({name.partition(".")[0] for name in sys.modules}))
"""


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_fast_and_names_its_command(command: str) -> None:
    done = subprocess.run([sys.executable, "-c", HELP, command], capture_output=True, text=True, check=False)
    printed, _, modules = done.stdout.rpartition("MODULES ")
    assert printed.startswith(f"usage: sentiment {command} "), done.stderr
    assert "(default: test) (default: test)" not in " ".join(printed.split())
    assert not set(modules.split()) & HEAVY  # which take seconds to import


def test_descriptions_differ() -> None:
    described = {}
    for command in COMMANDS:
        done = subprocess.run(
            [sys.executable, "-m", "sentiment", command, "--help"], capture_output=True, text=True, check=True
        )
        described[command] = done.stdout.split("\n\n")[1]
    assert len(set(described.values())) == len(COMMANDS)


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_an_old_name_runs_the_renamed_command_with_a_warning(
    old: str, new: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    called: list[list[str]] = []
    monkeypatch.setitem(COMMANDS, new, lambda arguments: called.append(list(arguments)))
    with pytest.raises(SystemExit) as left:
        run(old, ["x"])
    assert left.value.code == 0 and called == [["x"]]
    assert f"`sentiment {old}` is now `sentiment {new}`" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "expected"),
    [({}, "1000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "active"}, None)],
)
def test_waiting_threads_sleep_unless_the_user_decides(
    given: dict[str, str], expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(os, "environ", os.environ.copy())  # whatever the command sets ends with this test
    seen: list[str | None] = []
    monkeypatch.setitem(COMMANDS, "predict", lambda arguments: seen.append(os.environ.get("GOMP_SPINCOUNT")))
    with pytest.raises(SystemExit):
        run("predict", [])
    assert seen == [expected]


def test_nothing_imports_torch_before_the_threads_are_told_how_to_wait() -> None:
    program = "import sys, sentiment.cli.main; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
