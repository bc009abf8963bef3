from pathlib import Path

import numpy as np
import pytest

from sentiment.answer_cache import default_cache, remembered


def test_an_answer_is_computed_once(tmp_path: Path) -> None:
    asked: list[int] = []

    def answer() -> np.ndarray:
        asked.append(1)
        return np.arange(3.0)

    for _ in range(2):
        assert remembered(tmp_path / "cache", ["model", "review"], 3, answer).tolist() == [0, 1, 2]
    assert len(asked) == 1
    remembered(tmp_path / "cache", ["modelreview"], 3, answer)
    assert len(asked) == 2


def test_a_cache_that_cannot_be_written_costs_a_line_and_not_the_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert remembered(tmp_path / "file" / "cache", ["question"], 2, lambda: np.ones(2)).tolist() == [1, 1]
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("warning: an answer is not kept") and err.count("\n") == 1
    assert str(tmp_path / "file" / "cache") in err


def test_where_answers_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError

    monkeypatch.setattr(Path, "home", no_home)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache() == tmp_path / "sentiment-rnn" / "answers"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_cache() is None
    assert remembered(None, ["question"], 2, lambda: np.ones(2)).tolist() == [1, 1]
