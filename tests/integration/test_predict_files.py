"""`sentiment predict` on arguments, standard input and files, as a person calls it."""

import csv
import io
import json
import os
import shlex
import signal
from dataclasses import fields
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sentiment.batch import file_job, readers
from sentiment.classifier import Prediction, SentimentClassifier
from sentiment.cli import main as cli

TEXTS = ["a wonderful film", "I hated it, truly", 'She said "great"', "two\nlines", "", "naïve émigré 🎬", "dull"]
ADDED = [field.name for field in fields(Prediction)]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers.chunks, "__defaults__", (2,))
    monkeypatch.setattr(readers, "CHUNK_ROWS", 2)


@pytest.fixture
def predict(tiny_model_directory: Path, capsys: pytest.CaptureFixture[str]):
    """Run the command; returns exit code, standard output and standard error."""

    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as leaving:
            cli.run("predict", ["--model", str(tiny_model_directory), *map(str, arguments)])
        return leaving.value.code, *capsys.readouterr()

    return call


def write(file: Path, texts: list[str]) -> Path:
    rows = [{"id": index, "text": text, "label": index % 2} for index, text in enumerate(texts)]
    if file.suffix == ".parquet":
        pq.write_table(pa.table({name: [row[name] for row in rows] for name in rows[0]}), file)
    elif file.suffix == ".csv":
        with file.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    elif file.suffix == ".jsonl":
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        file.write_text("".join(text.replace("\n", " ") + "\n" for text in texts))
    return file


def read(file: Path) -> list[dict]:
    if file.suffix == ".parquet":
        return pq.read_table(file).to_pylist()
    if file.suffix == ".csv":
        with file.open(newline="") as stream:
            return list(csv.DictReader(stream))
    return [json.loads(line) for line in file.read_text().splitlines()]


