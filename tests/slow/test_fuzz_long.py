"""The fuzz tests of tests/unit with a thousand new examples each, and guided by coverage where atheris installs."""

import subprocess
import sys
from pathlib import Path

import pytest
from fuzzing import (
    check_arguments,
    check_configuration,
    check_file,
    check_standard_input,
    configurations,
    csv_files,
    jsonl_files,
    lines,
    texts,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

thorough = settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
pytestmark = pytest.mark.timeout(1800)


@thorough
@given(reviews=st.lists(texts, min_size=1, max_size=4))
def test_arguments(tiny_model_directory: Path, reviews: list[str]) -> None:
    check_arguments(tiny_model_directory, reviews)


@thorough
@given(data=st.lists(lines, max_size=5).map(b"\n".join))
def test_standard_input(tiny_model_directory: Path, data: bytes) -> None:
    check_standard_input(tiny_model_directory, data)


@thorough
@given(data=csv_files, output=st.sampled_from(["out.csv", "out.jsonl", "out.parquet"]))
def test_csv_files(tiny_model_directory: Path, tmp_path: Path, data: bytes, output: str) -> None:
    check_file(tiny_model_directory, tmp_path, "in.csv", data, output)


@thorough
@given(data=jsonl_files, output=st.sampled_from(["out.csv", "out.jsonl", "out.parquet"]))
def test_jsonl_files(tiny_model_directory: Path, tmp_path: Path, data: bytes, output: str) -> None:
    check_file(tiny_model_directory, tmp_path, "in.jsonl", data, output)


@thorough
@given(text=configurations)
def test_configurations(tmp_path: Path, text: str) -> None:
    check_configuration(tmp_path, text)


@pytest.mark.parametrize("target", ["text", "csv", "jsonl"])
def test_guided_by_coverage(tiny_model_directory: Path, tmp_path: Path, target: str) -> None:
    pytest.importorskip("atheris", reason="needs atheris, which does not install everywhere")
    script = Path(__file__).with_name("coverage_fuzzer.py")
    command = [sys.executable, str(script), target, str(tiny_model_directory), str(tmp_path), "-max_total_time=60"]
    finished = subprocess.run([*command, "-timeout=10"], capture_output=True, text=True, timeout=300, cwd=tmp_path)
    assert finished.returncode == 0, finished.stderr[-3000:]
