"""Hostile texts, files and configurations: no traceback, no hang, one prediction per review."""

import time
from pathlib import Path

import pytest
from fuzzing import CASES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentiment.classifier import SentimentClassifier
from sentiment.text.normalization import normalize
from sentiment.text.tokenizer import tokenize

quick = settings(
    max_examples=15, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.parametrize("case", CASES)
@quick
@given(data=st.data())
def test_hostile_input(tiny_model_directory: Path, tmp_path: Path, case: str, data: st.DataObject) -> None:
    strategy, check = CASES[case]
    check(tiny_model_directory, tmp_path, data.draw(strategy))


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
    "joined emoji": "👩\u200d👧\u200d" * (MEGABYTE // 16),
    "joined pairs": "👩\u200d👩 " * (MEGABYTE // 16),
    "combining": "a" + "\u0301" * (MEGABYTE // 2),
    "unordered accents": "a" + "\u0301\u0316" * (MEGABYTE // 4),
    "ligatures": "\ufdfa" * (MEGABYTE // 3),
    "surrogates": "\ud800" * MEGABYTE,
}


@pytest.mark.parametrize("name", LONG)
def test_tokenizing_a_megabyte_takes_linear_time(name: str) -> None:
    def seconds(text: str) -> float:
        started = time.process_time()
        tokenize(normalize(text))
        return time.process_time() - started

    text = LONG[name]
    # linear time takes 16 times as long, quadratic time 256 times; a busy machine and the garbage collector add some
    part, whole = (min(seconds(one) for _ in range(2)) for one in (text[: len(text) // 16], text))
    assert whole < 64 * max(part, 0.02)
    assert whole < 10


@pytest.mark.parametrize("name", ["words", "one word", "emoji"])
def test_a_megabyte_is_predicted_in_seconds(tiny_classifier: SentimentClassifier, name: str) -> None:
    started = time.process_time()
    prediction = tiny_classifier.predict(LONG[name])
    assert time.process_time() - started < 10
    assert prediction.probability is not None and 0 < prediction.probability < 1
