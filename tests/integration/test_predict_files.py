"""`sentiment predict` on arguments, standard input and files, as a person calls it."""

import csv
import gzip
import io
import json
import os
import shlex
import signal
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sentiment.batch import file_job, stream
from sentiment.classifier import SentimentClassifier
from sentiment.cli import main as cli
from sentiment.inference import engine
from sentiment.inference.arrow import FIELDS
from sentiment.tables import parquet, reader

openpyxl = pytest.importorskip("openpyxl")

TEXTS = ["a wonderful film", "I hated it, truly", 'She said "great"', "two\nlines", "", "naïve émigré 🎬", "dull"]
ADDED = FIELDS.names


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (parquet, reader):
        monkeypatch.setattr(module, "CHUNK_ROWS", 2)


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
    elif file.suffix in (".csv", ".tsv"):
        with file.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]), delimiter="\t" if file.suffix == ".tsv" else ",")
            writer.writeheader()
            writer.writerows(rows)
    elif file.suffix == ".jsonl":
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif file.suffix == ".json":
        file.write_text(json.dumps({"data": rows}))
    elif file.suffix == ".xlsx":
        book = openpyxl.Workbook()
        for cells in [list(rows[0]), *(list(row.values()) for row in rows)]:
            book.active.append(cells)
        book.save(file)
    elif file.suffix == ".gz":
        file.write_bytes(gzip.compress(write(file.with_suffix(""), texts).read_bytes()))
        file.with_suffix("").unlink()
    else:
        file.write_text("".join(text.replace("\n", " ") + "\n" for text in texts))
    return file


def read(file: Path) -> list[dict]:
    if file.suffix == ".parquet":
        return pq.read_table(file).to_pylist()
    if file.suffix in (".csv", ".tsv"):
        with file.open(newline="") as stream:
            return list(csv.DictReader(stream, delimiter="\t" if file.suffix == ".tsv" else ","))
    if file.suffix == ".xlsx":
        header, *rows = openpyxl.load_workbook(file).worksheets[0].iter_rows(values_only=True)
        return [dict(zip(header, row, strict=True)) for row in rows]
    if file.suffix == ".json":
        return json.loads(file.read_text())
    if file.suffix == ".gz":
        whole = file.with_name(f"whole-{file.name}").with_suffix("")
        whole.write_bytes(gzip.decompress(file.read_bytes()))
        rows = read(whole)
        whole.unlink()
        return rows
    return [json.loads(line) for line in file.read_text().splitlines()]


ENDINGS = [".csv", ".tsv", ".json", ".jsonl", ".parquet", ".xlsx", ".csv.gz"]


@pytest.mark.parametrize(
    ("source", "output"),
    [*((source, ".jsonl") for source in [".txt", *ENDINGS]), *((".csv", output) for output in ENDINGS)],
)
def test_every_kind_of_file_keeps_order_and_columns(
    predict, tmp_path: Path, tiny_classifier: SentimentClassifier, source: str, output: str
) -> None:
    inputs, outputs = write(tmp_path / f"in{source}", TEXTS), tmp_path / f"out{output}"
    code, stdout, _ = predict("--input", inputs, "--output", outputs)
    assert code == 0 and stdout.startswith(f"{outputs}: {len(TEXTS)} reviews (1 row without a text) in ")
    texts = [text.replace("\n", " ") for text in TEXTS] if source == ".txt" else TEXTS
    rows = read(outputs)
    assert [row["text"] or "" for row in rows] == texts
    label = "label" if source == ".txt" else "predicted_label"
    own = ["text"] if source == ".txt" else ["id", "text", "label"]
    assert list(rows[0]) == [*own, label, *ADDED[1:]]
    expected = tiny_classifier.predict(texts)
    assert [row[label] or None for row in rows] == [prediction.label for prediction in expected]
    for name in ("probability", "score"):
        found = [None if row[name] in (None, "") else float(row[name]) for row in rows]
        assert found == pytest.approx([getattr(prediction, name) for prediction in expected], abs=1e-6)
    assert rows[4]["reason"] == "no text"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([inputs.name, outputs.name])