@pytest.mark.parametrize("output", [".csv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("source", [".txt", ".csv", ".jsonl", ".parquet"])
def test_every_kind_of_file_keeps_order_and_columns(
    predict, tmp_path: Path, tiny_classifier: SentimentClassifier, source: str, output: str
) -> None:
    inputs, outputs = write(tmp_path / f"in{source}", TEXTS), tmp_path / f"out{output}"
    code, stdout, _ = predict("--input", inputs, "--output", outputs)
    assert code == 0 and stdout.startswith(f"{outputs}: {len(TEXTS)} reviews in ")
    texts = [text.replace("\n", " ") for text in TEXTS] if source == ".txt" else TEXTS
    rows = read(outputs)
    assert [row["text"] for row in rows] == texts
    label = "label" if source == ".txt" else "predicted_label"
    own = ["text"] if source == ".txt" else ["id", "text", "label"]
    assert list(rows[0]) == [*own, label, *ADDED[1:]]
    expected = tiny_classifier.predict(texts)
    assert [row[label] for row in rows] == [prediction.label for prediction in expected]
    assert [float(row["probability"]) for row in rows] == pytest.approx([p.probability for p in expected], abs=1e-6)
    assert rows[4]["reason"] == "no words"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([inputs.name, outputs.name])


def test_parquet_keeps_its_types(predict, tmp_path: Path) -> None:
    kinds = {"text": pa.string(), "when": pa.timestamp("ns"), "raw": pa.binary(), "tags": pa.list_(pa.int8())}
    columns = {
        "text": ["good", "bad", "so so"],
        "when": [1, None, 3],
        "raw": [b"\xff", b"", None],
        "tags": [[1], [], None],
    }
    table = pa.table({name: pa.array(values, kinds[name]) for name, values in columns.items()})
    pq.write_table(table, tmp_path / "in.parquet")
    assert predict("--input", tmp_path / "in.parquet", "--output", tmp_path / "out.parquet")[0] == 0
    assert pq.read_table(tmp_path / "out.parquet").select(table.column_names).equals(table)
    code, _, message = predict("--input", tmp_path / "in.parquet", "--output", tmp_path / "out.jsonl")
    assert code == 2 and "contains bytes" in message


def test_a_parquet_file_is_not_kept_in_memory_as_it_is_read(tmp_path: Path) -> None:
    texts = [os.urandom(500).hex() for _ in range(2000)]
    file = tmp_path / "reviews.parquet"
    with pq.ParquetWriter(file, pa.schema({"text": pa.string()})) as writer:
        for start in range(0, len(texts), 100):
            writer.write_table(pa.table({"text": texts[start : start + 100]}))
    before, most = pa.total_allocated_bytes(), 0
    for _ in readers.read_chunks(file, "text"):
        most = max(most, pa.total_allocated_bytes() - before)
    assert most < 0.8 * file.stat().st_size


@pytest.mark.parametrize("values", [[1, "one"], [[10**20], [1]], [{"a": "\ud800"}, {}]])
def test_values_that_parquet_cannot_hold_are_refused(predict, tmp_path: Path, values: list[object]) -> None:
    rows = [{"text": "good", "extra": value} for value in values]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    code, _, stderr = predict("--input", tmp_path / "in.jsonl", "--output", tmp_path / "out.parquet")
    assert code == 2 and "a column has values of different types" in stderr
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]
    assert predict("--input", tmp_path / "in.jsonl", "--output", tmp_path / "out.jsonl")[0] == 0
    assert [row["extra"] for row in read(tmp_path / "out.jsonl")] == values


def test_arguments_give_one_line_each(predict) -> None:
    code, stdout, stderr = predict("a wonderful film", "two\nlines\x1b[31m " + "and more " * 50, "")
    lines = stdout.splitlines()
    assert code == 0 and len(lines) == 3 and stderr == ""
    assert lines[0].split()[0] in ("positive", "negative") and lines[0].endswith("a wonderful film")
    assert "\x1b" not in stdout and "…" in lines[1] and "truncated" in lines[1] and "[no words]" in lines[2]


def test_json_lines_hold_the_text_and_the_prediction(predict, tiny_classifier: SentimentClassifier) -> None:
    texts = ["two\nlines", "half a pair \ud83d", "nul \0"]
    code, stdout, _ = predict("--json", *texts)
    rows = [json.loads(line) for line in stdout.splitlines()]
    assert code == 0 and [row.pop("text") for row in rows] == texts
    assert rows == [prediction.to_dict() for prediction in tiny_classifier.predict(texts)]


def test_the_name_of_a_file_is_answered_and_the_way_to_its_content_is_said(
    predict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(Path("my reviews.csv"), TEXTS)
    code, stdout, stderr = predict("my reviews.csv", "good", "nul \0", "long " * 1000, ".")
    assert code == 0 and len(stdout.splitlines()) == 5 and stderr.count("\n") == 1
    assert stderr.startswith("warning: my reviews.csv is a file")
    command = stderr.split("`")[1]
    assert command == "sentiment predict --input 'my reviews.csv' --output predictions.csv"
    assert predict(*shlex.split(command)[2:])[0] == 0 and len(read(Path("predictions.csv"))) == len(TEXTS)


def give(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_standard_input_is_read_line_by_line(predict, monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, "wonderful\r\n\nnaïve 🎬\nlast, without an end".encode())
    code, stdout, _ = predict()
    assert code == 0
    assert [line.split("  ")[2] for line in stdout.splitlines()] == [
        "wonderful",
        "",
        "naïve 🎬",
        "last, without an end",
    ]


def test_bad_bytes_on_standard_input(predict, monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, b"good\n\xff\nbad\n")
    code, _, stderr = predict()
    assert code == 2 and "standard input: line 2: byte 1 is not UTF-8" in stderr
    give(monkeypatch, b"good\n\xff\nbad\n")
    code, stdout, stderr = predict("--on-bad-row=skip")
    assert code == 0 and len(stdout.splitlines()) == 2 and "1 lines skipped in total" in stderr


BROKEN = {
    "fields.csv": (b"text,n\ngood,1\nbad\nfine,2\n", "line 3: 1 fields, but the header has 2"),
    "quote.csv": (b'text,n\ngood,1\n"ba"d,1\nfine,2\n', "line 3: ',' expected after '\"'"),
    "bytes.csv": (b"text,n\ngood,1\n\xffbad,1\nfine,2\n", "line 3: bytes that are not UTF-8"),
    "syntax.jsonl": (b'{"text": "good"}\n{"text": \n\n{"text": "fine"}\n', "line 2: not valid JSON"),
    "null.jsonl": (b'{"text": "good"}\n{"text": null}\n{"text": "fine"}\n', "line 2: column 'text' contains no text"),
    "lacks.jsonl": (b'{"text": "good"}\n{"other": 1}\n{"text": "fine"}\n', "line 2: column 'text' contains no text"),
    "number.jsonl": (
        b'{"text": "good"}\n{"text": 3}\n{"text": "fine"}\n',
        "line 2: column 'text' contains int, not text",
    ),
    "array.jsonl": (b'{"text": "good"}\n[1]\n{"text": "fine"}\n', "line 2: contains a JSON list, not an object"),
    "deep.jsonl": (b'{"text": "good"}\n' + b"[" * 100_000 + b'\n{"text": "fine"}\n', "line 2: not valid JSON"),
    "bytes.txt": (b"good\nb\xe9d\nfine\n", "line 2: byte 2 is not UTF-8"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_row_stops_or_is_left_out(predict, tmp_path: Path, name: str) -> None:
    data, sentence = BROKEN[name]
    (tmp_path / name).write_bytes(data)
    output = tmp_path / "out.jsonl"
    code, stdout, stderr = predict("--input", tmp_path / name, "--output", output)
    assert code == 2 and stdout == "" and f"{tmp_path / name}: {sentence}" in stderr
    assert [path.name for path in tmp_path.iterdir()] == [name]
    code, stdout, stderr = predict("--input", tmp_path / name, "--output", output, "--on-bad-row", "skip")
    assert code == 0 and sentence in stderr and "2 reviews, 1 rows skipped" in stdout
    assert [row["text"] for row in read(output)] == ["good", "fine"]


def test_parquet_rows_without_text(predict, tmp_path: Path) -> None:
    bad_bytes = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0"), pa.py_buffer(b"\xff")])
    texts = pa.concat_arrays([pa.array(["good", None, "fine"]), bad_bytes])
    pq.write_table(pa.table({"text": texts, "n": [1, 2, 3, 4]}), tmp_path / "in.parquet")
    code, _, stderr = predict("--input", tmp_path / "in.parquet", "--output", tmp_path / "out.csv")
    assert code == 2 and "row 2: column 'text' contains no text" in stderr
    arguments = ("--input", tmp_path / "in.parquet", "--output", tmp_path / "out.csv", "--on-bad-row=skip")
    code, _, stderr = predict(*arguments)
    assert code == 0 and "row 4: byte 1 is not UTF-8" in stderr
    assert [row["n"] for row in read(tmp_path / "out.csv")] == ["1", "3"]


REFUSED = {
    "missing": (["--input", "no.csv", "--output", "o.csv"], "no.csv: no such file"),
    "kind": (["--input", "in.doc", "--output", "o.csv"], "the file name must end in .txt"),
    "empty": (["--input", "empty.csv", "--output", "o.csv"], "the file is empty"),
    "header": (["--input", "header.csv", "--output", "o.csv"], "it contains no reviews"),
    "column": (["--input", "in.csv", "--output", "o.csv"], "no column 'text'; its columns are 'review'"),
    "twice": (["--input", "twice.csv", "--output", "o.csv"], "column 'text' occurs twice"),
    "parquet": (["--input", "in.parquet", "--output", "o.csv"], "not a readable parquet file"),
    "output": (["--input", "in.csv", "--output", "o.txt", "--text-column=review"], "the output must end in .csv"),
    "itself": (["--input", "in.csv", "--output", "./in.csv", "--text-column=review"], "is also the input"),
    "directory": (["--input", ".", "--output", "o.csv"], "not a regular file"),
    "half": (["--input", "in.csv"], "--input and --output go together"),
    "both": (["good", "--input", "in.csv", "--output", "o.csv"], "not both"),
    "resume": (["good", "--resume"], "--resume continues a job on files"),
    "unfinished": (["--input", "in.csv", "--output", "u.csv", "--text-column=review"], "add --resume to continue it"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_calls_get_one_sentence_and_write_nothing(
    predict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.csv").write_text("review\ngood\n")
    (tmp_path / "in.doc").write_text("good\n")
    (tmp_path / "in.parquet").write_text("good\n")
    (tmp_path / "header.csv").write_text("text\n")
    (tmp_path / "twice.csv").write_text("text,text\na,b\n")
    (tmp_path / "empty.csv").touch()
    (tmp_path / "u.csv.partial").mkdir()
    before = sorted(tmp_path.iterdir())
    arguments, sentence = REFUSED[case]
    code, stdout, stderr = predict(*arguments)
    assert code == 2 and stdout == "" and sentence in stderr and len(stderr.splitlines()) == 1
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("moment", ["within a chunk", "after a chunk"])
@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_a_stopped_job_goes_on_where_it_was(predict, tmp_path: Path, monkeypatch, suffix: str, moment: str) -> None:
    source, output, whole = write(tmp_path / "in.csv", TEXTS), tmp_path / f"out{suffix}", tmp_path / f"whole{suffix}"
    output.write_text("what stood there before")
    assert predict("--input", source, "--output", whole)[0] == 0
    answered = file_job._predict_part

    def interrupted(*arguments: object) -> None:
        first = arguments[2].name.startswith("rows-000000000000")  # type: ignore[attr-defined]
        if moment == "within a chunk" and not first:
            os.kill(os.getpid(), signal.SIGTERM)
        answered(*arguments)  # type: ignore[arg-type]
        if moment == "after a chunk":
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(file_job, "_predict_part", interrupted)
    code, _, stderr = predict("--input", source, "--output", output)
    assert code == 143 and "stopped by SIGTERM after 2 rows" in stderr and "--resume" in stderr
    assert output.read_text() == "what stood there before"
    monkeypatch.setattr(file_job, "_predict_part", answered)
    calls: list[int] = []
    ask = SentimentClassifier.predict
    monkeypatch.setattr(
        SentimentClassifier, "predict", lambda self, texts: calls.append(len(texts)) or ask(self, texts)
    )
    assert predict("--input", source, "--output", output, "--resume")[0] == 0
    assert calls == [2, 2, 1]
    assert output.read_bytes() == whole.read_bytes() if suffix != ".parquet" else read(output) == read(whole)


def test_a_job_on_other_input_is_not_taken_up(predict, tmp_path: Path, monkeypatch) -> None:
    source, output = write(tmp_path / "in.csv", TEXTS), tmp_path / "out.csv"
    source.write_bytes(source.read_bytes() + b"9,bad,row,here\n")
    assert predict("--input", source, "--output", output)[0] == 2
    assert (tmp_path / "out.csv.partial").is_dir()  # three chunks are answered; they wait for --resume
    source.write_bytes(source.read_bytes() + b"9,good,1\n")
    code, _, stderr = predict("--input", source, "--output", output, "--resume", "--on-bad-row=skip")
    assert code == 2 and "was started with another input" in stderr
