import re
from argparse import Namespace
from pathlib import Path

import pytest

from benchmarks.accuracy import adaptation
from benchmarks.accuracy.adaptation import KINDS, table
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
    options = Namespace(
        data=[str(reviews_file)], model=str(tiny_model_directory), seeds=2, sizes=(16, 64), output=tmp_path
    )
    options.trained_on = options.groups_file = None
    options.unlabeled, options.keep_imdb = 4, True
    with pytest.raises(InputError, match="50 reviews are too few"):
        adaptation.run(options)
    monkeypatch.setattr(adaptation, "SMALLEST_TEST", 10)
    page = adaptation.run(options)
    assert page.count("| reviews | 16 |") == 1 and "| 64 |" not in page
    assert (tmp_path / "adaptation.md").read_text() == page
    assert "4 unlabeled reviews; keep_imdb is True" in page


def test_what_movie_reviews_lose_is_a_column_where_it_was_measured() -> None:
    row = {"labels": 16, "shipped": 80.0, "adapted": 81.0, "TF-IDF": 60.0, "error": 2.0, "movies": -0.5}
    page = table({"soups": [row]})
    assert page.splitlines()[0].endswith("| movie reviews, points |") and page.splitlines()[-1].endswith(
        "| -0.5 ± 0.0 |"
    )


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("A horror film of 1974.\nStill good.", ["horror", "films before 1980"]),
        ("Made in 1974, seen again in 1999.", []),
        ("1999", []),
        ("Horrors!", []),
    ],
)
def test_kinds_of_movie_reviews_are_found_by_words(text: str, kinds: list[str]) -> None:
    assert [name for name, found in KINDS.items() if re.search(found, text, re.IGNORECASE | re.DOTALL)] == kinds
