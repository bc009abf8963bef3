"""What `predict` can be told, with the tiny model, whose maximum length is 40 tokens."""

import json
import logging
import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment.classifier import SentimentClassifier
from sentiment.errors import InputError
from sentiment.inference import base
from sentiment.inference.bands import Band
from sentiment.inference.base import PredictorSettings
from sentiment.persistence.checkpoint import Checkpoint

HEAD, TAIL = "great " * 40, "awful " * 40
LONG = HEAD + TAIL

BANDS = [
    {"accuracy": 0.9, "confident_from": 0.5, "coverage": 1.0},
    {"accuracy": 0.985, "confident_from": 0.8, "coverage": 0.6},
    {"accuracy": 0.98, "confident_from": 0.95, "coverage": 0.3},
    {"accuracy": 0.995, "confident_from": 0.999, "coverage": 0.1},
]


@pytest.fixture(scope="module")
def classifier(tiny_checkpoint: Checkpoint) -> SentimentClassifier:
    calibration = tiny_checkpoint.calibration | {"bands": BANDS, "confident_from": 0.7}
    return SentimentClassifier(replace(tiny_checkpoint, calibration=calibration), precision="fp32", name="tiny")


def logit(classifier: SentimentClassifier, text: str, **options: Any) -> float:
    probability = classifier.predict(text, **options).probability
    assert probability is not None
    return float(np.log(probability / (1 - probability)))


def test_each_way_to_read_a_long_text(classifier: SentimentClassifier) -> None:
    assert logit(classifier, LONG, long_text="head") == pytest.approx(logit(classifier, HEAD), abs=1e-5)
    assert logit(classifier, LONG, long_text="tail") == pytest.approx(logit(classifier, TAIL), abs=1e-5)
    parts = [HEAD, "great " * 20 + "awful " * 20, TAIL]  # neighbors overlap by half
    mean = np.mean([logit(classifier, part) for part in parts])
    assert logit(classifier, LONG, long_text="windows") == pytest.approx(mean, abs=1e-5)
    longer = replace(classifier.checkpoint, text=replace(classifier.text, max_length=80))
    whole = logit(SentimentClassifier(longer, precision="fp32"), LONG)
    assert logit(classifier, LONG, long_text="whole") == pytest.approx(whole, abs=1e-5)
    truncated = {way: classifier.predict(LONG, long_text=way).truncated for way in ("head", "tail", "windows", "whole")}
    assert truncated == {"head": True, "tail": True, "windows": False, "whole": False}
    assert classifier.predict(LONG) == classifier.predict(LONG, long_text=classifier.text.keep)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.text("ab .!", max_size=400), max_size=5))
def test_windows_change_nothing_but_long_texts(classifier: SentimentClassifier, texts: list[str]) -> None:
    plain, windows = classifier.predict(texts), classifier.predict(texts, long_text="windows")
    for one, other in zip(plain, windows, strict=True):
        assert (one.tokens, one.reason is None) == (other.tokens, other.reason is None)
        if not one.truncated:
            assert one.probability == pytest.approx(other.probability, abs=1e-6)


def test_a_target_accuracy_moves_the_band(classifier: SentimentClassifier) -> None:
    text = next(text for text in ("great", "fun", "a wonderful film") if classifier.predict(text).score)
    for target, bound in ((None, 0.7), (0.51, 0.5), (0.9, 0.5), (0.98, 0.8), (0.99, 0.999)):
        found = classifier.predict(text, target_accuracy=target)
        assert found.score is not None and found.uncertain == (found.score < bound), target
    assert classifier.band(0.98) == Band(0.985, 0.8, 0.6)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"target_accuracy": 0.999}, r"no band of this model reached more than 0\.9950, and that for 10% of them"),
        ({"target_accuracy": 99}, "target_accuracy is 99; give a share above 0.5, such as 0.99"),
        ({"target_accuracy": float("nan")}, "target_accuracy is nan; give a share"),
        ({"target_accuracy": 0.5}, "target_accuracy is 0.5; give a share above 0.5"),
        ({"long_text": "middle"}, "long_text is 'middle'; give one of head, tail, windows, whole"),
        ({"batch_tokens": 0}, "batch_tokens is 0; give a number from 1 on"),
    ],
)
def test_a_wrong_option_is_refused(classifier: SentimentClassifier, options: Any, words: str) -> None:
    for texts in ("great", ["great"], []):
        with pytest.raises(InputError, match=words):
            classifier.predict(texts, **options)


