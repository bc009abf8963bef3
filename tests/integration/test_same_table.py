"""One table, written as every kind of file and read by every command, is the same table."""

import csv
import gzip
import io
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sentiment.batch.file_job import predict_file
from sentiment.classifier import SentimentClassifier
from sentiment.cli import main as cli
from sentiment.cli.options import LABELS, READING, configured
from sentiment.config import DataConfig, TrainConfig
from sentiment.data.loading import load_reviews
from sentiment.errors import InputError
from sentiment.tables.reader import read_chunks

openpyxl = pytest.importorskip("openpyxl")

Rows = Sequence[tuple[str | None, int]]
"""Texts and labels; a text can be missing."""


def delimited(rows: Rows, delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=delimiter).writerows([("text", "label"), *rows])
    return stream.getvalue().encode(encoding)


def as_json(rows: Rows) -> list[str]:
    return [json.dumps({"text": text, "label": label}, ensure_ascii=False) for text, label in rows]


def as_parquet(rows: Rows, kind: pa.DataType | None = None, **options: Any) -> bytes:
    stream = io.BytesIO()
    texts = pa.array([text for text, _ in rows], pa.string()).cast(kind or pa.string())
    pq.write_table(pa.table({"text": texts, "label": [label for _, label in rows]}), stream, **options)
    return stream.getvalue()


def as_workbook(rows: Rows) -> bytes:
    book, stream = openpyxl.Workbook(write_only=True), io.BytesIO()
    sheet = book.create_sheet()
    for row in [("text", "label"), *rows]:
        cells = [openpyxl.cell.WriteOnlyCell(sheet, value) for value in row]
        for cell in cells:
            if isinstance(cell.value, str):
                cell.data_type = "s"  # "=1" is no formula here
        sheet.append(cells)
    book.save(stream)
    return stream.getvalue()


def zstd(content: bytes) -> bytes:
    stream = pa.BufferOutputStream()
    with pa.CompressedOutputStream(stream, "zstd") as compressed:
        compressed.write(content)
    return bytes(stream.getvalue())


KINDS: dict[str, Callable[[Rows], bytes]] = {
    "comma.csv": delimited,
    "tab.tsv": lambda rows: delimited(rows, "\t"),
    "semicolon.csv": lambda rows: delimited(rows, ";"),
    "pipe.csv": lambda rows: delimited(rows, "|"),
    "excel.csv": lambda rows: b"sep=;\n" + delimited(rows, ";"),
    "mark.csv": lambda rows: delimited(rows, encoding="utf-8-sig"),
    "utf16.csv": lambda rows: delimited(rows, ";", "utf-16"),
    "utf16.tsv": lambda rows: delimited(rows, "\t", "utf-16"),
    "small.csv.gz": lambda rows: gzip.compress(delimited(rows)),
    "array.json": lambda rows: f"[{','.join(as_json(rows))}]".encode(),
    "object.json": lambda rows: f'{{"data": [{",".join(as_json(rows))}]}}'.encode(),
    "lines.jsonl": lambda rows: "\n".join(as_json(rows)).encode(),
    "lines.ndjson": lambda rows: "\r\n".join([*as_json(rows), ""]).encode("utf-8-sig"),
    "small.jsonl.zst": lambda rows: zstd("\n".join(as_json(rows)).encode()),
    "string.parquet": as_parquet,
    "large.parquet": lambda rows: as_parquet(rows, pa.large_string(), row_group_size=2),
    "dictionary.parquet": lambda rows: as_parquet(rows, pa.dictionary(pa.int32(), pa.string())),
    "view.parquet": lambda rows: as_parquet(rows, pa.string_view()),
    "small.parquet.gz": lambda rows: gzip.compress(as_parquet(rows)),
    "sheet.xlsx": as_workbook,
    "SHEET.XLSX.ZST": lambda rows: zstd(as_workbook(rows)),
}
"""{name of the file: what it contains}."""

