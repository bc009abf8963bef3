import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from sentiment.evaluation.metrics import (
    accuracy_by_score,
    classification_metrics,
    error_if_calibrated,
    expected_calibration_error,
    paired_comparison,
    reliability,
    risk_coverage,
    wilson_interval,
)
from sentiment.inference.postprocessing import is_positive

# five reviews by hand: predicted 1 1 0 0 1, actual 1 0 0 1 1
LABELS = np.array([1, 0, 0, 1, 1])
PROBABILITIES = np.array([0.9, 0.6, 0.2, 0.4, 0.5])


def test_metrics_by_hand():
    figures = classification_metrics(LABELS, PROBABILITIES)
    assert figures["confusion_matrix"] == [[1, 1], [1, 2]]
    assert (figures["accuracy"], figures["n"]) == (3 / 5, 5)
    assert figures["precision"] == figures["recall"] == figures["f1"] == pytest.approx(2 / 3)
    assert figures["roc_auc"] == pytest.approx(4 / 6)  # pairs in order: .9 over both, .4 and .5 over .2 alone
    assert figures["brier"] == pytest.approx((0.01 + 0.36 + 0.04 + 0.36 + 0.25) / 5)
    assert figures["log_loss"] == pytest.approx(-np.log([0.9, 0.4, 0.8, 0.4, 0.5]).mean())
    assert figures["ece"] == pytest.approx((0.1 + 0.6 + 0.2 + 0.6 + 0.5) / 5)  # one review a bin
    # Wilson: center (3 + z²/2) / (5 + z²), half width z / (5 + z²) · sqrt(5 · .6 · .4 + z²/4)
    assert figures["accuracy_95"] == pytest.approx([0.2307, 0.8824], abs=1e-4)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=2, max_size=60))
def test_metrics_agree_with_scikit_learn(rows):
    labels, probabilities = (np.array(column) for column in zip(*rows, strict=True))
    figures, predicted = classification_metrics(labels, probabilities), is_positive(probabilities)
    assert figures["accuracy"] == sk.accuracy_score(labels, predicted)
    assert figures["brier"] == pytest.approx(sk.brier_score_loss(labels, probabilities, labels=[0, 1]))
    if len(set(labels)) == 2:
        assert figures["roc_auc"] == sk.roc_auc_score(labels, probabilities)
    else:
        assert figures["roc_auc"] is None
    low, high = figures["accuracy_95"]
    assert 0 <= low <= figures["accuracy"] <= high <= 1
    assert 0 <= figures["ece"] <= 1


def test_undefined_metrics_are_none():
    figures = classification_metrics(np.array([0]), np.array([0.3]))
    assert (figures["accuracy"], figures["n"]) == (1.0, 1)
    assert [name for name, value in figures.items() if value is None] == ["precision", "recall", "f1", "roc_auc"]
    assert classification_metrics(np.array([1, 1]), np.array([0.9, 0.2]))["recall"] == 0.5


def test_half_counts_as_positive():
    assert is_positive(np.array([0.49, 0.5, 0.51])).tolist() == [False, True, True]


def test_wilson_interval_by_hand():
    assert wilson_interval(0, 0) == [0, 1]
    low, high = wilson_interval(9, 10)
    assert (round(low, 4), round(high, 4)) == (0.5958, 0.9821)


def test_reliability_by_hand():
    first, second = reliability(np.array([0, 1, 1, 1]), np.array([0.1, 0.3, 0.8, 0.9]), bins=2)
    assert (first.n, first.predicted, first.observed) == (2, pytest.approx(0.2), 0.5)
    assert (second.n, second.predicted, second.observed) == (2, pytest.approx(0.85), 1.0)
    assert first.interval == wilson_interval(1, 2)
    error = expected_calibration_error(np.array([0, 1, 1, 1]), np.array([0.1, 0.3, 0.8, 0.9]), bins=2)
    assert error == pytest.approx((0.3 + 0.15) / 2)


def test_error_if_calibrated_by_hand():
    assert error_if_calibrated(np.array([0.0, 1.0, 1.0])) == 0
    assert error_if_calibrated(np.array([0.5])) == 0.5  # one review: off by a half either way
    # one bin of n fair coins: mean distance of a share from a half is sqrt(2 / pi) / (2 sqrt(n))
    assert error_if_calibrated(np.full(400, 0.5), bins=1, draws=2000) == pytest.approx(0.0199, rel=0.05)


def test_accuracy_by_score_by_hand():
    scores, answered, accuracy = accuracy_by_score(LABELS, PROBABILITIES)  # scores .9 .6 .8 .6 .5, the .6 wrong
    np.testing.assert_allclose(scores, [0.9, 0.8, 0.6, 0.5])
    assert answered.tolist() == [1, 2, 4, 5]
    np.testing.assert_allclose(accuracy, [1, 1, 0.5, 0.6])


def test_risk_coverage_by_hand():
    coverage, accuracy = risk_coverage(LABELS, PROBABILITIES)  # scores .9 .6 .8 .6 .5, the .6 wrong
    np.testing.assert_allclose(coverage, [0.2, 0.4, 0.8, 1.0])  # the two scores of 0.6 stay together
    np.testing.assert_allclose(accuracy, [1, 1, 0.5, 0.6])


def test_paired_comparison_by_hand():
    first = np.array([1, 1, 1, 1, 1, 1, 0, 0, 1, 1], dtype=bool)
    second = np.array([1, 1, 0, 0, 0, 0, 0, 0, 1, 1], dtype=bool)
    compared = paired_comparison(first, second)
    assert (compared["difference"], compared["only_first"], compared["only_second"]) == (0.4, 4, 0)
    assert compared["p_value"] == pytest.approx(2 / 16)  # four coins on one side
    low, high = compared["difference_95"]
    assert low < 0.4 < high and paired_comparison(second, first)["difference_95"] == pytest.approx([-high, -low])
    same = paired_comparison(first, first)
    assert (same["difference"], same["p_value"]) == (0, 1)
