from pathlib import Path

import numpy as np
import pytest

from sentiment.io.cache import cache_directory, cached


def test_logits_are_computed_only_once(tmp_path: Path) -> None:
    calls: list[int] = []

    def compute() -> np.ndarray:
        calls.append(1)
        return np.arange(3.0)

    for _ in range(2):
        assert cached(tmp_path / "cache", ["model", "review"], 3, compute).tolist() == [0, 1, 2]
    assert len(calls) == 1
    cached(tmp_path / "cache", ["modelreview"], 3, compute)
    assert len(calls) == 2


def test_a_cache_that_cannot_be_written_gives_only_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").touch()
    assert cached(tmp_path / "file" / "cache", ["key"], 2, lambda: np.ones(2)).tolist() == [1, 1]
    (message,) = caplog.messages
    assert message.startswith("a result is not cached") and "\n" not in message
    assert message.endswith(f": {tmp_path / 'file' / 'cache'} cannot be written: Not a directory.")


def test_cache_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_user(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.setattr("pwd.getpwuid", no_user)
    monkeypatch.delenv("HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_directory() == tmp_path / "sentiment-rnn" / "answers"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_directory() is None
    assert cached(None, ["key"], 2, lambda: np.ones(2)).tolist() == [1, 1]
