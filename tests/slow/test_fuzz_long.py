"""The fuzz tests of tests/unit with a thousand new examples each, and guided by coverage where atheris installs."""

import subprocess
import sys
from pathlib import Path

import pytest
from fuzzing import CASES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

thorough = settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
pytestmark = pytest.mark.timeout(1800)


@pytest.mark.parametrize("case", CASES)
@thorough
@given(data=st.data())
def test_hostile_input(tiny_model_directory: Path, tmp_path: Path, case: str, data: st.DataObject) -> None:
    strategy, check = CASES[case]
    check(tiny_model_directory, tmp_path, data.draw(strategy))


@pytest.mark.parametrize("target", ["text", "csv", "jsonl"])
def test_guided_by_coverage(tiny_model_directory: Path, tmp_path: Path, target: str) -> None:
    pytest.importorskip("atheris", reason="needs atheris, which does not install everywhere")
    script = Path(__file__).with_name("coverage_fuzzer.py")
    command = [sys.executable, str(script), target, str(tiny_model_directory), str(tmp_path), "-max_total_time=60"]
    finished = subprocess.run([*command, "-timeout=10"], capture_output=True, text=True, timeout=300, cwd=tmp_path)
    assert finished.returncode == 0, finished.stderr[-3000:]
