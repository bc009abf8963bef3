"""Problems of the Hugging Face cache, found behind the errors that its libraries raise."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from sentiment.config import DataConfig
from sentiment.data.loading import load_reviews
from sentiment.errors import InputError, RunError
from sentiment.io.hub_cache import cache_problem
from sentiment.persistence.hub import download


def not_a_directory(tmp_path: Path) -> OSError:
    """The error of a cache whose folder is a file."""
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError) as caught:
        (tmp_path / "file" / "token").read_text()
    return caught.value


def raised_from(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
CLOSED = PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/cache/hub")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (FULL, "(No space left on device); set HF_HOME"),
        (CLOSED, "(/cache/hub: Permission denied); set HF_HOME"),
        (OSError(errno.EROFS, os.strerror(errno.EROFS), "/cache"), "(/cache: Read-only file system)"),
        (raised_from(ValueError("generation failed"), FULL), "(No space left on device)"),
        (raised_from(RuntimeError("lock"), CLOSED), "(/cache/hub: Permission denied)"),
        (OSError("Not enough disk space. Needed: 9 GiB"), "(Not enough disk space)"),
    ],
)
def test_a_cache_that_cannot_be_written_is_named_with_the_way_out(error: Exception, words: str) -> None:
    problem = cache_problem(error)
    assert problem is not None and words in problem and "set HF_HOME" in problem


@pytest.mark.parametrize(
    "error",
    [
        ConnectionError("refused"),
        ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"),
        PermissionError(errno.EACCES, "a firewall"),
        TimeoutError(errno.ETIMEDOUT, "timed out"),
        FileNotFoundError("not cached"),
        ValueError("no such split"),
        None,
    ],
)
def test_other_errors_are_no_problem_of_the_cache(error: Exception | None) -> None:
    assert cache_problem(error) is None


def test_data_and_models_of_the_hub_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    error: Exception = not_a_directory(tmp_path)

    def failing(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr("sentiment.data.loading.load_dataset", failing)
    monkeypatch.setattr("huggingface_hub.snapshot_download", failing)
    words = r"^some/thing: the cache of downloads cannot be written \(\S+/file/token: Not a directory\); .*HF_HOME"
    with pytest.raises(RunError, match=words):
        load_reviews(DataConfig(source="some/thing"), "train")
    with pytest.raises(RunError, match=words):
        download("some/thing")
    error = ValueError("Unknown split")
    with pytest.raises(InputError, match="cannot read its split 'train': Unknown split"):
        load_reviews(DataConfig(source="some/thing"), "train")
    error = ConnectionError("refused")
    with pytest.raises(RunError, match="the hub cannot be reached"):
        download("some/thing")