PARTS = ['"', '""', ",", ";", "|", "\t", "\n", " ", "é", "🎬", "\u2028", "<br />", "NA", "None", "null", "007", "=1+1"]
characters = st.characters(exclude_categories=["Cc", "Cs", "Cn", "Co"])
texts = st.lists(st.text(characters, max_size=5) | st.sampled_from(PARTS), max_size=6).map("".join)
tables = st.lists(st.tuples(st.none() | texts, st.sampled_from([0, 1])), max_size=6)
few = settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def readings(file: Path, classifier: SentimentClassifier) -> dict[str, Any]:
    """Everything that a file of reviews is read for."""
    data = DataConfig(source=str(file))
    output = file.with_name("output.jsonl")
    outcome = predict_file(classifier, data, output, overwrite=True)
    answers = [json.loads(line) for line in output.open(encoding="utf-8")]
    own = [(row.pop("text") or None, int(row.pop("label"))) for row in answers]
    return {
        "loaded": load_reviews(data, "test").to_dict(),
        "unlabeled": load_reviews(data, "train", labeled=False).to_dict(),
        "chunks": [text for chunk in read_chunks([file], data) for text in chunk.texts],
        "outcome": asdict(outcome),
        "own columns": own,
        "answers": answers,
    }


def loaded(rows: Rows) -> dict[str, list[Any]]:
    kept = [(row, text, label) for row, (text, label) in enumerate(rows) if text and text.strip()]
    numbers, found, labels = zip(*kept, strict=True)
    return {"text": list(found), "row": list(numbers), "label": list(labels)}


@few
@given(drawn=tables)
def test_every_kind_of_file_is_the_same_table(
    tmp_path: Path, tiny_classifier: SentimentClassifier, drawn: list[tuple[str | None, int]]
) -> None:
    rows = [("a wonderful film", 1), *drawn, ("", 0), ("NA", 0), ("007", 1), ("!!!", 0), ('a "dull", film', 0)]
    expected = loaded(rows)
    first = None
    for name, content in KINDS.items():
        (tmp_path / name).write_bytes(content(rows))
        found = readings(tmp_path / name, tiny_classifier)
        assert found["loaded"] == expected, name
        assert found["chunks"] == [text if text and text.strip() else None for text, _ in rows], name
        assert found["own columns"] == [(text or None, label) for text, label in rows], name
        first = first or found
        assert found == first, name
    predictions = tiny_classifier.predict([text or "" for text, _ in rows])
    labels = [prediction.label for prediction in predictions]
    assert first is not None and [row["predicted_label"] for row in first["answers"]] == labels


@few
@given(drawn=st.lists(texts.map(lambda text: text.replace("\n", " ")), min_size=1, max_size=8))
def test_lines_are_the_same_reviews_as_rows(
    tmp_path: Path, tiny_classifier: SentimentClassifier, drawn: list[str]
) -> None:
    rows = [("a wonderful film", 1), *((text, 0) for text in drawn)]
    content = "".join(f"{text}\n" for text, _ in rows)
    kinds = {
        "lines.txt": content.encode(),
        "last.txt": content.removesuffix("\n").encode() or b"\n",
        "windows.txt": content.replace("\n", "\r\n").encode("utf-8-sig"),
        "utf16.txt": content.encode("utf-16"),
        "lines.txt.gz": gzip.compress(content.encode()),
        "rows.csv": delimited(rows),
    }
    answers = []
    for name, stored in kinds.items():
        (tmp_path / name).write_bytes(stored)
        data = DataConfig(source=str(tmp_path / name))
        predict_file(tiny_classifier, data, tmp_path / "output.jsonl", overwrite=True)
        found = [json.loads(line) for line in (tmp_path / "output.jsonl").open(encoding="utf-8")]
        own = [row.get("predicted_label", row["label"]) for row in found]
        reviews = load_reviews(data, "train", labeled=False).to_dict()
        answers.append(([row["text"] for row in found], own, [row["probability"] for row in found], reviews))
    # an empty line at the very end of a file is not a row
    whole = answers[-1]
    for name, found in zip(kinds, answers, strict=True):
        assert found == whole or (name == "last.txt" and rows[-1][0] == ""), name


