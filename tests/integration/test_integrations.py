"""The guide to other programs shows what its code prints."""

import re
from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "integrations.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```\n\n```text\n(.*?)^```", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def test_every_block_shows_its_output() -> None:
    assert len(BLOCKS) == GUIDE.read_text("utf-8").count("```python") == 5


@pytest.mark.parametrize(("code", "output"), BLOCKS, ids=["fit", "search", "pandas", "polars", "duckdb"])
def test_the_blocks_of_the_guide_print_what_it_shows(
    code: str, output: str, capsys: pytest.CaptureFixture[str]
) -> None:
    exec(compile(code, str(GUIDE), "exec"), {"__name__": "__main__"})
    printed = capsys.readouterr().out
    assert [line.rstrip() for line in printed.strip().splitlines()] == output.strip().splitlines()
