"""All commands: `--help` is fast and correct, and old names still work."""

import os
import subprocess
import sys

import pytest

from sentiment.cli.main import COMMANDS, RENAMED, run

HEAVY = {"torch", "datasets", "sklearn", "scipy", "matplotlib", "captum", "accelerate", "transformers", "tqdm"}
HELP = """
import sys, time
from sentiment.cli.main import run
try:
    run(sys.argv[1], ["--help"])
finally:
    print("MODULES", time.process_time(), *sorted({name.partition(".")[0] for name in sys.modules}))
"""
SECONDS = 0.8
"""CPU time for the help of a command, also on a slow machine; other programs change it less than time by the clock."""


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_fast_and_names_its_command(command: str) -> None:
    for _ in range(3):  # a busy machine may need more than one attempt
        done = subprocess.run([sys.executable, "-c", HELP, command], capture_output=True, text=True, check=False)
        printed, _, end = done.stdout.rpartition("MODULES ")
        assert printed.startswith(f"usage: sentiment {command} "), done.stderr
        seconds, *modules = end.split()
        assert not set(modules) & HEAVY  # which take seconds to import
        if float(seconds) < SECONDS:
            return
    raise AssertionError(f"{seconds} s")


def test_descriptions_differ(capsys: pytest.CaptureFixture[str]) -> None:
    for command in COMMANDS:
        with pytest.raises(SystemExit):
            run(command, ["--help"])
    described = capsys.readouterr().out.split("usage: ")[1:]
    assert len({text.split("\n\n")[1] for text in described}) == len(COMMANDS)


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