# the same refusals


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    """Run a command; returns its exit code, standard output and standard error."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def call(command: str, *arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as leaving:
            cli.run(command, [str(argument) for argument in arguments])
        return int(leaving.value.code or 0), *capsys.readouterr()

    return call


@pytest.fixture
def reading_command(tiny_model_directory: Path, tmp_path: Path) -> Callable[[str, Path], list[str]]:
    """The arguments with which a command reads a file of reviews."""
    model = ["--model", str(tiny_model_directory)]

    def arguments(command: str, file: Path) -> list[str]:
        if command == "predict to a file":
            return [*model, "--input", str(file), "--output", str(tmp_path / "output.jsonl")]
        if command == "predict":
            return [*model, "--input", str(file)]
        if command in ("train", "pretrain", "distill", "evaluate-teachers"):
            config: dict[str, Any] = {"run": {"output_dir": str(tmp_path / "run"), "device": "cpu"}}
            if command in ("distill", "evaluate-teachers"):
                config |= {"pretrained": str(tiny_model_directory), "teachers": [str(tiny_model_directory)]}
                config["model"] = {"embedding_dim": 8, "hidden_dim": 6}
            (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
            return [str(tmp_path / "config.yaml"), f"--data.source={file}"]
        option = "--train-data" if command == "checklist" else "--data"
        return [*model, option, str(file), *(["--no-baselines"] if command == "evaluate" else [])]

    return arguments


COMMANDS = ["predict", "predict to a file", "evaluate", "checklist", "truncation", "short-text", "faithfulness"]
COMMANDS += ["train", "pretrain", "distill", "evaluate-teachers"]
REFUSED = {
    "fields.csv": (b"text,label\nA total bore,although the music is lovely,0\n", "line 2: 3 fields, but the header"),
    "quote.csv": (b'text,label\n"ba"d,0\n', "line 2: a quotation mark inside a quoted field"),
    "bytes.csv": (b"text,label\nb\xe9d,0\n", "line 2: contains bytes that are not UTF-8; the file looks like cp1252"),
    "syntax.jsonl": (b'{"text": \n', "line 1: not valid JSON"),
    "lacks.jsonl": (b'{"label": 1}\n{"text": "a", "label": 1}\n', "line 1: the row has no 'text'"),
    "header.csv": (b"A very good film,1\nA very bad film,0\n", "the first line "),
    "columns.csv": (b"one,other\na b c,c d e\n", "oose one with --text-column"),
    "bytes.json": (b'[{"text": "b\xe9d", "label": 0}]', "not UTF-8"),
    "other.doc": (b"good\n", "the file name must end in .txt"),
    "no.csv": (None, "no such file"),
}  # fmt: skip


CALLS = [(command, "fields.csv") for command in COMMANDS]
CALLS += [(command, name) for name in list(REFUSED)[1:] for command in ("predict", "predict to a file", "evaluate")]


@pytest.mark.parametrize(("command", "name"), CALLS)
def test_every_command_refuses_the_same_file_in_the_same_words(
    run: Callable[..., Any],
    reading_command: Callable[[str, Path], list[str]],
    tmp_path: Path,
    command: str,
    name: str,
) -> None:
    content, sentence = REFUSED[name]
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    code, out, err = run(command.split()[0], *reading_command(command, file))
    last = err.splitlines()[-1]
    assert (code, out) == (2, "") and last.startswith(f"sentiment {command.split()[0]}: {file}: "), err
    assert sentence in last
    assert not (tmp_path / "output.jsonl").exists() and not (tmp_path / "output.jsonl.partial").exists()


def test_bad_rows_are_skipped_and_counted_alike(
    run: Callable[..., Any], reading_command: Callable[[str, Path], list[str]], tmp_path: Path
) -> None:
    file = tmp_path / "in.csv"
    file.write_text("text,label\nA total bore,although the music is lovely,0\ngood film,1\nbad film,0\n,1\n")
    said = f"warning: {file}: skipped: line 2: 3 fields, but the header has 2"
    counted = {
        "predict": "1 row skipped in total",
        "predict to a file": "3 reviews (1 row without a text), 1 row skipped",
    }
    for command in ("predict", "predict to a file", "evaluate", "truncation", "faithfulness"):
        code, out, err = run(command.split()[0], *reading_command(command, file), "--on-bad-row=skip")
        assert code == 0 and said in err, err
        left_out = "2 of 4 rows are used; left out: 1 that cannot be read, 1 without a text."
        assert counted.get(command, left_out) in out + err
    reviews = load_reviews(DataConfig(source=str(file), on_bad_row="skip"), "train")
    assert reviews.to_dict() == {"text": ["good film", "bad film"], "row": [1, 2], "label": [1, 0]}


def test_a_replaced_file_is_evaluated_on_its_new_rows(
    run: Callable[..., Any], reading_command: Callable[[str, Path], list[str]], tmp_path: Path
) -> None:
    file = tmp_path / "test.csv"
    metrics = []
    for rows in ([("good", 1), ("bad", 0)], [("fine", 1), ("poor", 0), ("dull", 0)]):
        file.write_bytes(delimited(rows))
        os.utime(file, (1_700_000_000, 1_700_000_000))
        code, _, err = run("evaluate", *reading_command("evaluate", file), "--output", tmp_path / "out")
        assert code == 0, err
        metrics.append(json.loads((tmp_path / "out" / "metrics.json").read_text()))
        table = pq.read_table(tmp_path / "out" / "predictions.parquet")
        assert table["true_label"].to_pylist() in (
            [label for _, label in rows],
            ["positive" if label else "negative" for _, label in rows],
        )
    assert [found["n"] for found in metrics] == [2, 3]
    assert metrics[0]["data_sha256"] != metrics[1]["data_sha256"]


# options


FLAGS = {keywords["flag"]: name for name, keywords in (READING | LABELS).items()}
VALUES = {
    "text_column": "words",
    "label_column": "stars",
    "on_bad_row": "skip",
    "format": "csv",
    "delimiter": ";",
    "encoding": "cp1252",
    "header": False,
    "quotes": False,
    "label_map": "1=negative,2=positive",
    "positive_from": 4.0,
    "negative_to": 2.0,
}
"""A value of each reading option that is not its default."""


def given_as(name: str) -> list[str]:
    keywords = (READING | LABELS)[name]
    return [keywords["flag"]] if "action" in keywords else [keywords["flag"], str(VALUES[name])]


def test_every_setting_for_reading_is_an_option() -> None:
    others = {"source", "group_column", "groups_file", "validation_fraction", "validation_seed"}
    assert {field.name for field in fields(DataConfig)} - others == set(FLAGS.values()) == set(VALUES)
    assert all(getattr(DataConfig(), name) != VALUES[name] for name in VALUES)


@pytest.mark.parametrize("command", ["evaluate", "checklist", "truncation", "short-text", "faithfulness", "predict"])
def test_commands_that_read_reviews_have_every_reading_option(run: Callable[..., Any], command: str) -> None:
    code, out, _ = run(command, "--help")
    flags = [flag for flag, name in FLAGS.items() if name in READING or command != "predict"]
    assert code == 0 and [flag for flag in flags if flag not in out] == []


RATINGS = ("positive_from", "negative_to")


@pytest.mark.parametrize("names", [[name for name in VALUES if name not in RATINGS], RATINGS])
@pytest.mark.parametrize("command", COMMANDS)
def test_every_reading_option_arrives_where_files_are_read(
    run: Callable[..., Any],
    reading_command: Callable[[str, Path], list[str]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    command: str,
    names: Sequence[str],
) -> None:
    names = [name for name in names if name in READING or not command.startswith("predict")]
    arrived: list[DataConfig] = []

    def stand_in(source: Any, config: DataConfig, *_: Any, **__: Any) -> Any:
        arrived.append(config)
        raise InputError("read")

    (tmp_path / "in.csv").write_text("text,label\ngood,1\n")
    for module in ("sentiment.tables.reader", "sentiment.data.loading", "sentiment.batch.file_job"):
        monkeypatch.setattr(f"{module}.read_chunks", stand_in)
    options = [word for name in names for word in given_as(name)]
    code, _, err = run(command.split()[0], *reading_command(command, tmp_path / "in.csv"), *options)
    assert code == 2 and err.endswith(": read\n"), err
    assert [{name: getattr(config, name) for name in names} for config in arrived] == [
        {name: VALUES[name] for name in names}
    ]


def test_an_option_and_its_setting_are_the_same(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("run:\n  seed: 2\n")
    names = [name for name in VALUES if name not in RATINGS]
    config, _ = configured("train", "", TrainConfig, [str(file), *(word for name in names for word in given_as(name))])
    dotted = [f"--data.{name}={VALUES[name]}" for name in names]
    assert config == configured("train", "", TrainConfig, [str(file), *dotted])[0]
    assert {name: getattr(config.data, name) for name in names} == {name: VALUES[name] for name in names}


@pytest.mark.parametrize("options", [["--encoding", "cp1252"], ["--input-format", "csv"], ["--text-column", "x"]])
def test_reading_options_are_not_ignored_for_lines_of_standard_input(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tiny_model_directory: Path, options: list[str]
) -> None:
    given_lines = "très bon\n".encode("cp1252") if "cp1252" in options else b"very good\n"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given_lines)))
    code, out, err = run("predict", "--model", tiny_model_directory, *options)
    assert (code == 0 and "très bon" in out) or (code == 2 and "--input" in err), (out, err)
