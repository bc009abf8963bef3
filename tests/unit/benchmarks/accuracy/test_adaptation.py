from argparse import Namespace
from pathlib import Path

import pytest

from benchmarks.accuracy import adaptation
from benchmarks.accuracy.adaptation import table
from sentiment.errors import InputError


def test_the_table_has_means_and_the_smallest_gain() -> None:
    rows = [
        {"labels": 16, "shipped": 80.0, "adapted": adapted, "TF-IDF": 60.0, "error": error}
        for adapted, error in ((81.0, 2.0), (79.0, 3.0))
    ]
    last = table({"soups": rows}).splitlines()[-1]
    assert last == "| soups | 16 | 80.0 ± 0.0 | 80.0 ± 1.0 | +0.0 ± 1.0 | -1.0 | 2.5 | 60.0 ± 0.0 |"


def test_a_file_is_measured(
    tiny_model_directory: Path, reviews_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = Namespace(data=[str(reviews_file)], model=str(tiny_model_directory), seeds=2, output=tmp_path)
    with pytest.raises(InputError, match="50 reviews are too few"):
        adaptation.run(options)
    monkeypatch.setattr(adaptation, "SMALLEST_TEST", 10)
    page = adaptation.run(options)
    assert page.count("| reviews | 16 |") == 1 and "| 64 |" not in page
    assert (tmp_path / "adaptation.md").read_text() == page
