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
    nearly_equal = [{"fitted on": 20, "seed": 0, "shipped": 0.8, "estimator": 0.7999}]
    assert table({"soups": nearly_equal}).endswith("| +0.0 ± 0.0 |")


def options_for(reviews_file: Path, model: Path, output: Path) -> Namespace:
    data = [str(reviews_file)]
    return Namespace(data=data, model=str(model), seeds=2, output=output, trained_on=None, groups_file=None)


def test_of_the_reviews_that_the_model_was_trained_on_only_the_validation_part_is_read(
    tiny_model_directory: Path, reviews_file: Path, tmp_path: Path
) -> None:
    """Reviews of one group (film) are in one part."""
    options = options_for(reviews_file, tiny_model_directory, tmp_path)
    options.groups_file = str(tmp_path / "films.txt")
    with pytest.raises(InputError, match="--groups-file belongs to"):
        estimator.run(options)
    Path(options.groups_file).write_text("".join(f"film {row // 5}\n" for row in range(50)))
    options.trained_on = str(reviews_file)
    found = estimator.read(options)
    assert list(found) == ["reviews", "reviews, validation part"]
    whole, validation = found.values()
    assert len(whole) == 50 and {*map(len, (set(validation["group"]), validation))} == {1, 5}


def test_a_file_is_measured(
    tiny_model_directory: Path, reviews_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = options_for(reviews_file, tiny_model_directory, tmp_path)
    with pytest.raises(InputError, match="50 reviews are too few"):
        estimator.run(options)
    monkeypatch.setattr(estimator, "SMALLEST_TEST", 10)
    page = estimator.run(options)
    assert page.count("| reviews | 20 |") == 1 and "| 100 |" not in page
    assert (tmp_path / "estimator.md").read_text() == page
