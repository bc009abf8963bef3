from pathlib import Path

import pytest

from benchmarks.accuracy import csv_readers
from benchmarks.accuracy.csv_readers import BrokenFile, Reading, broken_files, by_csv, speeds, table, verdict

FILE = BrokenFile("field missing", b"id,review,label\n1,a,0\n2,b\n", [("1", "a", "0")], [3])


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (Reading([("1", "a", "0")], [3]), "ok"),
        (Reading([("1", "a", "0")], [2]), "rows ok, reports line 2 instead of 3"),
        (Reading([("1", "a", "0")]), "rows ok, reports no line"),
        (Reading([("1", "a", "0"), ("2", "b\nc", "")], [3]), "**wrong rows**: 2 ¦ b⏎c ¦ "),
        (Reading([], [3]), "**loses 1 good rows**"),
        (Reading(error="ParserError"), "**stops**: ParserError"),
    ],
)
def test_a_reader_is_right_with_the_good_rows_and_the_lines_of_the_others(found: Reading, expected: str) -> None:
    assert verdict(FILE, found) == expected


def test_the_reader_of_this_package_is_right_but_for_a_carriage_return(tmp_path: Path) -> None:
    *rows, right, good = table(broken_files(), ["csv"], tmp_path)
    assert [name for name, found in rows if found != "ok"] == ["carriage return inside a review"]
    assert right[1] == f"{len(rows) - 1} of {len(rows)}" and good[1] == f"{len(rows)} of {len(rows)}"


def test_the_package_depends_on_pyarrow_so_it_is_always_compared(tmp_path: Path) -> None:
    assert {"csv", "pyarrow"} <= set(csv_readers.installed())
    found = dict(table(broken_files(), ["pyarrow"], tmp_path))
    assert found["field missing"] == "ok"
    assert found["text after a closing quotation mark"].startswith("**wrong rows**")


@pytest.mark.parametrize("name", ["DuckDB", "polars"])
def test_other_readers_read_a_file_that_is_not_broken(name: str, tmp_path: Path) -> None:
    pytest.importorskip(name.lower())
    file = tmp_path / "reviews.csv"
    file.write_text("id,review,label\n1,a,0\n")
    assert csv_readers.READERS[name][1](file).rows == [("1", "a", "0")]


def test_speeds_are_of_rows_that_were_all_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_readers, "ROUNDS", 1)
    (speed,) = speeds(["csv"], tmp_path, 50)
    assert int(speed.replace(",", "")) > 50
    assert len(by_csv(tmp_path / "long.csv").rows) == 50
