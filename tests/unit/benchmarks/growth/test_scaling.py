"""Cost as work grows: what is fitted, and one small measurement through the real commands."""

import json
from argparse import Namespace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from benchmarks.growth import scaling, watched_command
from benchmarks.growth.results import exponent
from benchmarks.growth.watched_command import Finished, watch
from sentiment.errors import InputError, RunError

SAMPLES = Path(__file__).parents[4] / "sentiment" / "data" / "samples"


def test_exponents_of_power_laws() -> None:
    sizes = [10, 100, 1000]
    assert exponent(sizes, [3 * size for size in sizes]) == pytest.approx(1)
    assert exponent(sizes, [7, 7, 7]) == pytest.approx(0)
    assert exponent(sizes, [size**2 for size in sizes]) == pytest.approx(2)
    assert exponent([10], [3]) is None


def test_repeated_reviews_reach_the_count(tmp_path: Path) -> None:
    texts = [f"review {number}" for number in range(7)]
    scaling.write_repeated(texts, 150, tmp_path / "reviews.parquet")
    found = pq.read_table(tmp_path / "reviews.parquet")["text"].to_pylist()
    assert found == [texts[row % 7] for row in range(150)]


def test_small_sizes_are_measured_and_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def measured(arguments: list[str], cache: Path) -> Finished:
        """The commands themselves are tested elsewhere, and take seconds to start."""
        calls.append(arguments[0])
        if arguments[0] == "predict":
            return Finished("answers.parquet: 20 reviews in 0.5 s\n", 2.0, 400.0)
        history = cache.parent / "run" / "history.jsonl"
        history.parent.mkdir()
        history.write_text(json.dumps({"seconds": 1.5}) + "\n")
        return Finished("", 30.0, 600.0)

    monkeypatch.setattr(watched_command, "watch", measured)
    monkeypatch.setattr(scaling, "TRAINING", (10, 20))
    monkeypatch.setattr(scaling, "PREDICTION", (20, 40))
    options = Namespace(data=str(SAMPLES), model=None, largest=40, output=tmp_path)
    page = scaling.run(options)
    assert calls == ["train"] * 2 + ["predict"] * 6  # brief ones three times
    assert {file.name for file in tmp_path.iterdir()} == {"scaling.md", "scaling.json", "scaling.png"}
    assert "| prediction | 40 | 0.500 | 80.0 | 2.00 | 400 |" in page
    assert "training, one epoch: time ∝ reviews^0.00" in page.replace("-0.00", "0.00")
    monkeypatch.setattr(scaling, "TRAINING", (9000,))
    with pytest.raises(InputError, match="where 9000 are to be trained on"):
        scaling.run(Namespace(**vars(options) | {"largest": 9000}))
    with pytest.raises(InputError, match="--largest is 10; the smallest size is 20"):
        scaling.run(Namespace(**vars(options) | {"largest": 10}))


def test_a_command_that_fails_is_reported_with_its_sentence(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"sentiment predict failed: .*missing\.csv: no such file"):
        watch(["predict", "--input", "missing.csv", "--output", str(tmp_path / "o.csv")], tmp_path)


def test_memory_and_time_of_a_command(tmp_path: Path) -> None:
    command = watch(["predict", "--json", "a wonderful film"], tmp_path)
    assert json.loads(command.output)["label"] == "positive" and command.seconds > 0.2 and command.memory > 50
