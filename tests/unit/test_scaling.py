"""Cost as work grows: what is fitted, and one small measurement through the real commands."""

import json
from pathlib import Path

import pytest

from benchmarks import scaling
from benchmarks.scaling import exponent, run, watched
from sentiment.errors import InputError, RunError

SAMPLE = Path(__file__).parents[2] / "sentiment" / "sample"


def test_exponents_of_power_laws() -> None:
    sizes = [10, 100, 1000]
    assert exponent(sizes, [3 * size for size in sizes]) == pytest.approx(1)
    assert exponent(sizes, [7, 7, 7]) == pytest.approx(0)
    assert exponent(sizes, [size**2 for size in sizes]) == pytest.approx(2)
    assert exponent([10], [3]) is None


def test_repeated_reviews_reach_the_count(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    texts = [f"review {number}" for number in range(7)]
    scaling._write_repeated(texts, 150, tmp_path / "reviews.parquet")
    found = pq.read_table(tmp_path / "reviews.parquet")["text"].to_pylist()
    assert found == [texts[row % 7] for row in range(150)]


def test_small_sizes_are_measured_and_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def measured(arguments, directory):  # the commands themselves are tested elsewhere, and take seconds to start
        calls.append(arguments[0])
        if arguments[0] == "predict":
            return "answers.parquet: 20 reviews in 0.5 s\n", 2.0, 400.0
        history = directory / "run" / "history.jsonl"
        history.parent.mkdir()
        history.write_text(json.dumps({"seconds": 1.5}) + "\n")
        return "", 30.0, 600.0

    monkeypatch.setattr(scaling, "watched", measured)
    page = run(str(SAMPLE), None, [10, 20], [20, 40], tmp_path)
    assert calls == ["train"] * 2 + ["predict"] * 6  # brief ones three times
    assert {file.name for file in tmp_path.iterdir()} == {"scaling.md", "scaling.json", "scaling.png"}
    assert "| prediction | 40 | 0.500 | 80.0 | 2.00 | 400 |" in page
    assert "training, one epoch: time ∝ reviews^0.00" in page.replace("-0.00", "0.00")
    with pytest.raises(InputError, match="where 9000 are to be trained on"):
        run(str(SAMPLE), None, [9000], [20], tmp_path)


def test_a_command_that_fails_is_reported_with_its_sentence(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"sentiment predict failed: .*missing\.csv: no such file"):
        watched(["predict", "--input", "missing.csv", "--output", str(tmp_path / "o.csv")], tmp_path)


def test_memory_and_time_of_a_command(tmp_path: Path) -> None:
    printed, seconds, megabytes = watched(["predict", "--json", "a wonderful film"], tmp_path)
    assert json.loads(printed)["label"] == "positive" and seconds > 0.2 and megabytes > 50
