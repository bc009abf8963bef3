import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment.config import DataConfig
from sentiment.evaluation.truncation import STRATEGIES, measure, table, windows
from sentiment.inference import postprocessing

REVIEW = list("abcdefghij")


@pytest.mark.parametrize(
    ("strategy", "read"),
    [
        ("head", ["abcd"]),
        ("tail", ["ghij"]),
        ("head + tail", ["abij"]),
        ("windows, mean logit", ["abcd", "cdef", "efgh", "ghij"]),
        ("whole", ["abcdefghij"]),
    ],
)
def test_what_is_read_of_a_long_review(strategy, read):
    assert ["".join(part) for part in STRATEGIES[strategy](REVIEW, 4)] == read


@given(st.integers(1, 60), st.integers(1, 200))
def test_windows_cover_a_review(limit, over):
    review = list(range(limit + over))
    found = windows(review, limit)
    assert {token for window in found for token in window} == set(review)
    assert all(len(window) == limit for window in found)


def test_labels_follow_the_common_threshold(tiny_classifier, reviews_file, reviews, monkeypatch):
    probabilities = tiny_classifier.predict_proba([text for text, _ in reviews])[:, 1]
    distinct = np.unique(probabilities.round(3))
    threshold = distinct[len(distinct) // 2 :][:2].mean()
    monkeypatch.setattr(postprocessing, "THRESHOLD", threshold)
    accuracy = np.mean((probabilities >= threshold) == np.array([label for _, label in reviews]))
    assert accuracy != 0.5  # the accuracy of a constant prediction
    assert {row.accuracy for row in measure(tiny_classifier, DataConfig(source=str(reviews_file)), [1000])} == {
        accuracy
    }


def test_whole_equals_the_prediction_and_a_high_limit_changes_nothing(tiny_classifier, reviews_file, reviews):
    rows = measure(tiny_classifier, DataConfig(source=str(reviews_file)), [2, 1000])
    labels = np.array([label for _, label in reviews])
    predicted = tiny_classifier.predict_proba([text for text, _ in reviews])[:, 1] >= 0.5
    whole = {row.limit: row for row in rows if row.strategy == "whole"}
    assert whole[2].accuracy == pytest.approx(np.mean(predicted == labels))
    assert {row.accuracy for row in rows if row.limit == 1000} == {whole[2].accuracy}
    assert (whole[1000].long, whole[2].long) == (0, 49)  # one review is of two words
    assert whole[2].tokens > next(row.tokens for row in rows if row.strategy == "head") == 2
    assert len(table(rows).splitlines()) == 1 + len(rows)