def test_a_model_without_bands_has_no_target_accuracy(tiny_classifier: SentimentClassifier) -> None:
    with pytest.raises(InputError, match="was saved without bands"):
        tiny_classifier.predict("great", target_accuracy=0.9)


def test_settings_are_the_defaults_of_the_options_and_part_of_the_digest(classifier: SentimentClassifier) -> None:
    changed = pickle.loads(pickle.dumps(classifier))
    changed.settings = PredictorSettings("head", 0.99)
    changed = changed.to("cpu")
    assert changed.predict(LONG) == classifier.predict(LONG, long_text="head", target_accuracy=0.99)
    assert changed.predict(LONG, long_text="tail").probability == classifier.predict(LONG).probability
    assert classifier.digest() == classifier.checkpoint.digest() != changed.digest()
    changed.settings = PredictorSettings()
    assert changed.digest() == classifier.digest()


def test_progress_counts_reviews_also_over_blocks_and_windows(
    classifier: SentimentClassifier, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(base, "BLOCK", 5)
    texts, counts = [LONG, "great", "", *["a wonderful film"] * 9], []
    found = classifier.predict_columns(texts, long_text="windows", batch_tokens=40, on_batch=counts.append)
    assert sum(counts) == len(texts) and len(counts) > 3
    one_by_one = [classifier.predict(text, long_text="windows").to_dict() for text in texts]
    for row, prediction in enumerate(found.rows()):
        assert prediction.to_dict() == pytest.approx(one_by_one[row], abs=1e-6)
    assert capsys.readouterr().err == ""
    classifier.predict_proba(texts, show_progress=True)
    assert "12/12" in capsys.readouterr().err


def test_no_text_at_all(classifier: SentimentClassifier) -> None:
    assert classifier.predict([]) == [] and classifier([]) == []
    assert classifier.predict_proba([]).shape == (0, 2)
    assert classifier.predict([], long_text="windows", show_progress=True) == []


def test_a_call_is_that_of_a_pipeline(classifier: SentimentClassifier) -> None:
    texts = ["a wonderful film", ""]
    predictions = classifier.predict(texts)
    assert classifier(texts) == [{"label": p.label, "score": p.score} for p in predictions]
    assert classifier(texts[0]) == classifier(texts[:1]) == classifier(iter(texts[:1]))


def test_polarity_and_three_way_label(classifier: SentimentClassifier) -> None:
    for text in ("great", "awful", "a wonderful film", "", "unheard zyzzyva words"):
        found = classifier.predict(text)
        if found.probability is None:
            assert (found.polarity, found.three_way) == (None, None)
        else:
            assert found.polarity == 2 * found.probability - 1
            assert found.three_way == ("neutral" if found.uncertain else found.label)
    assert classifier.predict("unheard zyzzyva words").three_way == "neutral"


def test_predictions_become_json_and_a_data_frame(classifier: SentimentClassifier) -> None:
    predictions = [prediction.to_dict() for prediction in classifier.predict(["great", ""])]
    assert json.loads(json.dumps(predictions)) == predictions
    assert pd.DataFrame(predictions)["polarity"].isna().tolist() == [False, True]


def test_what_a_notebook_shows(classifier: SentimentClassifier) -> None:
    assert repr(classifier) == "SentimentClassifier('tiny', device='cpu', precision='fp32')"
    shown = repr(replace(classifier.predict("great"), probability=0.99987654, score=0.99987654))
    assert "probability=0.9999, score=0.9999, tokens=1, " in shown and "reason=None)" in shown
    assert "probability=None" in repr(classifier.predict(""))


def test_a_loop_of_single_reviews_gets_one_hint(
    classifier: SentimentClassifier, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(base.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(base, "HINT_AFTER", 3)
    slow, quick = pickle.loads(pickle.dumps(classifier)), pickle.loads(pickle.dumps(classifier))
    for copied in (slow, quick):
        copied._single_calls, copied._first_call = 0, 0.0
    with caplog.at_level(logging.WARNING, "sentiment"):
        for _ in range(6):
            now[0] += base.HINT_SECONDS
            slow.predict("great")
        assert not caplog.records
        for _ in range(9):
            quick.predict("great")
            quick.predict(["great"])
    assert [record.getMessage() for record in caplog.records] == [
        "predict was called 3 times with one review. One call with a list of reviews is faster: predict(reviews)."
    ]
