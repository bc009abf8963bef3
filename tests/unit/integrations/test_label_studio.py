from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment.classifier import SentimentClassifier
from sentiment.errors import InputError
from sentiment.integrations.label_studio import annotated, tasks


def task(text: str, *choices: str, **others: Any) -> dict[str, Any]:
    """A task as Label Studio exports it, with one annotation per choice."""
    annotations = [
        {
            "id": number,
            "was_cancelled": False,
            "result": [
                {"from_name": "sentiment", "to_name": "text", "type": "choices", "value": {"choices": [choice]}}
            ],
        }
        for number, choice in enumerate(choices)
    ]
    return {"id": 1, "data": {"text": text}, "annotations": annotations, **others}


@given(st.dictionaries(st.text(min_size=1), st.sampled_from(["Positive", "Negative", "positive"])))
def test_labels_come_back(answers: dict[str, str]) -> None:
    labels, left_out = annotated([task(text, choice) for text, choice in answers.items()], "export.json")
    assert labels == {text: choice.casefold() for text, choice in answers.items()} and left_out == 0


def test_tasks_without_a_clear_label_are_left_out() -> None:
    cancelled = task("c", "Positive")
    cancelled["annotations"][0]["was_cancelled"] = True
    export = [task("a", "Positive", "Negative"), task("b"), cancelled, task("d", "Negative", "Negative")]
    assert annotated(export, "export.json") == ({"d": "negative"}, 3)


@pytest.mark.parametrize(
    ("export", "message"),
    [
        ({"tasks": []}, "export.json: not an export of Label Studio"),
        ([{"text": "good"}], "task 1 is not a task with data.text and annotations"),
        ([task("good", "Positive"), task("so", "Neutral")], "task 2 has the choice 'neutral'"),
        ([7], "task 1 is not a task"),
    ],
)
def test_other_files_are_refused(export: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        annotated(export, "export.json")


def test_tasks_hold_what_the_model_says(tiny_classifier: SentimentClassifier) -> None:
    texts = ["a good film", "!!!"]
    predictions = tiny_classifier.predict(texts)
    first, second = tasks(texts, predictions, "tiny")
    assert first["data"] == {"text": texts[0]} and second == {"data": {"text": "!!!"}, "predictions": []}
    (prediction,) = first["predictions"]
    assert prediction["result"][0]["value"]["choices"] == [str(predictions[0].label).capitalize()]
    assert prediction["score"] == predictions[0].score


def test_other_controls_are_ignored_and_contradictions_between_tasks_are_left_out() -> None:
    rated = task("a", "Positive")
    rated["annotations"][0]["result"].append({"from_name": "stars", "type": "rating", "value": {"rating": 4}})
    export = [rated, task("b", "Positive"), task("b", "Negative"), task("c"), task("c", "Negative")]
    assert annotated(export, "export.json") == ({"a": "positive", "c": "negative"}, 2)
