"""The deletion test on a model whose explanation is known: it counts one word."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from sentiment.classifier import SentimentClassifier
from sentiment.cli.main import run
from sentiment.errors import InputError
from sentiment.evaluation import faithfulness
from sentiment.evaluation.faithfulness import deletion_test, explanation_cost, render_results

TEXTS = [f"{'the a film ' * 3} wonderful {'story and great ' * count}" for count in range(1, 6)]


@pytest.fixture
def one_word_classifier(tiny_checkpoint):
    """Positive where "wonderful" occurs: one long-term memory, written by that word and kept."""
    classifier = SentimentClassifier(replace(tiny_checkpoint, calibration={"temperature": 1.0}))
    model = classifier.model
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.encoder.embedding.weight[classifier.text.vocabulary.encode(["wonderful"])[0], 0] = 1
        for layer in model.encoder.layers:
            layer.bias_ih_l0[6:12] = 20  # forget nothing
            layer.bias_ih_l0[18:24] = 20  # show everything
            layer.bias_ih_l0[0:6] = 0  # add half
            layer.weight_ih_l0[12, 0] = 5  # a candidate where the first input is on
        model.head[-1].weight[0, 0] = 8
        model.head[-1].bias.fill_(-2)
    return classifier


def test_the_explanation_names_the_word_that_matters(one_word_classifier):
    results = deletion_test(one_word_classifier, TEXTS, seed=0)
    whole = one_word_classifier.predict_proba(TEXTS)[:, 1]
    without = one_word_classifier.predict_proba([text.replace("wonderful", "") for text in TEXTS])[:, 1]
    assert results["n"] == 5
    for method in faithfulness.METHODS:
        row = results[method]
        assert row["mean_move"] == pytest.approx(np.abs(whole - without).mean(), abs=1e-6)
        assert row["flipped"] == 1
        assert row["ratio"] == pytest.approx(row["mean_move"] / results["random"]["mean_move"])
        assert 1 < row["ratio_95"][0] <= row["ratio"] <= row["ratio_95"][1]
    assert results["random"]["flipped"] < 0.3


def test_words_for_a_negative_label_are_deleted(one_word_classifier):
    with torch.no_grad():
        one_word_classifier.model.head[-1].weight.neg_()
        one_word_classifier.model.head[-1].bias.neg_()
    results = deletion_test(one_word_classifier, TEXTS, seed=0)
    assert [results[method]["flipped"] for method in faithfulness.METHODS] == [1]


def test_methods_can_be_compared(one_word_classifier):
    def last_word(_, ids):
        return np.arange(len(ids))

    results = deletion_test(one_word_classifier, TEXTS, 0, {**faithfulness.METHODS, "last": last_word})
    assert results["last"]["mean_move"] < 0.01 < results["explanation"]["mean_move"]


def test_results_are_deterministic(tiny_classifier):
    first, again = (deletion_test(tiny_classifier, TEXTS[:2], seed=3) for _ in range(2))
    for results in (first, again):
        for method in faithfulness.METHODS:
            results[method].pop("seconds")
    assert first == again


def test_reviews_without_two_words_are_rejected(tiny_classifier):
    with pytest.raises(InputError, match="no review has two words"):
        deletion_test(tiny_classifier, ["", "one"], seed=0)


def test_the_cost_is_measured_on_a_review_of_typical_length(tiny_classifier, monkeypatch):
    monkeypatch.setattr(faithfulness, "TIMED_WORDS", 12)
    cost = explanation_cost(tiny_classifier, ["a", "great " * 11, "great " * 30])
    assert cost["words"] == 11
    assert cost["multiple"] == pytest.approx(cost["explain_seconds"] / cost["predict_seconds"])


def test_the_command_prints_and_writes_the_results(tiny_model_directory, reviews_file, tmp_path, capsys):
    output = tmp_path / "figures.json"
    arguments = ["--model", tiny_model_directory, "--data", reviews_file, "--reviews", "3", "--output", output]
    with pytest.raises(SystemExit) as left:
        run("faithfulness", list(map(str, arguments)))
    assert left.value.code == 0
    results = json.loads(output.read_text("utf-8"))
    assert results["n"] == 3
    assert capsys.readouterr().out.strip() == render_results(results)
