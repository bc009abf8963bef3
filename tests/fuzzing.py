"""Hostile input for the command line, and what must hold of every answer to it."""

import codecs
import contextlib
import csv
import gzip
import io
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from hypothesis import strategies as st

from sentiment.cli import main as cli
from sentiment.io.formats import format_of

ODDITIES = ["\0", "\ud800", "\udfff", "\u202e", "\ufeff", "\u2028", "\x85", "é", "🎬"]
ODDITIES += ["<br />", "&#0;", "&#55296;", "n't"]
texts = st.lists(st.text(max_size=30) | st.sampled_from(ODDITIES), max_size=8).map("".join)
"""Any text that Python can hold, half surrogate pairs included."""

lines = st.binary(max_size=60) | texts.map(lambda text: text.encode("utf-8", "surrogatepass"))
cells = st.text(max_size=20) | st.none() | st.integers() | st.floats() | st.lists(st.integers(), max_size=2)
rows = st.dictionaries(st.sampled_from(["text", "label", "id", "reason"]), texts | cells, max_size=4)
jsonl_files = st.lists(rows.map(lambda row: json.dumps(row).encode()) | lines, max_size=8).map(b"\n".join)
json_parts = st.sampled_from([b"[", b"]", b"{", b"}", b",", b'"data":', b'{"text":"a"}', b'"text"', b"null"]) | lines
json_files = (
    st.lists(rows, max_size=6).map(lambda found: json.dumps(found).encode())
    | st.lists(rows, max_size=6).map(
        lambda found: json.dumps({"data": found}, ensure_ascii=False).encode(errors="replace")
    )
    | st.lists(json_parts, max_size=8).map(b"".join)
)
csv_parts = st.sampled_from([b'"', b",", b"\n", b"\r\n", b"\r", b"text", b"label", b"\xff", b"\0", b"a"]) | lines
csv_files = st.lists(csv_parts).map(lambda parts: b"text,label\n" + b"".join(parts))
tsv_files = csv_files.map(lambda data: data.replace(b",", b"\t"))
semicolons = csv_files.map(lambda data: data.replace(b",", b";"))
excel_exports = semicolons.map(lambda data: b"sep=;\r\n" + data)
marks = st.sampled_from(
    [codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, b"\x1f\x8b", b"PK\x03\x04", b"PAR1"]
)
encoded = st.tuples(marks, csv_files).map(b"".join) | csv_files.map(
    lambda data: data.decode("latin-1").encode("utf-16")
)
headerless = st.lists(csv_parts).map(b"".join)
damage = st.tuples(st.integers(0, 40), st.binary(max_size=3))


def damaged(data: bytes, place: int, change: bytes) -> bytes:
    """The data with some bytes replaced, counted from its end."""
    return data if not change else data[: max(0, len(data) - place)] + change + data[max(0, len(data) - place + 3) :]


gzip_files = st.tuples(csv_files, damage).map(lambda drawn: damaged(gzip.compress(drawn[0], mtime=0), *drawn[1]))
excel_cells = st.text(max_size=20).filter(str.isprintable) | st.none() | st.integers() | st.booleans() | st.floats()


def workbook(found: Sequence[Sequence[Any]]) -> bytes:
    """The rows as an .xlsx file."""
    import openpyxl

    book, stream = openpyxl.Workbook(write_only=True), io.BytesIO()
    sheet = book.create_sheet()
    for row in [("text", "label"), *found]:
        sheet.append(row)
    book.save(stream)
    return stream.getvalue()


workbooks = st.tuples(st.lists(st.lists(excel_cells, max_size=3), max_size=6).map(workbook), damage)
excel_files = workbooks.map(lambda drawn: damaged(drawn[0], *drawn[1]))
yaml_words = [
    "run",
    "model",
    "hidden_dim",
    "optimization",
    "epochs",
    "text",
    "data",
    "source",
    "1",
    "-1",
    ".nan",
    "1e99",
]
yaml_marks = [
    ".nan",
    "1e99",
    "[",
    "{",
    "]",
    "}",
    ": ",
    ", ",
    "\n",
    "\n  ",
    "- ",
    "&a",
    "*a",
    "null",
    "'",
    "|",
    "%",
    "\0",
    "é",
]
settings = st.sampled_from([*yaml_words, *yaml_marks, "!!python/object:os.system"])
configurations = st.lists(settings | st.text(max_size=5), max_size=20).map("".join)


def call(command: str, arguments: Sequence[str], stdin: bytes = b"") -> tuple[int, str, str]:
    """Run a command in this process; returns exit code, standard output and standard error.

    Raises:
        Exception: whatever would reach the user as a traceback.
    """
    out, err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), io.StringIO()
    former = sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            cli.run(command, arguments)
    except SystemExit as leaving:
        out.seek(0)
        return int(leaving.code or 0), out.read(), err.getvalue()
    finally:
        sys.stdin = former
    raise AssertionError("cli.run returned")


