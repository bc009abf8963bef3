"""docs/lstm.md says what is so: its blocks run, its commands and figures exist."""

import doctest
import re
from pathlib import Path

import pytest

from sentiment.classifier import SHIPPED_MODEL
from sentiment.cli.main import COMMANDS

ROOT = Path(__file__).parent.parent.parent
WALKTHROUGH = ROOT / "docs" / "lstm.md"


def test_every_block_of_the_walkthrough_runs():
    if not (SHIPPED_MODEL / "config.json").is_file():
        pytest.skip(f"needs the shipped model at {SHIPPED_MODEL}, which is missing here")
    failures, examples = doctest.testfile(str(WALKTHROUGH), module_relative=False)
    assert (failures, examples > 20) == (0, True)


def test_its_commands_and_figures_exist():
    text = WALKTHROUGH.read_text("utf-8")
    commands = re.findall(r"^ {4}sentiment ([\w-]+)", text, re.MULTILINE)
    assert commands == ["explain", "faithfulness", "gradient-flow"]
    assert set(commands) <= set(COMMANDS)
    scripts = re.findall(r"scripts/\w+\.py|configs/\w+\.yaml|tests/[\w/]+\.py|sentiment/\w+\.py", text)
    figures = ["docs/" + name for name in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text)]
    assert len(figures) == 3
    for name in scripts + figures:
        assert (ROOT / name).is_file(), name
