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

Label = Literal["positive", "negative"]


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


def annotated(exported: Any, where: str) -> tuple[dict[str, Label], int]:
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
    chosen: dict[str, list[set[str]]] = {}
    for number, task in enumerate(exported, 1):
        try:
            text = task["data"]["text"]
            done = [one for one in task["annotations"] if not one.get("was_cancelled")]
            results = [result for one in done for result in one["result"]]  # also of other controls, such as a rating
            choices = {choice for result in results for choice in result.get("value", {}).get("choices", [])}
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{where}: task {number} is not a task with data.text and annotations.") from error
        found = {str(choice).casefold() for choice in choices}
        if not isinstance(text, str):
            raise InputError(f"{where}: task {number}: data.text is not a string.")
        if wrong := sorted(found - {"positive", "negative"}):
            raise InputError(f"{where}: task {number} has the choice {wrong[0]!r}; choices are Positive and Negative.")
        chosen.setdefault(text, []).append(found)
    clear: dict[str, Label] = {
        text: "positive" if "positive" in both else "negative"
        for text, sets in chosen.items()
        if len(both := set.union(*sets)) == 1
    }
    return clear, sum(len(sets) for text, sets in chosen.items() if text not in clear)
