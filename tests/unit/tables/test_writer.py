"""Rows with predictions in every format of output: types, names of columns, and values that a format cannot hold."""

import csv
import io
import json
import logging
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sentiment.batch.file_job import Outcome, predict_file
from sentiment.config import DataConfig
from sentiment.errors import InputError
from sentiment.inference.arrow import FIELDS
from sentiment.inference.base import Predictor, PredictorSettings
from sentiment.inference.prediction import Predictions
from sentiment.tables import chunk as chunks
from sentiment.tables import parquet, reader
from sentiment.tables.excel import MOST_ROWS, check_fits
from sentiment.tables.reader import read_chunks
from sentiment.tables.writer import WRITABLE, added_names

openpyxl = pytest.importorskip("openpyxl")


class Cheerful(Predictor):
    """Likes everything, at once."""

    runtime = "good mood"

    def __init__(self) -> None:
        self.settings = PredictorSettings()

    def logits(self, reviews: Any, batch_tokens: int | None = None, on_batch: Any = None) -> Any:
        raise NotImplementedError

    def predict_columns(self, texts: Any, **options: Any) -> Predictions:
        lengths = np.array([len(text) for text in texts], dtype=np.int64)
        empty = np.array([not text.strip() for text in texts], dtype=bool)
        found, reasons = np.where(empty, np.nan, 0.75), np.where(empty, "no text", None)
        return Predictions(found, lengths, np.zeros_like(lengths), np.zeros_like(empty), empty, reasons)

    def to(self, device: str) -> "Cheerful":
        return self

    def model_digest(self) -> str:
        return "cheerful"


def answer(file: Path, output: Path, **reading: Any) -> list[dict[str, Any]]:
    """Predict a file; returns the rows of the output as its own reader gives them, without the added columns."""
    predict_file(Cheerful(), DataConfig(source=str(file), **reading), output, overwrite=True)
    assert not output.with_name(f"{output.name}.partial").exists()
    added = set(FIELDS.names)
    return [{name: row[name] for name in row if name not in added} for row in table(output)]


def table(file: Path) -> list[dict[str, Any]]:
    """All rows of a file; a review of them need not be text."""
    rows: list[dict[str, Any]] = []
    for chunk in read_chunks([file], DataConfig(source=str(file))):
        assert chunk.problems == []
        rows += chunk.rows.to_pylist() if isinstance(chunk.rows, pa.Table) else chunk.rows
    return rows


def put(file: Path, content: bytes | str) -> Path:
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


OUTPUTS = [f"out.{name}" for name in WRITABLE] + ["out.csv.gz", "out.json.zst", "out.parquet.gz", "out.xlsx.zst"]
TYPED = [name for name in OUTPUTS if not name.startswith(("out.csv", "out.tsv"))]


@pytest.mark.parametrize("output", OUTPUTS)
def test_texts_come_back_from_every_output(tmp_path: Path, output: str) -> None:
    texts = ['She said "great"', "two\nlines", "a,b;c\td|e", "naïve 🎬", "=1+1", "@x", "-2", "007", "NA", " padded "]
    file = put(tmp_path / "in.jsonl", "".join(json.dumps({"text": text, "s": text}) + "\n" for text in texts))
    assert answer(file, tmp_path / output) == [{"text": text, "s": text} for text in texts]


