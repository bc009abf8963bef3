"""`sentiment explain` as a person runs it."""

import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from sentiment.cli.main import run

ROOT = Path(__file__).parent.parent.parent
REVIEW = "A wonderful film, I loved it."


@pytest.fixture
def explain(tiny_model_directory, capfd):
    """The command in this process: (exit code, standard output, standard error)."""

    def call(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            run("explain", ["--model", str(tiny_model_directory), *arguments])
        return left.value.code, *capfd.readouterr()

    return call


def test_json_is_what_the_library_says(explain, tiny_classifier):
    code, output, errors = explain("--json", REVIEW)
    assert (code, errors) == (0, "")
    found = json.loads(output)
    assert found == json.loads(json.dumps(tiny_classifier.explain(REVIEW).to_dict()))
    assert found["words"][-1]["running_probability"] == pytest.approx(found["probability"], abs=1e-5)
    assert len(found["words"]) == found["tokens"] == 8


def test_standard_input_is_one_review_and_a_pipe_gets_no_color(tiny_model_directory):
    command = [sys.executable, "-m", "sentiment", "explain", "--model", str(tiny_model_directory)]
    done = subprocess.run(command, input=b"A wonderful film,\nI loved it.\n", capture_output=True, timeout=100)
    assert done.returncode == 0
    assert b"\x1b" not in done.stdout
    _, table, legend = done.stdout.decode().split("\n\n")
    assert legend.startswith("then: ")
    assert [line.split()[-1] for line in table.splitlines()[1:]] == [
        *["A", "wonderful", "film", ",", "I", "loved", "it", "."]
    ]


def test_a_review_can_be_divided_otherwise(explain):
    code, output, _ = explain("--by", "sentence", "Great fun. A dull story!")
    assert code == 0
    assert [line.split("  ")[-1] for line in output.split("\n\n")[1].splitlines()] == [
        "sentence",
        "Great fun.",
        "A dull story!",
    ]
    code, output, errors = explain("--by", "letter", "Great")
    assert (code, output) == (2, "")
    assert "word" in errors and "phrase" in errors and "sentence" in errors


@pytest.mark.parametrize("no_color", [False, True])
def test_a_terminal_gets_color_unless_no_color_is_set(tiny_model_directory, no_color):
    leader, follower = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    command = [sys.executable, "-m", "sentiment", "explain", "--model", str(tiny_model_directory), REVIEW]
    with subprocess.Popen(
        command, stdout=follower, stdin=subprocess.DEVNULL, env=environment | ({"NO_COLOR": "1"} if no_color else {})
    ) as process:
        os.close(follower)
        output = b""
        while True:
            try:
                part = os.read(leader, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            output += part
    os.close(leader)
    assert process.returncode == 0
    assert b"wonderful" in output
    assert (b"\x1b[38;5;" in output) != no_color


def test_an_argument_that_is_not_utf_8_is_explained(explain, tmp_path):
    for arguments in (["--json"], [], ["--html", str(tmp_path / "page.html")]):
        code, _, _ = explain(*arguments, "good \udcff film")
        assert code == 0
    assert "\ufffd" in (tmp_path / "page.html").read_text("utf-8")


def test_a_page_is_written_and_named(explain, tmp_path):
    page = tmp_path / "new" / "page.html"
    code, output, errors = explain("--html", str(page), REVIEW)
    assert (code, output) == (0, "")
    assert str(page) in errors
    assert page.read_text("utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("arguments", "given", "code", "message"),
    [
        (["--model", "nowhere", "text"], b"", 2, "nowhere: no such model directory"),
        ([], b"\xff\xfe", 2, "standard input: not UTF-8 at byte 0"),
        (["--html", "/dev/null/page.html", "text"], b"", 1, "/dev/null/page.html: cannot be written"),
    ],
)
def test_bad_input_gets_one_sentence(explain, monkeypatch, arguments, given, code, message):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given)))
    found, output, errors = explain(*arguments)
    assert (found, output) == (code, "")
    assert message in errors
    assert errors.count("\n") == 1


def test_the_name_of_a_file_is_refused_and_the_way_to_its_content_is_said(explain, tmp_path):
    file = tmp_path / "review.txt"
    file.write_text("wonderful")
    code, output, errors = explain("--json", str(file))
    assert (code, output) == (2, "")
    assert errors.endswith(f"is a file; for the review in it, write: sentiment explain < {file}\n")


@pytest.mark.parametrize(("text", "reason"), [("", "no text"), ("?!", "no words")])
def test_a_text_without_words_is_refused(explain, tmp_path, text, reason):
    code, output, errors = explain("--html", str(tmp_path / "page.html"), text)
    assert (code, output) == (2, "")
    assert errors.endswith(f"this review has {reason}, so there is nothing to explain.\n")
    assert list(tmp_path.iterdir()) == []


class Terminal(io.BytesIO):
    """Standard input, at which a person types a review."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["explain"], "type a review, then Ctrl-D on a line of its own."),
        (["predict"], "reading reviews from standard input, one per line; end with Ctrl-D."),
        (["predict", "--input", "-", "--input-format", "txt"], "reading standard input; end it with Ctrl-D."),
    ],
)
def test_a_command_that_waits_at_a_terminal_says_for_what(arguments, words, tiny_model_directory, monkeypatch, capfd):
    command, *others = arguments
    for stream, said in ((Terminal(REVIEW.encode()), f"{words}\n"), (io.BytesIO(REVIEW.encode()), "")):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(stream))
        with pytest.raises(SystemExit):
            run(command, [*others, "--model", str(tiny_model_directory)])
        assert capfd.readouterr().err == said