def test_arguments_give_one_line_each(predict) -> None:
    code, stdout, stderr = predict("a wonderful film", "two\nlines\x1b[31m " + "and more " * 50, "")
    lines = stdout.splitlines()
    assert code == 0 and len(lines) == 3 and stderr == ""
    assert lines[0].split()[0] in ("positive", "negative") and lines[0].endswith("a wonderful film")
    assert "\x1b" not in stdout and "…" in lines[1] and "truncated" in lines[1] and "[no text]" in lines[2]


def test_json_lines_hold_the_text_and_the_prediction(predict, tiny_classifier: SentimentClassifier) -> None:
    texts = ["two\nlines", "half a pair \ud83d", "nul \0"]
    code, stdout, _ = predict("--json", *texts)
    rows = [json.loads(line) for line in stdout.splitlines()]
    assert code == 0 and [row.pop("text") for row in rows] == texts
    assert rows == [prediction.to_dict() for prediction in tiny_classifier.predict(texts)]


def test_texts_without_words_have_no_label(predict) -> None:
    code, stdout, _ = predict("--json", "!!!", "<br />", "—", " ", "good")
    rows = [json.loads(line) for line in stdout.splitlines()]
    assert code == 0 and [row["reason"] for row in rows[:4]] == ["no words"] * 3 + ["no text"]
    assert all(row[name] is None for row in rows[:4] for name in ("label", "probability", "score"))
    assert all(row["uncertain"] is True for row in rows[:4]) and rows[4]["label"] in ("positive", "negative")
    assert predict("!!!")[1].startswith("no label  -      !!!  [no words]")


