import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from sentiment.evaluation import calibration
from sentiment.evaluation.metrics import expected_calibration_error
from sentiment.inference import postprocessing
from sentiment.inference.bands import find_band
from sentiment.persistence.model_directory import validate_calibration


def drawn(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Calibrated logits, and labels drawn from them."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 3, n)
    return logits, (generator.random(n) < expit(logits)).astype(int)


def answers(n: int, seed: int = 0, scale: float = 1.0, tokens: int = 300) -> calibration.Answers:
    """Those of a network whose logits are too large by a factor."""
    logits, labels = drawn(n, seed)
    return calibration.Answers(logits * scale, labels, np.full(n, tokens))


@pytest.mark.parametrize("factor", [0.25, 1.0, 4.0])
def test_the_temperature_undoes_a_scale(factor):
    logits, labels = drawn(20_000)
    assert calibration.fit_temperature(logits * factor, labels) == pytest.approx(factor, rel=0.06)


def test_an_overconfident_model_becomes_calibrated():
    logits, labels = drawn(20_000)
    fitted = calibration.fit_calibration(answers(20_000, scale=5))
    before = expected_calibration_error(labels, expit(logits * 5))
    after = expected_calibration_error(labels, expit(logits * 5 / fitted["temperature"]))
    assert before > 0.08 and after < 0.01


@pytest.mark.parametrize("turned", [0.0, 0.1])
@pytest.mark.parametrize("cold", [0.5, 1.0])
def test_short_texts_have_a_temperature_of_their_own(turned, cold):
    """Also if the labels of some sentences are wrong, since these say something else than their reviews."""
    reviews, sentences = answers(20_000, scale=1.5), answers(20_000, seed=1, scale=1.5 * cold, tokens=20)
    wrong = np.random.default_rng(2).random(20_000) < turned
    noisy = calibration.Answers(
        sentences.logits, np.where(wrong, 1 - sentences.labels, sentences.labels), sentences.tokens
    )
    fitted = calibration.fit_temperature_by_length(reviews, noisy, own_labels=not turned)
    assert fitted.of(300) == fitted.whole == pytest.approx(1.5, rel=0.08)
    assert fitted.of(20) == pytest.approx(1.5 * cold, rel=0.12)
    both = calibration.fit_calibration(reviews, noisy, own_labels=not turned)
    assert (both["temperature"], both["temperature_slope"]) == (fitted.whole, fitted.slope)


@given(st.floats(0.1, 10), st.floats(-1, 1), st.integers(0, 10_000), st.integers(0, 10_000))
def test_a_temperature_is_between_that_of_a_word_and_that_of_a_review(whole, slope, tokens, more):
    temperature = postprocessing.Temperature(whole, slope)
    first, second = temperature.of(np.array(sorted([tokens, more])))
    low, high = sorted([whole, float(temperature.of(1))])
    assert low * 0.999 <= first <= high * 1.001 and (second - first) * slope >= -1e-9
    assert postprocessing.Temperature(whole).of(tokens) == pytest.approx(whole)


def test_the_temperature_stays_in_range():
    labels = np.array([0, 1] * 10)
    for logits in (np.zeros(20), np.where(labels == 1, 50.0, -50.0), np.where(labels == 1, -50.0, 50.0)):
        assert calibration.TEMPERATURES[0] <= calibration.fit_temperature(logits, labels) <= calibration.TEMPERATURES[1]


def test_confident_from_by_hand():
    # scores 0.9 correct, 0.8 correct, 0.7 wrong, 0.6 correct
    probabilities, labels = np.array([0.9, 0.2, 0.7, 0.4]), np.array([1, 0, 0, 0])
    assert calibration.confident_from(probabilities, labels, 1.0) == 0.8
    assert calibration.confident_from(probabilities, labels, 0.75) == 0.5  # all of them: three of four are correct
    assert calibration.confident_from(probabilities, 1 - labels, 0.9) == 1.0  # the most confident is wrong
    # equal scores stay together: one of the two is wrong
    assert calibration.confident_from(np.array([0.9, 0.8, 0.8]), np.array([1, 1, 0]), 0.9) == 0.9


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 1)), min_size=1, max_size=50), st.floats(0.5, 1))
def test_confident_predictions_have_the_wanted_accuracy(rows, accuracy):
    probabilities, labels = (np.array(column) for column in zip(*rows, strict=True))
    bound = calibration.confident_from(probabilities, labels, accuracy)
    answered = np.maximum(probabilities, 1 - probabilities) >= bound
    assert 0.5 <= bound <= 1
    if answered.any() and bound < 1:
        assert np.mean((probabilities >= 0.5)[answered] == (labels == 1)[answered]) >= accuracy


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 300))
def test_a_band_says_what_its_predictions_reached(seed, count):
    generator = np.random.default_rng(seed)
    probabilities = generator.integers(0, 21, count) / 20  # with equal scores
    labels = (generator.random(count) < probabilities).astype(int)
    bands = calibration.fit_bands(probabilities, labels)
    assert count >= calibration.BAND_REVIEWS or not bands
    for band in bands:
        answered = np.maximum(probabilities, 1 - probabilities) >= band["confident_from"]
        assert answered.sum() >= calibration.BAND_REVIEWS
        assert band["coverage"] == pytest.approx(answered.mean())
        assert band["accuracy"] == pytest.approx(np.mean((probabilities >= 0.5)[answered] == labels[answered]))
    assert all(a["coverage"] > b["coverage"] for a, b in itertools.pairwise(bands))


def test_the_band_of_the_chosen_accuracy_is_the_confident_one():
    fitted = calibration.fit_calibration(answers(2000), confident_accuracy=0.9)
    assert find_band(fitted["bands"], 0.9).confident_from == fitted["confident_from"]


@given(st.floats(-1e3, 1e3), st.floats(*calibration.TEMPERATURES))
def test_a_probability_is_the_sigmoid(logit, temperature):
    sigmoid = float(torch.sigmoid(torch.tensor(logit / temperature, dtype=torch.float64)))
    assert sigmoid == pytest.approx(float(postprocessing.probability(np.array(logit), temperature)), abs=1e-12)


def test_the_result_is_a_valid_calibration():
    fitted = calibration.fit_calibration(answers(500))
    assert validate_calibration(fitted) == fitted
    assert fitted["confident_accuracy"] == calibration.CONFIDENT_ACCURACY


@pytest.mark.parametrize(
    "values",
    [
        {"temperature": 0},
        {"temperature": float("nan")},
        {"temperature": 1, "confident_from": 1.5},
        {"temperature": 1, "bands": [{"accuracy": 1, "confident_from": 0.5, "coverage": 1.5}]},
        {"temperature": 1, "bands": [{"accuracy": float("nan"), "confident_from": 0.5, "coverage": 1}]},
    ],
)
def test_invalid_values_are_rejected(values):
    with pytest.raises(ValueError, match="must"):
        validate_calibration(values)


def test_few_labels_are_taken_a_little_less_surely() -> None:
    assert calibration.smoothed(np.array([1, 1, 0])).tolist() == pytest.approx([3 / 4, 3 / 4, 1 / 3])
    logits, labels = np.array([3.0, 2.0, -2.0]), np.array([1, 1, 0])
    assert calibration.fit_temperature(logits, labels) < 0.06  # all are right: only the range stops it
    assert 1 < calibration.fit_temperature(logits, calibration.smoothed(labels)) < 5
