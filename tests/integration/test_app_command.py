"""`sentiment app`: a page in a directory, and a page at a local address."""

import json
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from sentiment.models.language_model import LanguageModel
from sentiment.persistence.checkpoint import save_checkpoint

FILES = {
    "index.html",
    "style.css",
    "app.js",
    "worker.js",
    "model.json",
    "model.safetensors",
    "vocabulary.json",
    "tables.json",
}


def app(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sentiment", "app", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_export(tmp_path: Path) -> None:
    for _ in range(2):  # the second replaces the first
        done = app("--export", tmp_path / "page")
        assert (done.returncode, done.stdout, done.stderr) == (0, f"page: {tmp_path / 'page'}\n", "")
    files = {file.name: file.stat().st_size for file in (tmp_path / "page").iterdir()}
    assert set(files) == FILES
    assert sum(files.values()) < 6_000_000
    html = (tmp_path / "page" / "index.html").read_text("utf-8")
    assert "connect-src 'self'" in html and "//" not in html.replace("http://www.w3.org", "")


def test_export_of_a_model_directory(tmp_path: Path, tiny_model_directory: Path) -> None:
    assert app("--export", tmp_path / "page", "--model", tiny_model_directory).returncode == 0
    config = json.loads((tmp_path / "page" / "model.json").read_text("utf-8"))
    assert config["name"] == "tiny" and config["model"]["hidden_dim"] == 6


@pytest.mark.parametrize("there", ["file", "other files", "a page and other files"])
def test_export_replaces_nothing_else(tmp_path: Path, there: str) -> None:
    target = tmp_path / "page"
    if there == "file":
        target.write_text("mine")
    elif there == "other files":
        target.mkdir()
        (target / "index.html").write_text("mine")
    else:
        app("--export", target)
        (target / "CNAME").write_text("mine")
    done = app("--export", target)
    assert done.returncode == 2 and re.fullmatch(r"sentiment app: .*page: .*; choose .*\.\n", done.stderr)
    mine = {"file": target, "other files": target / "index.html"}.get(there, target / "CNAME")
    assert mine.read_text() == "mine"


def test_models_that_cannot_be_shown(tmp_path: Path, tiny_checkpoint) -> None:
    settings = {"vocab_size": len(tiny_checkpoint.text.vocabulary), "embedding_dim": 8, "hidden_dim": 6}
    weights = LanguageModel(**settings).state_dict()
    other = replace(tiny_checkpoint, kind="language-model", model_settings=settings, weights=weights)
    save_checkpoint(other, tmp_path / "language_model")
    done = app("--export", tmp_path / "page", "--model", tmp_path / "language_model")
    assert done.returncode == 2 and "'language-model', but a 'sentiment-rnn' is needed" in done.stderr
    assert app("--export", tmp_path / "page", "--model", "imdb-smal").stderr.endswith("did you mean imdb-small?\n")
    assert not (tmp_path / "page").exists()


@contextmanager
def running(*arguments: str):
    command = [sys.executable, "-m", "sentiment", "app", "--no-browser", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process, process.stdout.readline().removeprefix("page: ").strip()
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_serving(number: int, code: int) -> None:
    with running("--port", "0") as (process, address):
        with urlopen(address) as response:
            assert b"SentimentRNN" in response.read()
            assert response.headers["Content-Type"] == "text/html; charset=utf-8"
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
        for name in ("app.js", "worker.js"):
            assert urlopen(address + name).headers["Content-Type"] == "text/javascript; charset=utf-8"
        with pytest.raises(HTTPError, match="404"):
            urlopen(address + "../../etc/passwd")
        process.send_signal(number)
        assert process.wait(timeout=10) == code
        assert process.stderr.read() == "Ctrl-C closes it.\nsentiment app: closed.\n"


def test_ports() -> None:
    assert app("--port", "65536").stderr == (
        "sentiment app: --port: 65536 is not a port, a whole number from 0 to 65535.\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = app("--port", port, "--no-browser")
        assert done.returncode == 2
        assert done.stderr == f"sentiment app: port {port}: Address already in use; choose another with --port.\n"
    with running() as (_, first), running() as (_, second):  # without --port another one is taken
        assert first != second
        assert urlopen(second).status == 200
