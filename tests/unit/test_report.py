import re
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, roc_curve

from sentiment import charts
from sentiment.assessment import Assessment, Question, assess, uncalibrated
from sentiment.classifier import SentimentClassifier
from sentiment.config import DataConfig
from sentiment.errors import InputError
from sentiment.evaluation import reliability
from sentiment.examples import examples, least_sure, surest_errors
from sentiment.gathering import Answers, gather, read_predictions, write_predictions
from sentiment.report import interval, p_value, percent, points, render
from sentiment.summary import summary

MARKUP = '<script>alert(1)</script> & "a wonderful film" </td>'


@pytest.fixture(scope="module")
def assessment(tiny_model_directory, reviews_file) -> Assessment:
    question = Question(DataConfig(str(reviews_file)), model=str(tiny_model_directory), train_data=str(reviews_file))
    return assess(question)


def test_the_figures_are_scikit_learns(assessment, reviews):
    metrics, answers = assessment.metrics, assessment.answers
    labels = [label for _, label in reviews]
    said = [prediction.label == "positive" for prediction in answers.predictions]
    assert metrics["accuracy"] == accuracy_score(labels, said)
    assert metrics["n"] == len(reviews) == sum(map(sum, metrics["confusion_matrix"]))
    assert f"{metrics['accuracy']:.2%}" in summary(assessment).splitlines()[0]
    for needed in ("precision", "recall", "f1", "roc_auc", "log_loss", "brier", "ece", "data_sha256", "model_sha256"):
        assert needed in metrics
    assert [row["name"].split()[0] for row in metrics["baselines"]] == ["majority", "TF-IDF", "NB-weighted"]
    assert metrics["also_in_training"] == len(reviews)


def test_the_page_shows_the_figures_and_needs_nothing_else(assessment):
    page = render(assessment)
    assert f"{assessment.metrics['accuracy']:.2%} accuracy" in page
    for count in np.ravel(assessment.metrics["confusion_matrix"]):
        assert f">{count}<br>" in page
    addresses = set(re.findall(r"(?:src|href|action)\s*=\s*[\"']([^\"'#][^\"']*)", page))
    assert not {address for address in addresses if not address.startswith("#")}
    assert "@import" not in page and "url(http" not in page
    assert page.count("<svg") == 4
    style = page[page.index("<style>") : page.index("</style>")]
    depths = np.cumsum([{"{": 1, "}": -1}.get(letter, 0) for letter in style])
    assert depths[-1] == 0 and depths.max() == 2  # a lost brace would hide the style in a media query


def test_the_page_is_the_same_again(assessment):
    assert render(assessment) == render(assessment)


def test_markup_in_reviews_is_escaped(assessment, tiny_classifier):
    answers = gather(tiny_classifier, [MARKUP, "5 < 6 & dull"], [0, 1])
    page = render(replace(assessment, answers=answers, baselines=()))
    assert "<script" not in page and "alert(1)</" not in page
    assert "&lt;" in page


def test_a_page_of_many_reviews_stays_small():
    generator = np.random.default_rng(0)
    probabilities = generator.random(100_000)
    labels = (generator.random(100_000) < probabilities).astype(int)
    curves = [("one", probabilities), ("two", probabilities**2), ("three", np.sqrt(probabilities))]
    bins = reliability(labels, probabilities)
    drawn = [charts.roc_chart(labels, curves), charts.precision_recall_chart(labels, curves)]
    drawn += [charts.risk_coverage_chart(labels, curves, 0.7), charts.reliability_chart(bins, bins)]
    assert sum(map(len, drawn)) < 400_000


def test_a_thinned_curve_keeps_its_shape():
    generator = np.random.default_rng(0)
    probabilities = generator.random(50_000)
    labels = (generator.random(50_000) < probabilities).astype(int)
    wrong, found, _ = roc_curve(labels, probabilities, drop_intermediate=False)
    x, y = charts._thinned(wrong, found)
    assert len(x) <= charts.MOST_POINTS
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    np.testing.assert_allclose(np.interp(wrong, x, y), found, atol=0.02)


def test_colours_are_the_pages():
    labels, probabilities = np.array([0, 1, 1]), np.array([0.2, 0.6, 0.9])
    drawn = charts.roc_chart(labels, [("this model", probabilities)])
    assert "var(--a)" in drawn and "currentColor" in drawn
    assert not re.findall(r"#0[1-5]0[1-5]0[1-5]", drawn)


def test_one_class_and_one_review_make_a_page(assessment, tiny_classifier, tmp_path):
    file = tmp_path / "one.jsonl"
    file.write_text('{"text": "a wonderful film", "label": 0}\n', "utf-8")
    single = assess(Question(DataConfig(str(file)), model=str(assessment.metrics["model"])))
    assert single.metrics["roc_auc"] is None and single.metrics["n"] == 1
    page = render(single)
    assert "only one class occurs" in page and page.count("<svg") == 2
    assert "no training reviews beside these" in page
    assert "roc_auc" in summary(single)


def test_former_predictions_are_compared_and_others_refused(assessment, tmp_path):
    file = tmp_path / "predictions.parquet"
    write_predictions(assessment.answers, file)
    np.testing.assert_array_equal(read_predictions(file, assessment.answers), assessment.answers.probabilities)
    fewer = replace(assessment.answers, labels=assessment.answers.labels[:-1], texts=assessment.answers.texts[:-1])
    with pytest.raises(InputError, match="50 predictions, where 49 reviews"):
        read_predictions(file, fewer)
    with pytest.raises(InputError, match="answers other reviews"):
        read_predictions(file, replace(assessment.answers, labels=1 - assessment.answers.labels))
    file.write_bytes(b"no parquet")
    with pytest.raises(InputError, match="not a predictions"):
        read_predictions(file, assessment.answers)


def test_the_temperature_is_undone_for_the_figures_before_it(tiny_checkpoint):
    texts, labels = ["a wonderful film", "awful", "no fun at all"], [1, 0, 0]
    plain = SentimentClassifier(tiny_checkpoint)
    cooled = SentimentClassifier(replace(tiny_checkpoint, calibration={"temperature": 2.5}))
    before = uncalibrated(gather(cooled, texts, labels).probabilities, 2.5)
    np.testing.assert_allclose(before, gather(plain, texts, labels).probabilities, rtol=1e-6)


def test_examples_by_hand(tiny_classifier, assessment):
    answers = replace(
        gather(tiny_classifier, ["great fun", "awful " * 300, "dull", ""], [1, 1, 0, 0]),
        probabilities=np.array([0.9, 0.1, 0.45, 0.7]),
    )
    assert surest_errors(answers, 5).tolist() == [1, 3]
    assert least_sure(answers, 2).tolist() == [2, 3]
    long, empty = examples(tiny_classifier, answers, [1, 3])
    assert long.note == "the model read it in part" and empty.note == "no words"
    assert [word.text for word in long.words] == ["awful"] * 40
    assert max(abs(word.level) for word in long.words) == 3
    assert empty.words == []


def test_numbers_for_reading():
    assert (percent(0.12345), percent(None), percent(float("nan"))) == ("12.3%", "–", "–")
    assert (points(-0.0123), points(0.05, 2)) == ("−1.2", "+5.00")
    assert interval([-0.01, 0.02]) == "−1.0 to 2.0"
    assert (p_value(0.0001), p_value(0.25)) == ("< 0.001", "0.250")


def test_answers_know_what_is_right():
    answers = Answers(["a", "b"], np.array([1, 0]), [], np.array([0.5, 0.5]))
    assert answers.correct.tolist() == [True, False]
