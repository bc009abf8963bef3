from argparse import Namespace
from pathlib import Path

from benchmarks.accuracy import steps
from benchmarks.accuracy.steps import table, variants
from sentiment.text.normalization import CURRENT_STEPS


def test_each_step_is_left_out_once() -> None:
    found = variants()
    assert found["all steps"] == CURRENT_STEPS
    for step in CURRENT_STEPS:
        left = found[f"without `{step}`"]
        assert {*left} == {*CURRENT_STEPS} - {step} and len(left) == len(CURRENT_STEPS) - 1


def test_a_file_is_measured(tiny_model_directory: Path, tmp_path: Path) -> None:
    file = tmp_path / "reviews.csv"
    file.write_text("text,label\ngreat,1\nawful,0\n#great,1\n")
    options = Namespace(data=[str(file)], model=str(tiny_model_directory), groups_file=None, output=tmp_path)
    page = steps.run(options)
    rows = {line.split(" | ")[0].strip("| "): line for line in page.splitlines() if line.startswith("| ")}
    assert rows["without `markup`"].endswith("(1) |") and rows["without `emoji`"].endswith("(0) |")
    assert (tmp_path / "steps.md").read_text() == page


def test_the_table_has_a_row_for_each_variant() -> None:
    found = {name: {"accuracy": 0.5, "changed": 3} for name in variants()}
    assert table({"soups": found}).splitlines()[2] == "| first steps | 50.00 (3) |"
