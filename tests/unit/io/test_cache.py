from pathlib import Path

import numpy as np
import pytest

from sentiment.io.cache import cache_directory, cached


def test_an_answer_is_computed_once(tmp_path: Path) -> None:
    asked: list[int] = []

    def answer() -> np.ndarray:
        asked.append(1)
        return np.arange(3.0)

    for _ in range(2):
        assert cached(tmp_path / "cache", ["model", "review"], 3, answer).tolist() == [0, 1, 2]
    assert len(asked) == 1
    cached(tmp_path / "cache", ["modelreview"], 3, answer)
    assert len(asked) == 2


def test_a_cache_that_cannot_be_written_costs_a_line_and_not_the_answer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    assert cached(tmp_path / "file" / "cache", ["question"], 2, lambda: np.ones(2)).tolist() == [1, 1]
    (message,) = caplog.messages
    assert message.startswith("a result is not cached") and "\n" not in message
    assert str(tmp_path / "file" / "cache") in message


def test_where_answers_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.setattr("pwd.getpwuid", nobody)
    monkeypatch.delenv("HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_directory() == tmp_path / "sentiment-rnn" / "answers"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_directory() is None
    assert cached(None, ["question"], 2, lambda: np.ones(2)).tolist() == [1, 1]
