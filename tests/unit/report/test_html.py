import csv
import re
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from matplotlib.axes import Axes
from sklearn.metrics import accuracy_score, roc_curve

from sentiment.classifier import SentimentClassifier
from sentiment.config import DataConfig
from sentiment.errors import InputError
from sentiment.evaluation.evaluator import EvaluationConfig, EvaluationResult, evaluate, uncalibrated
from sentiment.evaluation.metrics import reliability
from sentiment.evaluation.predictions import (
    LabeledPredictions,
    collect_predictions,
    read_predictions,
    write_predictions,
)
from sentiment.explanation.summary import answer
from sentiment.report import charts
from sentiment.report.error_examples import explain_examples, least_confident, most_confident_errors, write_errors
from sentiment.report.html import interval, p_value, percent, points, render
from sentiment.report.text import summary

MARKUP = '<script>alert(1)</script> & "a wonderful film" </td>'


@pytest.fixture(scope="module")
def result(tiny_model_directory, reviews_file) -> EvaluationResult:
    config = EvaluationConfig(
        DataConfig(source=str(reviews_file)), model=str(tiny_model_directory), train_data=str(reviews_file)
    )
    return evaluate(config)


def test_metrics_equal_those_of_scikit_learn(result, reviews):
    metrics, predictions = result.metrics, result.predictions
    labels = [label for _, label in reviews]
    predicted = [prediction.label == "positive" for prediction in predictions.predictions]
    assert metrics["accuracy"] == accuracy_score(labels, predicted)
    assert metrics["n"] == len(reviews) == sum(map(sum, metrics["confusion_matrix"]))
    assert f"{metrics['accuracy']:.2%}" in summary(result).splitlines()[0]
    for needed in ("precision", "recall", "f1", "roc_auc", "log_loss", "brier", "ece", "data_sha256", "model_sha256"):
        assert needed in metrics
    assert [row["name"].split()[0] for row in metrics["baselines"]] == ["majority", "TF-IDF", "NB-weighted"]
    assert metrics["also_in_training"] == len(reviews)


def test_the_page_shows_the_metrics_and_needs_no_other_file(result):
    page = render(result)
    assert f"{result.metrics['accuracy']:.2%} accuracy" in page
    for count in np.ravel(result.metrics["confusion_matrix"]):
        assert f">{count}<br>" in page
    addresses = set(re.findall(r"(?:src|href|action)\s*=\s*[\"']([^\"'#][^\"']*)", page))
    assert not {address for address in addresses if not address.startswith("#")}
    assert "@import" not in page and "url(http" not in page
    assert page.count("<svg") == 5
    style = page[page.index("<style>") : page.index("</style>")]
    depths = np.cumsum([{"{": 1, "}": -1}.get(letter, 0) for letter in style])
    assert depths[-1] == 0 and depths.max() == 2  # a lost brace would hide the style in a media query


def test_rendering_is_deterministic(result):
    assert render(result) == render(result)


def test_markup_in_reviews_is_escaped(result, tiny_classifier):
    predictions = collect_predictions(tiny_classifier, [MARKUP, "5 < 6 & dull"], [0, 1])
    page = render(replace(result, predictions=predictions, baselines=()))
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


def test_colors_come_from_the_style_sheet():
    labels, probabilities = np.array([0, 1, 1]), np.array([0.2, 0.6, 0.9])
    drawn = charts.roc_chart(labels, [("this model", probabilities)])
    assert "var(--a)" in drawn and "currentColor" in drawn
    assert not re.findall(r"#0[1-5]0[1-5]0[1-5]", drawn)


def test_one_class_and_one_review_make_a_page(result, tiny_classifier, tmp_path):
    file = tmp_path / "one.jsonl"
    file.write_text('{"text": "a wonderful film", "label": 0}\n', "utf-8")
    single = evaluate(EvaluationConfig(DataConfig(source=str(file)), model=str(result.metrics["model"])))
    assert single.metrics["roc_auc"] is None and single.metrics["n"] == 1
    page = render(single)
    assert "only one label occurs" in page and page.count("<svg") == 3
    assert "no training reviews were given" in page
    assert "roc_auc" in summary(single)


def test_saved_predictions_are_read_and_those_for_other_reviews_rejected(result, tmp_path):
    file = tmp_path / "predictions.parquet"
    write_predictions(result.predictions, file)
    np.testing.assert_array_equal(read_predictions(file, result.predictions), result.predictions.probabilities)
    fewer = replace(result.predictions, labels=result.predictions.labels[:-1], texts=result.predictions.texts[:-1])
    with pytest.raises(InputError, match="50 predictions, but 49 reviews"):
        read_predictions(file, fewer)
    with pytest.raises(InputError, match="belongs to other reviews"):
        read_predictions(file, replace(result.predictions, labels=1 - result.predictions.labels))
    file.write_bytes(b"no parquet")
    with pytest.raises(InputError, match="not a predictions"):
        read_predictions(file, result.predictions)


