from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from sentiment.io import cache
from sentiment.io.cache import cache_directory, cached, cached_by_text


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


def test_only_new_texts_are_computed(tmp_path: Path) -> None:
    asked: list[list[str]] = []

    def lengths(texts: Sequence[str]) -> np.ndarray:
        asked.append(list(texts))
        return np.array([len(text) for text in texts], np.float32)

    assert cached_by_text(tmp_path, ["model"], ["a", "bb", "a"], lengths).tolist() == [1, 2, 1]
    assert cached_by_text(tmp_path, ["model"], ["ccc", "a"], lengths).tolist() == [3, 1]
    assert cached_by_text(tmp_path, ["model"], ["bb", "ccc"], lengths).tolist() == [2, 3]
    assert asked == [["a", "bb"], ["ccc"]]
    assert cached_by_text(tmp_path, ["other model"], ["a"], lengths).tolist() == [1]
    assert cached_by_text(None, ["model"], ["a", "a"], lengths).tolist() == [1, 1]
    assert asked[2:] == [["a"], ["a"]]
    assert cached_by_text(tmp_path, ["model"], [], lengths).shape == (0,)


def test_what_was_computed_before_a_stop_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "PART", 2)
    asked: list[str] = []

    def stops(texts: Sequence[str]) -> np.ndarray:
        asked.extend(texts)
        if "c" in texts and len(asked) < 5:
            raise KeyboardInterrupt
        return np.ones(len(texts), np.float32)

    with pytest.raises(KeyboardInterrupt):
        cached_by_text(tmp_path, ["model"], ["a", "b", "c"], stops)
    assert cached_by_text(tmp_path, ["model"], ["a", "b", "c", "d", "e"], stops).tolist() == [1] * 5
    assert asked == ["a", "b", "c", "c", "d", "e"]


def test_a_damaged_cache_of_texts_is_computed_again(tmp_path: Path) -> None:
    for _ in range(2):
        assert cached_by_text(tmp_path, ["model"], ["a"], lambda texts: np.ones(len(texts))).tolist() == [1]
        for file in tmp_path.iterdir():
            file.write_bytes(b"damaged")
