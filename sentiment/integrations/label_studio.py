"""Tasks and annotations in the JSON of Label Studio.

The labeling interface has one text and one choice:

    <View>
      <Text name="text" value="$text"/>
      <Choices name="sentiment" toName="text"><Choice value="Positive"/><Choice value="Negative"/></Choices>
    </View>
"""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from sentiment.errors import InputError
from sentiment.inference.prediction import Prediction


def tasks(texts: Sequence[str], predictions: Iterable[Prediction], model: str) -> list[dict[str, Any]]:
    """Tasks to import into Label Studio, each with what a model says.

    Args:
        texts: the reviews.
        predictions: predictions for them.
        model: name of the model.
    """
    return [
        {"data": {"text": text}, "predictions": [_prediction(prediction, model)] if prediction.label else []}
        for text, prediction in zip(texts, predictions, strict=True)
    ]


def _prediction(prediction: Prediction, model: str) -> dict[str, Any]:
    choice = {"choices": [str(prediction.label).capitalize()]}
    result = {"from_name": "sentiment", "to_name": "text", "type": "choices", "value": choice}
    return {"model_version": model, "score": prediction.score, "result": [result]}


def annotated(exported: Any, where: str) -> tuple[dict[str, Literal["positive", "negative"]], int]:
    """Labels from an export of Label Studio in its JSON format.

    Args:
        exported: the parsed file.
        where: its name, for messages.

    Returns:
        {review: "positive" or "negative"}, and the number of tasks that are left out, since they have no annotation, or
        annotations that differ.

    Raises:
        InputError: if it is no such export.
    """
    if not isinstance(exported, list):
        raise InputError(f"{where}: not an export of Label Studio: it must be a list of tasks (format JSON).")
    labels: dict[str, Literal["positive", "negative"]] = {}
    left_out = 0
    for number, task in enumerate(exported, 1):
        try:
            text = task["data"]["text"]
            done = [one for one in task["annotations"] if not one.get("was_cancelled")]
            choices = {choice for one in done for result in one["result"] for choice in result["value"]["choices"]}
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{where}: task {number} is not a task with data.text and annotations.") from error
        found = {str(choice).casefold() for choice in choices}
        if not isinstance(text, str) or found - {"positive", "negative"}:
            wrong = sorted(found - {"positive", "negative"})
            problem = f"the choice {wrong[0]!r}; choices are Positive and Negative" if wrong else "a text that is none"
            raise InputError(f"{where}: task {number} has {problem}.")
        if len(found) == 1:
            labels[text] = "positive" if "positive" in found else "negative"
        else:
            left_out += 1
    return labels, left_out