@pytest.mark.parametrize("output", OUTPUTS)
def test_carriage_returns_come_back_from_every_output(tmp_path: Path, output: str) -> None:
    rows = [{"text": "a\rb", "s": "\r"}, {"text": "a\r\nb", "s": "c\r"}]
    file = put(tmp_path / "in.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    if "xlsx" in output:  # XML has only one kind of line end
        rows = [{name: re.sub("\r\n?", "\n", value) for name, value in row.items()} for row in rows]
    assert answer(file, tmp_path / output) == rows


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("character", ["\0", "\x1b", "\ud83d", "\uffff", "\ufffe"])
def test_odd_characters_break_no_output(tmp_path: Path, output: str, character: str) -> None:
    row = {"text": f"odd {character} one", character: character}
    (found,) = answer(put(tmp_path / "in.jsonl", json.dumps(row)), tmp_path / output)
    assert found["text"].startswith("odd ") and found["text"].endswith(" one") and len(found) == 2


def test_text_like_a_formula_stays_text_in_a_workbook(tmp_path: Path) -> None:
    put(tmp_path / "in.csv", 'text,=n\n"=HYPERLINK(""x"")",=1+1\n+3,@a\n')
    answer(tmp_path / "in.csv", tmp_path / "out.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "out.xlsx").worksheets[0]
    cells = [cell for row in sheet.iter_rows(max_col=2) for cell in row]
    assert [cell.value for cell in cells] == ["text", "=n", '=HYPERLINK("x")', "=1+1", "+3", "@a"]
    assert {cell.data_type for cell in cells} == {"s"}


@pytest.mark.parametrize("output", TYPED)
def test_numbers_of_a_csv_become_numbers_and_other_cells_stay(tmp_path: Path, output: str) -> None:
    columns = {
        "text": ["7", "8"],
        "n": ["3", "-4"],
        "x": ["1.5", ""],
        "both": ["2", "2.5"],
        "zeros": ["007", "1"],
        "id": ["12345678901234567890", "1"],
        "na": ["NA", "1"],
        "label": ["0", "1"],
    }
    file = put(tmp_path / "in.csv", "\n".join(map(",".join, [columns, *zip(*columns.values(), strict=True)])))
    one, two = answer(file, tmp_path / output)
    one, two = ({name: row[name] for name in columns if name != "label"} for row in (one, two))
    values = {"text": "7", "n": 3, "x": 1.5, "both": 2.0, "zeros": "007", "id": "12345678901234567890", "na": "NA"}
    assert one == values and two == {**columns_of(columns, 1), "n": -4, "x": None, "both": 2.5}
    assert type(one["n"]) is int
    first = table(tmp_path / output)[0]
    assert (first["label"], first["predicted_label"]) == (0, "positive")


def columns_of(columns: dict[str, list[str]], row: int) -> dict[str, Any]:
    return {name: values[row] for name, values in columns.items() if name != "label"}


@pytest.mark.parametrize("output", ["out.csv", "out.tsv"])
def test_cells_of_a_csv_are_written_as_they_were(tmp_path: Path, output: str) -> None:
    cells = ["007", "1.50", "1e5", "NA", "", "-0", "12345678901234567890", " 3", "true"]
    file = put(tmp_path / "in.csv", "text,x\n" + "".join(f"a,{cell}\n" for cell in cells))
    assert [row["x"] for row in answer(file, tmp_path / output)] == cells


def test_numbers_are_found_in_all_rows_not_only_in_the_first_chunk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (chunks, reader, parquet):
        monkeypatch.setattr(module, "CHUNK_ROWS", 2)
    file = put(tmp_path / "in.csv", "text,n,m,late\na,1,1,\nb,2,2,\nc,3,2.5,\nd,x,3,4\n")
    assert [row["n"] for row in answer(file, tmp_path / "out.json")] == ["1", "2", "3", "x"]
    found = pq.read_table(answer(file, tmp_path / "out.parquet") and tmp_path / "out.parquet").to_pydict()
    assert (found["n"], found["m"], found["late"]) == (["1", "2", "3", "x"], [1, 2, 2.5, 3], [None, None, None, 4])


@pytest.mark.parametrize("values", [[1, "one"], [[10**20], [1]], [{"a": "\ud800"}, {}], [{"a": 1}, {"a": "x"}]])
def test_values_of_different_types_become_json_text_in_typed_outputs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, values: list[object]
) -> None:
    file = put(tmp_path / "in.jsonl", "".join(json.dumps({"text": "good", "extra": value}) + "\n" for value in values))
    found = [row["extra"] for row in answer(file, tmp_path / "out.parquet")]
    assert [value if isinstance(value, str) and value == "one" else json.loads(value) for value in found] == values
    assert "column 'extra' has values " in caplog.text
    assert [row["extra"] for row in answer(file, tmp_path / "out.jsonl")] == values


def test_late_fields_are_kept_and_are_null_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (chunks, reader, parquet):
        monkeypatch.setattr(module, "CHUNK_ROWS", 2)
    file = put(tmp_path / "in.jsonl", '{"text": "a"}\n{"text": "b"}\n{"text": "c", "late": {"x": [1]}}\n')
    answer(file, tmp_path / "out.parquet")
    assert pq.read_table(tmp_path / "out.parquet")["late"].to_pylist() == [None, None, {"x": [1]}]
    assert [row.get("late") for row in answer(file, tmp_path / "out.jsonl")] == [None, None, {"x": [1]}]
    answer(file, tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="") as stream:
        assert [row["late"] for row in csv.DictReader(stream)] == ["", "", '{"x": [1]}']


def test_parquet_keeps_its_types_and_metadata(tmp_path: Path) -> None:
    kinds = {
        "text": pa.string(),
        "when": pa.timestamp("ns"),
        "raw": pa.binary(),
        "tags": pa.list_(pa.int8()),
        "kind": pa.dictionary(pa.int8(), pa.string()),
        "view": pa.string_view(),
    }
    columns = {
        "text": ["good", "bad", None],
        "when": [1, None, 3],
        "raw": [b"\xff", b"", None],
        "tags": [[1], [], None],
        "kind": ["a", "b", "a"],
        "view": ["a", None, ""],
    }
    source = pa.table({name: pa.array(values, kinds[name]) for name, values in columns.items()})
    source = source.replace_schema_metadata({"made": "by hand"})
    pq.write_table(source, tmp_path / "in.parquet")
    answer(tmp_path / "in.parquet", tmp_path / "out.parquet")
    found = pq.read_table(tmp_path / "out.parquet")
    assert found.select(source.column_names).equals(source) and found.schema.metadata[b"made"] == b"by hand"
    for output in ("out.jsonl", "out.csv", "out.xlsx"):
        with pytest.raises(InputError, match=r"contains bytes; choose an output that ends in \.parquet"):
            answer(tmp_path / "in.parquet", tmp_path / output)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["in.parquet", "out.parquet"]
    pq.write_table(source.drop_columns(["raw"]), tmp_path / "in.parquet")
    rows = answer(tmp_path / "in.parquet", tmp_path / "out.jsonl")
    assert rows[0] == {"text": "good", "when": "1970-01-01 00:00:00.000000001", "tags": [1], "kind": "a", "view": "a"}


def test_added_columns_do_not_replace_those_of_the_input() -> None:
    assert added_names(["text"], ["label", "score"]) == {"label": "label", "score": "score"}
    names = added_names(["label", "predicted_label"], ["label", "score"])
    assert names == {"label": "predicted_predicted_label", "score": "score"}


def test_a_workbook_holds_only_so_many_rows_and_characters(tmp_path: Path) -> None:
    file = put(tmp_path / "in.csv", f"text\ngood\n{'x' * 40_000}\n")
    with pytest.raises(InputError, match=r"in\.csv: line 3: .*'text' has 40,000 characters, .* 32,767; "):
        answer(file, tmp_path / "out.xlsx")
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]
    (chunk,) = read_chunks([put(tmp_path / "in.csv", "text\ngood\n")], DataConfig())
    with pytest.raises(InputError, match=r"an \.xlsx file holds at most 1,048,575 rows; choose another output"):
        check_fits(chunk, MOST_ROWS + 1, file_format("xlsx"))
    check_fits(chunk, MOST_ROWS + 1, file_format("csv"))


