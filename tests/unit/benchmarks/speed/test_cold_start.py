import sys
import time

import pytest

from benchmarks.speed.cold_start import first_line, table
from sentiment.errors import RunError


def test_the_clock_stops_at_the_first_line() -> None:
    program = "import time; print('answer', flush=True); time.sleep(2)"
    started = time.perf_counter()
    seconds = first_line([sys.executable, "-c", program])
    assert 0 < seconds < time.perf_counter() - started - 1


def test_a_command_that_fails_is_no_figure() -> None:
    with pytest.raises(RunError, match="no such thing"):
        first_line([sys.executable, "-c", "raise SystemExit('no such thing')"])


def test_the_table_shows_the_median_and_the_range() -> None:
    assert table({"this": [0.3, 0.1, 0.9]}).splitlines()[-1] == "| this | 0.30 s | 0.10–0.90 s |"