def test_probabilities_before_temperature_scaling(tiny_checkpoint):
    texts, labels = ["a wonderful film", "awful", "no fun at all"], [1, 0, 0]
    plain = SentimentClassifier(tiny_checkpoint)
    cooled = SentimentClassifier(replace(tiny_checkpoint, calibration={"temperature": 2.5, "temperature_slope": 0.2}))
    before = uncalibrated(collect_predictions(cooled, texts, labels), cooled)
    np.testing.assert_allclose(before, collect_predictions(plain, texts, labels).probabilities, rtol=1e-6)


def test_examples_by_hand(tiny_classifier, result):
    predictions = replace(
        collect_predictions(tiny_classifier, ["great fun", "awful " * 300, "dull", ""], [1, 1, 0, 0]),
        probabilities=np.array([0.9, 0.1, 0.45, 0.7]),
    )
    assert most_confident_errors(predictions, 5).tolist() == [1, 3]
    assert least_confident(predictions, 2).tolist() == [2, 3]
    fun, long = explain_examples(tiny_classifier, predictions, [0, 1])
    assert (fun.row, fun.actual, fun.probability, fun.truncated) == (0, "positive", 0.9, False)
    assert re.sub("<[^>]*>", "", fun.text) == "great fun"
    assert fun.answer == answer(tiny_classifier.explain("great fun"))
    assert long.truncated and re.sub("<[^>]*>", "", long.text) == "awful " * 300


def test_all_errors_are_written_most_confident_first(tiny_classifier, tmp_path):
    texts = ['great, "fun"', "awful", "dull\nfilm"]
    predictions = replace(
        collect_predictions(tiny_classifier, texts, [0, 1, 1]), probabilities=np.array([0.6, 0.1, 0.9])
    )
    write_errors(predictions, tmp_path / "errors.csv")
    with (tmp_path / "errors.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["row"], row["actual"], row["probability"], row["text"]) for row in rows] == [
        ("1", "positive", "0.100000", "awful"),
        ("0", "negative", "0.600000", 'great, "fun"'),
    ]


def test_the_report_says_how_to_make_it_again_and_when_it_was_made(result):
    page = render(result, "sentiment evaluate --data 'my reviews.csv'")
    assert '<pre class="command">sentiment evaluate --data &#39;my reviews.csv&#39;</pre>' in page
    assert date.today().isoformat() in page


@pytest.mark.parametrize(
    ("limit", "chosen", "share", "said"),
    [
        (0.5, None, 1.0, "this model has no limit: none was chosen on validation reviews"),
        (0.5, 0.9, 1.0, "its predictions reached the wanted accuracy of 90% on validation reviews"),
        (0.6, 0.9, 1.0, "each has a score of 0.600, the limit of this model, or more"),
        (0.6, 0.9, 0.8, "A prediction with a score below 0.600 is <b>uncertain</b>"),
    ],
)
def test_the_report_says_why_no_prediction_is_uncertain(result, limit, chosen, share, said):
    uncertain = result.metrics["uncertain"] | {
        "confident_from": limit,
        "chosen_for_accuracy": chosen,
        "answered_share": share,
    }
    assert said in render(replace(result, metrics=result.metrics | {"uncertain": uncertain}))


def test_no_curve_runs_past_100_percent():
    labels, probabilities = np.array([1, 1, 0, 0]), np.array([0.9, 0.8, 0.1, 0.2])
    drawn = charts.risk_coverage_chart(labels, [("this model", probabilities)], None)
    numbers = [float(found.replace("\N{MINUS SIGN}", "-")) for found in re.findall(r">([\d.]+)%<", drawn)]
    assert max(numbers) == 100


def test_the_histogram_counts_every_review(monkeypatch):
    counted = []
    draw = Axes.hist
    monkeypatch.setattr(Axes, "hist", lambda *args, **kwargs: counted.append(draw(*args, **kwargs)) or counted[-1])
    drawn = charts.score_histogram(np.array([1, 1, 1, 0, 0]), np.array([0.99, 1.0, 0.52, 0.0, 0.31]))
    negative, positive = (counts for counts, _, _ in counted)
    assert (negative.sum(), positive.sum()) == (2, 3)
    assert (negative[0], negative[6], positive[10], positive[19]) == (1, 1, 1, 2)
    assert "actual positive" in drawn and "actual negative" in drawn


def test_numbers_are_formatted():
    assert (percent(0.12345), percent(None), percent(float("nan"))) == ("12.3%", "–", "–")
    assert (points(-0.0123), points(0.05, 2)) == ("−1.2", "+5.00")
    assert interval([-0.01, 0.02]) == "−1.0 to 2.0"
    assert (p_value(0.0001), p_value(0.25)) == ("< 0.001", "0.250")


def test_correct_compares_predictions_with_labels():
    predictions = LabeledPredictions(["a", "b"], np.array([1, 0]), [], np.array([0.5, 0.5]), np.arange(2))
    assert predictions.correct.tolist() == [True, False]