def file_format(name: Any) -> Any:
    from sentiment.io.formats import FileFormat

    return FileFormat(name)


def test_no_cell_of_a_workbook_is_cut_silently(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "sentiment")
    file = put(tmp_path / "in.jsonl", json.dumps({"text": "good", "notes": "x" * 40_000}))
    try:
        (row,) = answer(file, tmp_path / "out.xlsx")
    except InputError as error:
        assert "32,767" in str(error) and "notes" in str(error)
    else:
        assert len(row["notes"]) == 40_000 or "notes" in caplog.text


def test_several_files_are_one_output_with_the_name_of_each(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    put(source / "b.csv", "text,n\nbad,1\n")
    put(source / "a.csv", "text,m\ngood,x\n")
    rows = answer(source, tmp_path / "out.jsonl")
    assert [(row["text"], row["file"]) for row in rows] == [
        ("good", str(source / "a.csv")),
        ("bad", str(source / "b.csv")),
    ]
    assert rows[1]["n"] == 1 and rows[0]["m"] == "x"


def test_several_parquet_files_with_different_columns(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    pq.write_table(pa.table({"text": ["good"], "n": pa.array([1], pa.int32())}), source / "a.parquet")
    pq.write_table(pa.table({"text": ["bad"], "n": pa.array([2**40]), "m": [1.5]}), source / "b.parquet")
    rows = answer(source / "*.parquet", tmp_path / "all.parquet")
    assert [(row["text"], row["n"], row["m"]) for row in rows] == [("good", 1, None), ("bad", 2**40, 1.5)]


@pytest.mark.parametrize("name", ["in.csv", "in.jsonl", "in.json", "in.xlsx", "in.parquet"])
def test_rows_without_a_text_are_alike_in_every_format(tmp_path: Path, name: str) -> None:
    rows = [{"text": text, "n": n} for n, text in enumerate(["good", None, " ", "bad"])]
    put(tmp_path / "rows.json", json.dumps([{"text": row["text"] or "", "n": row["n"]} for row in rows]))
    if name == "in.parquet":
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / name)
    elif name == "in.xlsx":
        book = openpyxl.Workbook()
        for cells in [("text", "n"), *(tuple(row.values()) for row in rows)]:
            book.active.append(cells)
        book.save(tmp_path / name)
    elif name == "in.csv":
        put(tmp_path / name, "text,n\n" + "".join(f"{row['text'] or ''},{row['n']}\n" for row in rows))
    else:
        lines = [json.dumps(row) for row in rows]
        put(tmp_path / name, "[" + ",".join(lines) + "]" if name == "in.json" else "\n".join(lines))
    outcome = predict_file(Cheerful(), DataConfig(source=str(tmp_path / name)), tmp_path / "out.jsonl")
    assert outcome == Outcome(4, 0, 2)
    found = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [row["n"] for row in found] == [0, 1, 2, 3]
    assert [row["label"] for row in found] == ["positive", None, None, "positive"]
    assert [row["reason"] for row in found] == [None, "no text", "no text", None]
    assert [row["probability"] for row in found] == [row["score"] for row in found] == [0.75, None, None, 0.75]


def test_a_chunk_of_bad_rows_only_is_no_part_of_the_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (chunks, reader, parquet):
        monkeypatch.setattr(module, "CHUNK_ROWS", 2)
    file = put(tmp_path / "in.csv", "text,n\na\nb\nc,1\nd,2\ne\nf\n")
    assert [row["text"] for row in answer(file, tmp_path / "out.csv", on_bad_row="skip")] == ["c", "d"]


def test_standard_output_is_left_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for output_of, ending in (("in.csv", ","), ("in.tsv", "\t")):
        stream = io.TextIOWrapper(io.BytesIO())
        monkeypatch.setattr("sys.stdout", stream)
        put(tmp_path / output_of, f"text{ending}n\ngood{ending}1\n")
        predict_file(Cheerful(), DataConfig(source=str(tmp_path / output_of)), Path("-"))
        stream.flush()
        assert stream.buffer.getvalue().startswith(f"text{ending}n{ending}label".encode())  # type: ignore[attr-defined]
