"""Hostile input for the command line, and what must hold of every answer to it."""

import contextlib
import io
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from hypothesis import strategies as st

from sentiment.cli import main as cli

ODDITIES = ["\0", "\ud800", "\udfff", "\u202e", "\ufeff", "\u2028", "\x85", "é", "🎬"]
ODDITIES += ["<br />", "&#0;", "&#55296;", "n't"]
texts = st.lists(st.text(max_size=30) | st.sampled_from(ODDITIES), max_size=8).map("".join)
"""Any text that Python can hold, half surrogate pairs included."""

lines = st.binary(max_size=60) | texts.map(lambda text: text.encode("utf-8", "surrogatepass"))
cells = st.text(max_size=20) | st.none() | st.integers() | st.floats() | st.lists(st.integers(), max_size=2)
rows = st.dictionaries(st.sampled_from(["text", "label", "id", "reason"]), texts | cells, max_size=4)
jsonl_files = st.lists(rows.map(lambda row: json.dumps(row).encode()) | lines, max_size=8).map(b"\n".join)
csv_parts = st.sampled_from([b'"', b",", b"\n", b"\r\n", b"text", b"label", b"\xff", b"\0", b"a"]) | lines
csv_files = st.lists(csv_parts).map(lambda parts: b"text,label\n" + b"".join(parts))
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
    """As many lines as reviews, whatever they hold."""
    code, out, _ = call("predict", ["--model", str(model), "--json", "--", *reviews])
    assert code == 0
    # two halves of a surrogate pair side by side are one character to JSON
    assert [json.loads(line)["text"] for line in out.split("\n")[:-1]] == json.loads(json.dumps(reviews))
    code, out, _ = call("predict", ["--model", str(model), "--", *reviews])
    assert (code, out.count("\n")) == (0, len(reviews))


def check_standard_input(model: Path, data: bytes) -> None:
    """As many answers as lines, less those that are reported."""
    code, out, err = call("predict", ["--model", str(model), "--on-bad-row=skip"], data)
    expected = data.count(b"\n") + (not data.endswith(b"\n") and bool(data))
    assert code == 0
    assert out.count("\n") + err.count("skipped: ") == expected


def check_file(model: Path, directory: Path, name: str, data: bytes, output: str) -> None:
    """A file is answered whole, or refused in one sentence with nothing left behind."""
    (directory / name).write_bytes(data)
    target = directory / output
    target.unlink(missing_ok=True)
    arguments = ["--model", str(model), "--input", str(directory / name), "--output", str(target), "--on-bad-row=skip"]
    code, out, err = call("predict", arguments)
    assert code in (0, 2), err
    assert not (directory / f"{output}.partial").exists()
    if code == 2:
        assert not target.exists() and err.splitlines()[-1].startswith("sentiment predict: ")
        return
    if output.endswith(".parquet"):
        found = pq.read_metadata(target).num_rows
    else:
        found = len(target.read_bytes().splitlines()) if output.endswith(".jsonl") else None
    assert found in (None, int(out.rpartition(": ")[2].split()[0]))


def check_configuration(directory: Path, text: str) -> None:
    """A configuration file is refused in one sentence, or names reviews that are not there."""
    file = directory / "config.yaml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    code, _, err = call("train", [str(file), "--data.source=nowhere.csv", f"--run.output_dir={directory / 'run'}"])
    assert code == 2 and len(err.strip().splitlines()) == 1, err


outputs = st.sampled_from(["out.csv", "out.jsonl", "out.parquet"])
CASES: dict[str, tuple[st.SearchStrategy[Any], Callable[[Path, Path, Any], None]]] = {
    "arguments": (
        st.lists(texts, min_size=1, max_size=4),
        lambda model, _, reviews: check_arguments(model, reviews),
    ),
    "standard input": (
        st.lists(lines, max_size=5).map(b"\n".join),
        lambda model, _, data: check_standard_input(model, data),
    ),
    "csv files": (
        st.tuples(csv_files, outputs),
        lambda model, directory, drawn: check_file(model, directory, "in.csv", *drawn),
    ),
    "jsonl files": (
        st.tuples(jsonl_files, outputs),
        lambda model, directory, drawn: check_file(model, directory, "in.jsonl", *drawn),
    ),
    "configurations": (
        configurations,
        lambda _, directory, text: check_configuration(directory, text),
    ),
}
"""What can be handed in, and what is called with a model directory, a scratch directory and an example of it."""
