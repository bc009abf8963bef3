import logging
import re
import sys
import time
from functools import partial
from types import SimpleNamespace

import pytest
import tqdm
from hypothesis import given
from hypothesis import strategies as st

from sentiment.io import progress
from sentiment.io.progress import estimated_total, in_proportion, review_bar, step


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> pytest.CaptureFixture[str]:
    """Standard error is a terminal, and its clock runs fast."""
    monkeypatch.setattr(progress, "_at_terminal", lambda: True)
    monkeypatch.setattr(progress, "CLOCK_SECONDS", 0.01)
    return capsys


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


@given(st.lists(st.integers(1, 50), min_size=1), st.integers(1, 2000))
def test_parts_of_reviews_count_as_reviews(batches: list[int], reviews: int) -> None:
    counted: list[int] = []
    count = in_proportion(counted.append, sum(batches), reviews)
    for batch in batches:
        count(batch)
    assert sum(counted) == reviews and min(counted) >= 0
    assert counted[0] == reviews * batches[0] // sum(batches)


def test_the_time_goes_on_while_nothing_is_finished(terminal: pytest.CaptureFixture[str]) -> None:
    with review_bar(10, "predict"), step("fitting"):
        time.sleep(0.3)
    shown = terminal.readouterr().err
    assert shown.count("predict:") > 5 and shown.count("fitting") > 5


def test_a_step_leaves_one_line(terminal: pytest.CaptureFixture[str]) -> None:
    with step("fitting"):
        pass
    assert re.fullmatch(r"\[00:00\] fitting *", terminal.readouterr().err.rstrip("\n").rpartition("\r")[2])


@pytest.mark.parametrize("fails", [False, True])
def test_a_step_that_passes_or_fails_leaves_nothing(terminal: pytest.CaptureFixture[str], fails: bool) -> None:
    try:
        with step("loading", lasting=fails):
            if fails:
                raise ValueError
    except ValueError:
        pass
    shown = terminal.readouterr().err
    assert "loading" in shown and "\n" not in shown and shown.endswith("\r") and not shown.split("\r")[-2].strip()


def test_a_log_file_gets_a_line_for_a_lasting_step(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.INFO, "sentiment"), step("loading", lasting=False), step("fitting"):
        assert caplog.messages == ["fitting"]
    assert "\r" not in capsys.readouterr().err


def test_nothing_is_shown_if_bars_are_hidden(
    terminal: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet = SimpleNamespace(tqdm=partial(tqdm.tqdm, delay=1e9))  # as with TQDM_DELAY, which `--quiet` sets
    monkeypatch.setattr(progress, "import_module", lambda name: quiet)
    with review_bar(10, "predict") as bar, step("fitting"), review_bar(10, "predict", shown=False) as hidden:
        bar.update(10)
        hidden.update(10)
        time.sleep(0.05)
    assert terminal.readouterr().err == ""
