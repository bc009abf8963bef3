from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy import estimator
from benchmarks.accuracy.estimator import draw, table
from sentiment.errors import InputError


def test_the_test_part_is_the_rest_and_the_fitted_reviews_are_half_of_each_label() -> None:
    labels = np.array([0, 1] * 15 + [1] * 20)
    fitted, rest = draw(labels, 20, 3)
    assert sorted([*fitted, *rest]) == list(range(50)) and labels[fitted].sum() == 10
    assert set(fitted) != set(draw(labels, 20, 4)[0]) and set(fitted) == set(draw(labels, 20, 3)[0])


def test_the_table_has_means_and_the_spread_over_the_seeds() -> None:
    found = [
        {"fitted on": 20, "seed": seed, "shipped": 0.8, "estimator": accuracy}
        for seed, accuracy in enumerate((0.81, 0.85))
    ]
    assert table({"soups": found}).splitlines()[-1] == "| soups | 20 | 80.0 ± 0.0 | 83.0 ± 2.0 | +3.0 ± 2.0 |"


def test_a_file_is_measured(
    tiny_model_directory: Path, reviews_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = Namespace(data=[str(reviews_file)], model=str(tiny_model_directory), seeds=2, output=tmp_path)
    with pytest.raises(InputError, match="50 reviews are too few"):
        estimator.run(options)
    monkeypatch.setattr(estimator, "SMALLEST_TEST", 10)
    page = estimator.run(options)
    assert page.count("| reviews | 20 |") == 1 and "| 100 |" not in page
    assert (tmp_path / "estimator.md").read_text() == page