def test_a_file_alone_is_read(predict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(Path("my reviews.csv"), TEXTS)
    code, stdout, stderr = predict("my reviews.csv")
    assert code == 0 and len(stdout.splitlines()) == len(TEXTS)
    assert stderr == "warning: 1 row without a text, so without a label.\n"
    assert predict("--input", "my reviews.csv")[1] == predict("*.csv")[1] == predict("--input", ".")[1] == stdout
    code, stdout, _ = predict("my reviews.csv", "--json")
    assert [json.loads(line)["text"] for line in stdout.splitlines()] == TEXTS
    assert predict("my reviews.csv", "--output", "out.csv")[0] == 0 and len(read(Path("out.csv"))) == len(TEXTS)


@pytest.mark.parametrize("arguments", [["in.csv", "good"], ["good", "in.csv"], ["in.csv", "in.csv"]])
def test_a_file_among_reviews_is_refused(
    predict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write(Path("in.csv"), TEXTS)
    code, stdout, stderr = predict(*arguments)
    assert (code, stdout) == (2, "") and stderr.startswith("sentiment predict: in.csv is a file; give one file alone")


def test_the_name_of_a_missing_file_is_refused(predict, monkeypatch: pytest.MonkeyPatch) -> None:
    code, stdout, stderr = predict("my reviews.csv")
    assert (code, stdout) == (2, "") and "my reviews.csv: no such file. If this is a review, give it on " in stderr
    command = stderr.strip().rpartition(": ")[2]
    assert shlex.split(command) == ["echo", "my reviews.csv", "|", "sentiment", "predict"]
    give(monkeypatch, b"my reviews.csv\n")
    assert predict()[0] == 0
    assert predict("What a mess...", "I saw it in 4.zip")[0] == 0


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
    assert code == 2 and "standard input: line 2: contains bytes that are not UTF-8" in stderr
    give(monkeypatch, b"good\n\xff\nbad\n")
    code, stdout, stderr = predict("--on-bad-row=skip")
    assert code == 0 and len(stdout.splitlines()) == 2 and "1 row skipped in total" in stderr


@pytest.mark.parametrize(("first", "kind"), [("text,label", "csv"), ('{"text": "good"}', "jsonl")])
def test_a_table_on_standard_input_is_refused_until_it_is_named(
    predict, monkeypatch: pytest.MonkeyPatch, first: str, kind: str
) -> None:
    data = (first + ("\n" if kind == "jsonl" else "\ngood,1\n")).encode()
    give(monkeypatch, data)
    code, stdout, stderr = predict()
    assert (code, stdout) == (2, "") and f"--input - --input-format {kind}" in stderr
    give(monkeypatch, data)
    code, stdout, _ = predict("--input", "-", "--input-format", kind)
    assert code == 0 and len(stdout.splitlines()) == 1


def test_tables_go_through_standard_input_and_output(predict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, output = write(tmp_path / "in.csv", TEXTS), tmp_path / "out.csv"
    assert predict("--input", source, "--output", output)[0] == 0
    give(monkeypatch, source.read_bytes())
    code, stdout, stderr = predict("--input", "-", "--input-format", "csv", "--output", "-")
    assert code == 0 and stdout == output.read_text("utf-8") and f"{len(TEXTS)} reviews (1 row without" in stderr
    give(monkeypatch, source.read_bytes())
    code, _, stderr = predict("--input", "-", "--input-format", "csv", "--output", tmp_path / "out.jsonl")
    assert code == 0 and len(read(tmp_path / "out.jsonl")) == len(TEXTS)
    code, stdout, stderr = predict("--input", "-", "--output", "-")
    assert (code, stdout) == (2, "") and "standard input: say what it contains with --input-format" in stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv", "out.jsonl"]


BROKEN = {
    "fields.csv": (b"text,n\ngood,1\nbad\nfine,2\n", "line 3: 1 field, but the header has 2"),
    "fields.tsv": (b"text\tn\ngood\t1\nbad\t\t\nfine\t2\n", "line 3: 3 fields, but the header has 2"),
    "quote.csv": (b'text,n\ngood,1\n"ba"d,1\nfine,2\n', "line 3: a quotation mark inside a quoted field"),
    "bytes.csv": (b"text,n\ngood,1\n\xffbad,1\nfine,2\n", "line 3: contains bytes that are not UTF-8"),
    "syntax.jsonl": (b'{"text": "good"}\n{"text": \n\n{"text": "fine"}\n', "line 2: not valid JSON"),
    "lacks.jsonl": (b'{"text": "good"}\n{"other": 1}\n{"text": "fine"}\n', "line 2: the row has no 'text'"),
    "first.jsonl": (b'{"other": 1}\n{"text": "good"}\n{"text": "fine"}\n', "line 1: the row has no 'text'"),
    "twice.jsonl": (b'{"text": "good"}\n{"text": "a", "text": "b"}\n{"text": "fine"}\n', "line 2: not valid JSON"),
    "number.jsonl": (
        b'{"text": "good"}\n{"text": 3}\n{"text": "fine"}\n',
        "line 2: column 'text' contains a number, not text",
    ),
    "array.jsonl": (b'{"text": "good"}\n[1]\n{"text": "fine"}\n', "line 2: not an object"),
    "deep.jsonl": (b'{"text": "good"}\n' + b"[" * 100_000 + b'\n{"text": "fine"}\n', "line 2: not valid JSON"),
    "array.json": (b'[{"text": "good"}, 1, {"text": "fine"}]', "item 2: not an object"),
    "bytes.txt": (b"good\nb\xe9d\nfine\n", "line 2: contains bytes that are not UTF-8"),
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
    assert code == 0 and sentence in stderr and "2 reviews, 1 row skipped in " in stdout
    assert [row["text"] for row in read(output)] == ["good", "fine"]
    code, stdout, stderr = predict("--input", tmp_path / name)
    assert code == 2 and sentence in stderr
    code, stdout, stderr = predict("--input", tmp_path / name, "--on-bad-row", "skip")
    assert code == 0 and len(stdout.splitlines()) == 2 and "1 row skipped in total" in stderr


def test_parquet_rows_without_text(predict, tmp_path: Path) -> None:
    bad_bytes = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0"), pa.py_buffer(b"\xff")])
    texts = pa.concat_arrays([pa.array(["good", None, "fine"]), bad_bytes])
    pq.write_table(pa.table({"text": texts, "n": [1, 2, 3, 4]}), tmp_path / "in.parquet")
    code, _, stderr = predict("--input", tmp_path / "in.parquet", "--output", tmp_path / "out.csv")
    assert code == 2 and "row 4: contains bytes that are not UTF-8" in stderr
    arguments = ("--input", tmp_path / "in.parquet", "--output", tmp_path / "out.csv", "--on-bad-row=skip", "--resume")
    code, stdout, stderr = predict(*arguments)
    assert code == 0 and "row 4: contains bytes that are not UTF-8" in stderr
    assert "3 reviews (1 row without a text), 1 row skipped in" in stdout
    rows = read(tmp_path / "out.csv")
    assert [row["n"] for row in rows] == ["1", "2", "3"] and rows[1]["reason"] == "no text" and rows[1]["label"] == ""


REFUSED = {
    "missing": (["--input", "no.csv", "--output", "o.csv"], "no.csv: no such file"),
    "kind": (["--input", "in.doc", "--output", "o.csv"], "the file name must end in .txt"),
    "empty": (["--input", "empty.csv", "--output", "o.csv"], "the file is empty"),
    "header": (["--input", "header.csv", "--output", "o.csv"], "it contains no reviews"),
    "column": (["--input", "two.csv", "--output", "o.csv"], "oose one with --text-column"),
    "wrong": (["--input", "in.csv", "--output", "o.csv", "--text-column=x"], "no column 'x'; its columns are 'review'"),
    "parquet": (["--input", "in.parquet", "--output", "o.csv"], "not a readable parquet file"),
    "output": (["--input", "in.csv", "--output", "o.txt"], "the output must end in .csv"),
    "exists": (["--input", "in.csv", "--output", "two.csv"], "two.csv: already exists; choose another output, or add"),
    "itself": (["--input", "in.csv", "--output", "./in.csv", "--overwrite"], "is also the input"),
    "folder": (["--input", "in.csv", "--output", "d.csv", "--overwrite"], "is a directory"),
    "mixture": (["--input", ".", "--output", "o.csv"], "has files of several formats"),
    "pattern": (["--input", "*.tsv", "--output", "o.csv"], "*.tsv: no file "),
    "half": (["--output", "o.csv"], "--output needs --input"),
    "both": (["good", "--input", "in.csv", "--output", "o.csv"], "not both"),
    "resume": (["good", "--resume"], "--resume and --overwrite are for jobs that write files"),
    "overwrite": (["--input", "in.csv", "--overwrite"], "--resume and --overwrite are for jobs that write files"),
    "stream": (["--input", "in.csv", "--output", "-", "--resume"], "standard input and output cannot be resumed"),
    "json": (["--input", "in.csv", "--output", "o.csv", "--json"], "choose an --output that ends in .jsonl"),
    "unfinished": (["--input", "in.csv", "--output", "u.csv"], "add --resume to continue it"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_bad_calls_get_one_sentence_and_write_nothing(
    predict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.csv").write_text("review\ngood\n")
    (tmp_path / "in.doc").write_text("good\n")
    (tmp_path / "in.parquet").write_text("good\n")
    (tmp_path / "header.csv").write_text("text\n")
    (tmp_path / "two.csv").write_text("one,other\na b c,d e f\n")
    (tmp_path / "empty.csv").touch()
    (tmp_path / "u.csv.partial").mkdir()
    (tmp_path / "d.csv").mkdir()
    before = sorted(tmp_path.iterdir())
    arguments, sentence = REFUSED[case]
    code, stdout, stderr = predict(*arguments)
    said = [line for line in stderr.splitlines() if "the reviews are in the column" not in line]
    assert code == 2 and stdout == "" and sentence in stderr and len(said) == 1
    assert sorted(tmp_path.iterdir()) == before


def test_a_file_without_a_readable_row_is_refused(predict, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("text,n\na\nb\n")
    code, stdout, stderr = predict("--input", tmp_path / "in.csv", "--output", tmp_path / "o.csv", "--on-bad-row=skip")
    assert (code, stdout) == (2, "") and stderr.endswith("in.csv: none of its 2 rows can be read.\n")
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_an_output_is_replaced_only_on_request(predict, tmp_path: Path) -> None:
    source, output = write(tmp_path / "in.csv", TEXTS), tmp_path / "out.csv"
    output.write_text("what stood there before")
    code, _, stderr = predict("--input", source, "--output", output)
    assert code == 2 and f"{output}: already exists" in stderr and "--overwrite" in stderr
    assert output.read_text() == "what stood there before"
    assert predict("--input", source, "--output", output, "--overwrite")[0] == 0
    assert len(read(output)) == len(TEXTS)


@pytest.mark.parametrize("moment", ["within a chunk", "after a chunk"])
@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_a_stopped_job_goes_on_where_it_was(predict, tmp_path: Path, monkeypatch, suffix: str, moment: str) -> None:
    source, output, whole = write(tmp_path / "in.csv", TEXTS), tmp_path / f"out{suffix}", tmp_path / f"whole{suffix}"
    output.write_text("what stood there before")
    assert predict("--input", source, "--output", whole)[0] == 0
    answered, rounds = file_job.predict_texts, []

    def interrupted(classifier: object, texts: list, *others: object) -> list:
        rounds.append(texts)
        if moment == "within a chunk" and len(rounds) > 1:
            os.kill(os.getpid(), signal.SIGTERM)
        predictions = answered(classifier, texts, *others)
        if moment == "after a chunk":
            os.kill(os.getpid(), signal.SIGTERM)
        return predictions

    monkeypatch.setattr(file_job, "predict_texts", interrupted)
    code, _, stderr = predict("--input", source, "--output", output, "--overwrite")
    assert code == 143 and "stopped by SIGTERM after 2 rows" in stderr and "--resume" in stderr
    assert output.read_text() == "what stood there before"
    monkeypatch.setattr(file_job, "predict_texts", answered)
    calls: list[int] = []
    ask = SentimentClassifier.predict_columns
    monkeypatch.setattr(
        SentimentClassifier,
        "predict_columns",
        lambda self, texts, **others: calls.append(len(texts)) or ask(self, texts, **others),
    )
    assert predict("--input", source, "--output", output, "--resume", "--overwrite")[0] == 0
    assert calls == [2, 2, 1]
    assert output.read_bytes() == whole.read_bytes() if suffix != ".parquet" else read(output) == read(whole)


BAD = {
    "csv": ("text,id", "{text},{id}", "broken"),
    "jsonl": ("", '{{"text": "{text}", "id": {id}}}', "broken"),
}


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("output", [".csv", ".parquet"])
def test_a_job_with_broken_rows_that_is_stopped_after_each_chunk_has_every_good_row_once(
    predict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, output: str
) -> None:
    header, good, broken = BAD[kind]
    pattern = "gb bg gg bb gg gb bb g"  # chunks of two rows, good or broken
    rows = [
        good.format(text=f"film {n}", id=n) if row == "g" else broken for n, row in enumerate(pattern.replace(" ", ""))
    ]
    source = tmp_path / f"in.{kind}"
    source.write_text("\n".join([header, *rows] if header else rows) + "\n")
    arguments = ("--input", source, "--on-bad-row=skip", "--output")
    whole, stopped = tmp_path / f"whole{output}", tmp_path / f"stopped{output}"
    code, said, _ = predict(*arguments, whole)
    counts = f"{pattern.count('g')} reviews, {pattern.count('b')} rows skipped in "
    assert code == 0 and counts in said
    finished = file_job.write_part

    def stop_after(*given: object) -> None:
        finished(*given)  # type: ignore[arg-type]
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(file_job, "write_part", stop_after)
    seen, resume = [], []
    for _ in range(len(rows)):
        code, said, stderr = predict(*arguments, stopped, *resume)
        if code == 0:
            break
        assert code == 143
        seen.append(int(stderr.rpartition(" rows;")[0].split()[-1]))
        resume = ["--resume"]
    assert code == 0 and counts in said
    assert seen == sorted(set(seen)) and len(seen) > 3 and seen[-1] == len(rows)
    good_ids = [str(n) for n, row in enumerate(pattern.replace(" ", "")) if row == "g"]
    assert [str(row["id"]) for row in read(stopped)] == good_ids
    assert read(stopped) == read(whole)


def test_a_job_on_other_input_is_not_taken_up(predict, tmp_path: Path, monkeypatch) -> None:
    source, output = write(tmp_path / "in.csv", TEXTS), tmp_path / "out.csv"
    source.write_bytes(source.read_bytes() + b"9,bad,row,here\n")
    assert predict("--input", source, "--output", output)[0] == 2
    assert (tmp_path / "out.csv.partial").is_dir()  # three chunks are answered; they wait for --resume
    source.write_bytes(source.read_bytes() + b"9,good,1\n")
    code, _, stderr = predict("--input", source, "--output", output, "--resume", "--on-bad-row=skip")
    assert code == 2 and "was started with another input" in stderr


@pytest.mark.parametrize("option", ["--no-quotes", "--no-header", "--delimiter=;", "--encoding=cp1252"])
def test_a_job_that_reads_its_input_in_another_way_is_not_taken_up(predict, tmp_path: Path, option: str) -> None:
    source, output = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("text\n" + "good film\n" * 5 + "bad,row\n")
    assert predict("--input", source, "--output", output)[0] == 2
    assert (tmp_path / "out.csv.partial").is_dir()
    code, _, stderr = predict("--input", source, "--output", output, "--resume", option)
    assert code == 2 and "was started with another way of reading" in stderr


class Bar:
    """Stands in for a progress bar; `seen` has its count and total after each update."""

    def __init__(self, total: int | None, doing: str, done: int = 0, shown: bool = True) -> None:
        self.n, self.total, self.shown, self.seen = done, total, shown, [(done, total)]

    def update(self, count: int) -> None:
        self.n += count
        self.seen.append((self.n, self.total))

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *_: object) -> None:
        self.seen.append((self.n, self.total))


def test_progress_counts_reviews_within_chunks_and_over_runs(predict, tmp_path: Path, monkeypatch) -> None:
    """Also in the first chunk, which is a large part of a small file, and in a job that is resumed."""
    bars: list[Bar] = []
    monkeypatch.setattr(file_job, "review_bar", lambda *how: bars.append(Bar(*how)) or bars[-1])
    monkeypatch.setattr(reader, "CHUNK_ROWS", 30)
    monkeypatch.setattr(engine, "BATCH_TOKENS", 40)
    rows = [f"{number},a wonderful film number {number}" for number in range(99)]
    rows[70] = "70,too,many,fields"
    file = tmp_path / "in.csv"
    file.write_text("\n".join(["id,text", *rows]) + "\n")
    code, _, err = predict("--input", file, "--output", tmp_path / "out.jsonl")
    assert code == 2 and "Correct it, or skip such rows" in err
    code, _, err = predict("--input", file, "--output", tmp_path / "out.jsonl", "--on-bad-row=skip", "--resume")
    assert code == 0, err
    stopped, resumed = bars
    assert stopped.seen[0] == (0, None) and resumed.seen[0] == (60, None)
    assert len([n for n, _ in stopped.seen if 0 < n < 30]) >= 3  # batches of the first chunk
    for bar, last in ((stopped, 60), (resumed, 99)):
        counts = [n for n, _ in bar.seen]
        assert counts == sorted(counts) and counts[-1] == last
        assert all(total is not None and n <= total for n, total in bar.seen[1:])
    assert resumed.seen[-1] == (99, 99)


def test_printing_into_a_file_shows_progress_at_the_terminal(predict, tmp_path: Path, monkeypatch) -> None:
    """A bar between printed lines would disturb, so there is none if they may reach the terminal."""
    bars: list[Bar] = []
    monkeypatch.setattr(stream, "review_bar", lambda *how, **more: bars.append(Bar(*how, **more)) or bars[-1])
    monkeypatch.setattr(reader, "CHUNK_ROWS", 5)
    rows = [f"{number},a wonderful film" for number in range(12)]
    rows[7] = "7,too,many,fields"
    file = tmp_path / "in.csv"
    file.write_text("\n".join(["id,text", *rows]) + "\n")
    assert predict("--input", file, "--on-bad-row=skip")[0] == 0
    monkeypatch.setattr(stream, "_writes_to_file", lambda: True)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert predict("--input", file, "--on-bad-row=skip")[0] == 0
    assert [bar.shown for bar in bars] == [False, True]
    assert bars[1].seen[-1] == (12, 12) and all(total is None or n <= total for n, total in bars[1].seen)
