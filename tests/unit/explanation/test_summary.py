"""The answer in words, for explanations whose numbers are given."""

from dataclasses import replace

import numpy as np
import pytest

from sentiment.explanation.summary import answer

TEXT = "a wonderful film, but dull in the end"


@pytest.fixture
def explained(tiny_classifier):
    """A function that gives the explanation of `TEXT` other numbers: per word, and the score of the label."""

    def make(contribution, running, score=0.95, label="negative", **fields):
        found = tiny_classifier.explain(TEXT)
        probability = score if label == "positive" else 1 - score
        prediction = replace(
            found.prediction, label=label, score=score, probability=probability, uncertain=False, reason=None
        )
        return replace(
            found,
            prediction=prediction,
            contribution=np.array(contribution, float),
            running_probability=np.array(running, float),
            phrases=[],
            **fields,
        )

    return make


QUITE_SURE = "Negative, quite sure (95%). What turned it: “dull” in the middle."
FAIRLY_SURE = "Negative, fairly sure (80%). What decided it: “dull” in the middle."
STEADY, TURNED = [0.4] * 8 + [0.05], [0.5, 0.9, 0.9, 0.9, 0.8, 0.2, 0.1, 0.1, 0.05]


@pytest.mark.parametrize(
    ("contribution", "running", "score", "expected"),
    [
        (
            [0, 1, 0, 0, 0, -3, 0, 0, 0],
            TURNED,
            0.95,
            QUITE_SURE,
        ),
        (
            [0, -3, 0, 0, 0, -1, 0, 0, 0],
            TURNED,
            0.95,
            QUITE_SURE,
        ),
        (
            [0, 1, 0, 0, 0, -3, 0, 0, 0],
            STEADY,
            0.8,
            FAIRLY_SURE,
        ),
        (
            [0, 2, 0, 0, 0, -3, 0, 0, -2],
            STEADY,
            0.999,
            "Negative, almost certain (over 99%). What decided it: “dull” and “end”. Against it: “wonderful”.",
        ),
        (
            [0, 2, 0, 0, 0, -3, 0, 0, 0],
            STEADY,
            0.6,
            "Negative, not sure (60%). Most negative: “dull”. Most positive: “wonderful”.",
        ),
        ([0, 0.2, 0, 0, 0, -0.1, 0, 0, 0], STEADY, 0.6, "Negative, not sure (60%). No word says much either way."),
        (
            [0, 0, 0, -9, 0, -1, 0, 0, 0],
            STEADY,
            0.8,
            FAIRLY_SURE,
        ),
    ],
)
def test_what_a_person_would_say(explained, contribution, running, score, expected):
    assert answer(explained(contribution, running, score)) == expected


def test_places_of_a_review(explained):
    for word, place in ((0, "at the beginning"), (4, "in the middle"), (8, "at the end")):
        contribution = np.zeros(9)
        contribution[word] = 3
        assert answer(explained(contribution, 1 - np.array(STEADY), label="positive")).endswith(f" {place}.")


def test_phrases_are_named_whole(explained):
    explanation = explained([0, 0, 0, 0, -1, -3, 0, 0, 0], STEADY)
    assert "“but dull”" in answer(replace(explanation, phrases=[(4, 6)], by="sentence"))


def test_an_uncertain_prediction_is_not_sure_whatever_its_score(explained):
    explanation = explained([0, 0, 0, 0, 0, -3, 0, 0, 0], STEADY, 0.97)
    uncertain = replace(explanation.prediction, uncertain=True, reason="most words unknown")
    said = answer(replace(explanation, prediction=uncertain))
    assert said == "Negative, not sure: most words unknown (97%). Most negative: “dull”."


def test_words_that_cancel_each_other_are_named(explained):
    explanation = explained([0, 0, 0, 0, 2, -2.1, 0, 0, 0], STEADY, 0.52)
    assert answer(replace(explanation, phrases=[(4, 6)])).endswith("Most negative: “dull”. Most positive: “but”.")


def test_a_word_is_named_once(tiny_classifier):
    explanation = tiny_classifier.explain("dull dull story")
    prediction = replace(explanation.prediction, label="negative", score=0.95, uncertain=False, reason=None)
    numbers = {"contribution": np.array([-3.0, -3.0, -2.5]), "running_probability": np.array([0.1, 0.1, 0.05])}
    found = answer(replace(explanation, prediction=prediction, phrases=[], **numbers))
    assert found == "Negative, quite sure (95%). What decided it: “dull” and “story”."
