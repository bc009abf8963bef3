"""Hostile texts, files and configurations: no traceback, no hang, as many answers as reviews."""

import time
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

from sentiment.classifier import SentimentClassifier
from sentiment.text import normalise, tokenise

quick = settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@quick
@given(reviews=st.lists(texts, min_size=1, max_size=4))
def test_arguments(tiny_model_directory: Path, reviews: list[str]) -> None:
    check_arguments(tiny_model_directory, reviews)


@quick
@given(data=st.lists(lines, max_size=5).map(b"\n".join))
def test_standard_input(tiny_model_directory: Path, data: bytes) -> None:
    check_standard_input(tiny_model_directory, data)


@quick
@given(data=csv_files, output=st.sampled_from(["out.csv", "out.jsonl", "out.parquet"]))
def test_csv_files(tiny_model_directory: Path, tmp_path: Path, data: bytes, output: str) -> None:
    check_file(tiny_model_directory, tmp_path, "in.csv", data, output)


@quick
@given(data=jsonl_files, output=st.sampled_from(["out.csv", "out.jsonl", "out.parquet"]))
def test_jsonl_files(tiny_model_directory: Path, tmp_path: Path, data: bytes, output: str) -> None:
    check_file(tiny_model_directory, tmp_path, "in.jsonl", data, output)


@quick
@given(text=configurations)
def test_configurations(tmp_path: Path, text: str) -> None:
    check_configuration(tmp_path, text)


MEGABYTE = 2**20
LONG = {
    "words": "word " * (MEGABYTE // 5),
    "one word": "x" * MEGABYTE,
    "tags": "<" * MEGABYTE,
    "open tags": "<a " * (MEGABYTE // 3),
    "entities": "&amp" * (MEGABYTE // 4),
    "ampersands": "&" * MEGABYTE,
    "dashes": "-" * MEGABYTE,
    "spaces": " " * MEGABYTE,
    "negations": "n't" * (MEGABYTE // 3),
    "quotes": "'" * MEGABYTE,
    "dots": "." * MEGABYTE,
    "emoji": "🎬" * (MEGABYTE // 4),
    "combining": "a" + "\u0301" * (MEGABYTE // 2),
    "ligatures": "\ufdfa" * (MEGABYTE // 3),
    "surrogates": "\ud800" * MEGABYTE,
}


@pytest.mark.parametrize("name", LONG)
def test_a_megabyte_is_read_in_time_linear_in_its_length(name: str) -> None:
    def seconds(text: str) -> float:
        started = time.process_time()
        tokenise(normalise(text))
        return time.process_time() - started

    text = LONG[name]
    quarter, whole = min(seconds(text[: len(text) // 4]) for _ in range(2)), seconds(text)
    assert whole < 8 * max(quarter, 0.05)
    assert whole < 10


@pytest.mark.parametrize("name", ["words", "one word", "emoji"])
def test_a_megabyte_is_answered_in_seconds(tiny_classifier: SentimentClassifier, name: str) -> None:
    started = time.process_time()
    prediction = tiny_classifier.predict(LONG[name])
    assert time.process_time() - started < 10
    assert 0 < prediction.probability < 1
