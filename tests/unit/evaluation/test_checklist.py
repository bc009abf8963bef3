import re

import pytest

from sentiment.evaluation.checklist import ALLOWED_CHANGE, CHANGES, NEARLY_CERTAIN, Case, cases, outcomes, table, texts
from sentiment.inference import postprocessing
from sentiment.text.normalization import normalize
from sentiment.text.tokenizer import tokenize


def case(expected, text="b", original=None):
    return Case("a test", expected, text, "a template", original)


@pytest.mark.parametrize(
    ("expected", "probability", "fails"),
    [
        ("positive", 0.5, False),
        ("positive", 0.49, True),
        ("negative", 0.49, False),
        ("negative", 0.5, True),
        ("neutral", 1 - NEARLY_CERTAIN + 0.01, False),
        ("neutral", NEARLY_CERTAIN, True),
        ("neutral", 0.01, True),
    ],
)
def test_what_fails(expected, probability, fails):
    assert case(expected).fails({"b": probability}) == fails


@pytest.mark.parametrize(
    ("before", "after", "fails"),
    [
        (0.9, 0.9 - ALLOWED_CHANGE + 0.01, False),
        (0.9, 0.9 - ALLOWED_CHANGE - 0.01, True),
        (0.51, 0.49, True),
        (0.2, 0.1, False),
    ],
)
def test_a_changed_text_fails_if_the_prediction_changes(before, after, fails):
    assert case("unchanged", original="a").fails({"a": before, "b": after}) == fails


def test_labels_follow_the_common_threshold(monkeypatch):
    monkeypatch.setattr(postprocessing, "THRESHOLD", 0.7)
    assert case("positive").fails({"b": 0.69}) and not case("negative").fails({"b": 0.69})
    assert case("unchanged", original="a").fails({"a": 0.71, "b": 0.69})
    assert not case("unchanged", original="a").fails({"a": 0.51, "b": 0.49})


def test_rates_and_examples_by_hand():
    of = [Case("t", "positive", text, template) for text, template in [("a", "1"), ("b", "1"), ("c", "2"), ("d", "3")]]
    (outcome,) = outcomes(of, {"a": 0.1, "b": 0.2, "c": 0.3, "d": 0.9}, examples=2)
    assert (outcome.n, outcome.failures) == (4, 3)
    assert [example["text"] for example in outcome.examples] == ["a", "c"]  # the worst of each template
    assert "75.0%" in table({"model": [outcome]})


def test_a_constant_model_passes_all_comparisons_and_half_of_the_labels():
    of = cases()
    always_positive = dict.fromkeys(texts(of), 0.6)
    rates = {
        outcome.test: (outcome.expected, outcome.failures / outcome.n) for outcome in outcomes(of, always_positive)
    }
    assert {rate for expected, rate in rates.values() if expected in ("positive", "unchanged", "neutral")} == {0}
    assert {rate for expected, rate in rates.values() if expected == "negative"} == {1}


def test_the_sentences_are_well_formed():
    of = cases()
    assert len({case.test for case in of}) >= 20
    for each in of:
        assert "{" not in each.text and each.text.strip()
        assert each.text != each.original
        assert not re.search(r"\ba [aeiou]", each.text, re.IGNORECASE)
    assert {each.expected for each in of} == {"positive", "negative", "neutral", "unchanged"}
    assert len({(each.test, each.text, each.original) for each in of}) == len(of)


def test_normalization_undoes_quotes_and_case():
    text = "It's \"good\". Isn't it?"
    for change in ("curly_quotes", "upper_case"):
        (changed,) = CHANGES[change](text)
        assert changed != text
        assert tokenize(normalize(changed)) == tokenize(normalize(text))


def test_typos_swap_two_letters():
    text = "A wonderful picture about several people"
    typos = CHANGES["typo"](text)
    assert len(set(typos)) == 5 and typos == CHANGES["typo"](text)
    for typo in typos:
        assert sum(a != b for a, b in zip(typo, text, strict=True)) == 2
        assert sorted(typo) == sorted(text)