def check_arguments(model: Path, reviews: Sequence[str]) -> None:
    """As many lines as reviews, whatever they hold; but what ends like the name of a file is refused."""
    if any(format_of(Path(review)) is not None for review in reviews):
        assert call("predict", ["--model", str(model), "--", *reviews])[0] == 2
        return
    code, out, _ = call("predict", ["--model", str(model), "--json", "--", *reviews])
    assert code == 0
    # two halves of a surrogate pair side by side are one character to JSON
    assert [json.loads(line)["text"] for line in out.split("\n")[:-1]] == json.loads(json.dumps(reviews))
    code, out, _ = call("predict", ["--model", str(model), "--", *reviews])
    assert (code, out.count("\n")) == (0, len(reviews))


def check_standard_input(model: Path, data: bytes) -> None:
    """As many answers as lines, less those that are reported."""
    code, out, err = call("predict", ["--model", str(model), "--on-bad-row=skip"], data)
    data = data.removeprefix(codecs.BOM_UTF8)
    expected = data.count(b"\n") + (not data.endswith(b"\n") and bool(data))
    if not data:
        assert ((code, out) == (2, "") and err.endswith("no reviews.\n")) or code == 0
        return
    if code == 2 and not data.isascii() and data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        assert err.startswith("sentiment predict: standard input: ")
    elif code == 2:
        assert "the first line is not a review" in err or "this is not text" in err or "add --encoding utf-16" in err, (
            err
        )
    elif not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        assert code == 0
        assert out.count("\n") + err.count("skipped: ") == expected


def check_file(model: Path, directory: Path, name: str, data: bytes, output: str, *options: str) -> None:
    """A file is answered whole, or refused in one sentence with nothing left behind."""
    (directory / name).write_bytes(data)
    target = directory / output
    target.unlink(missing_ok=True)
    arguments = ["--model", str(model), "--input", str(directory / name), "--output", str(target), "--on-bad-row=skip"]
    code, out, err = call("predict", [*arguments, *options])
    assert code in (0, 2), err
    assert not (directory / f"{output}.partial").exists()
    if code == 2:
        assert not target.exists() and err.splitlines()[-1].startswith("sentiment predict: ")
        return
    assert rows_in(target) == int(out.rpartition(": ")[2].split()[0])


def rows_in(file: Path) -> int:
    """Number of rows of an output, which must be readable."""
    if file.suffix == ".parquet":
        return int(pq.read_metadata(file).num_rows)
    data = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    if ".xlsx" in file.name:
        import openpyxl

        return sum(1 for _ in openpyxl.load_workbook(io.BytesIO(data)).worksheets[0].iter_rows()) - 1
    if ".jsonl" in file.name:
        return len([json.loads(line) for line in data.splitlines()])
    if ".json" in file.name:
        return len(json.loads(data))
    delimiter = "\t" if ".tsv" in file.name else ","
    stream = io.StringIO(data.decode("utf-8"), newline="")
    header, *found = csv.reader(stream, delimiter=delimiter, strict=True)
    assert {len(row) for row in found} == {len(header)}
    return len(found)


def check_configuration(directory: Path, text: str) -> None:
    """A configuration file is refused in one sentence, or names reviews that are not there."""
    file = directory / "config.yaml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    code, _, err = call("train", [str(file), "--data.source=nowhere.csv", f"--run.output_dir={directory / 'run'}"])
    assert code == 2 and len(err.strip().splitlines()) == 1, err


outputs = st.sampled_from(["out.csv", "out.jsonl", "out.parquet", "out.tsv", "out.json", "out.xlsx", "out.csv.gz"])
FILES: dict[str, tuple[str, st.SearchStrategy[bytes], list[str]]] = {
    "csv files": ("in.csv", csv_files, []),
    "jsonl files": ("in.jsonl", jsonl_files, []),
    "json files": ("in.json", json_files, []),
    "tsv files": ("in.tsv", tsv_files, []),
    "csv files with semicolons": ("in.csv", semicolons | excel_exports, []),
    "csv files in other encodings": ("in.csv", encoded, []),
    "csv files in a given encoding": ("in.csv", csv_files, ["--encoding=cp1252"]),
    "csv files without a header": ("in.csv", headerless, ["--no-header", "--text-column=1"]),
    "compressed files": ("in.csv.gz", gzip_files, []),
    "workbooks": ("in.xlsx", excel_files, []),
}
"""{case: (name of the file, its content, options of the command)}."""


def file_case(name: str, files: st.SearchStrategy[bytes], options: Sequence[str]) -> tuple[Any, Callable[..., None]]:
    """A case of `CASES` for files."""
    return st.tuples(files, outputs), lambda model, directory, drawn: check_file(
        model, directory, name, *drawn, *options
    )


CASES: dict[str, tuple[st.SearchStrategy[Any], Callable[[Path, Path, Any], None]]] = {
    "arguments": (
        st.lists(texts, min_size=1, max_size=4),
        lambda model, _, reviews: check_arguments(model, reviews),
    ),
    "standard input": (
        st.lists(lines, max_size=5).map(b"\n".join),
        lambda model, _, data: check_standard_input(model, data),
    ),
    **{case: file_case(*found) for case, found in FILES.items()},
    "configurations": (
        configurations,
        lambda _, directory, text: check_configuration(directory, text),
    ),
}
"""What can be handed in, and what is called with a model directory, a scratch directory and an example of it."""
