import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment.io import progress
from sentiment.io.progress import estimated_total, review_bar


@given(st.integers(1, 10**6), st.integers(1, 10**9), st.integers(1, 10**9))
def test_a_part_like_the_rest_estimates_the_total(rows: int, position: int, rest: int) -> None:
    size = position + rest
    total = estimated_total(rows, position, size)
    assert total is not None and total >= rows
    assert total == pytest.approx(rows * size / position, abs=1)
    assert estimated_total(rows, size, size) == rows


def test_nothing_is_estimated_from_nothing() -> None:
    assert estimated_total(5, 10, None) is None and estimated_total(0, 0, 10) is None


def test_a_bar_in_a_file_is_updated_less_often(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with review_bar(3, "predict") as bar:
        assert bar.mininterval == progress.FILE_SECONDS
        bar.update(3)
    assert "predict: 100%" in (lines := capsys.readouterr().err) and "3/3" in lines
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with review_bar(3, "predict") as bar:
        assert bar.mininterval <= 1


def test_reviews_of_an_earlier_run_do_not_count_for_the_rate() -> None:
    with review_bar(10, "predict", done=4) as bar:
        bar.update(6)
        assert (bar.n, bar.initial) == (10, 4)
