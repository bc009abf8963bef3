"""Each ranking is asked about the same flipped labels."""

from argparse import Namespace
from pathlib import Path

from benchmarks.accuracy import audit


def test_a_row_for_each_source(reviews_file: Path, tmp_path: Path) -> None:
    page = audit.run(Namespace(sources=[str(reviews_file)], reviews=40, output=tmp_path))
    header, _, row = page.splitlines()[:3]
    assert header == "| source | reviews | flipped | audit-labels | n-gram baseline | shipped model |"
    source, reviews, flipped, *found = row.strip("| ").split(" | ")
    assert (source, reviews, flipped) == (str(reviews_file), "40", "2")
    assert found[0] == found[2] == "2"  # such simple reviews leave no doubt
    assert (tmp_path / "audit.md").read_text("utf-8") == page
