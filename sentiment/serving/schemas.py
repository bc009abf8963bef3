"""Requests and replies of the service. `/predict` has those of text-embeddings-inference, so that its clients work."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from sentiment.explanation.parts import By


class Request(BaseModel):
    """A request; a field that does not exist is refused, and so is a value of another type."""

    model_config = ConfigDict(extra="forbid", strict=True)


Texts = (
    str
    | Annotated[list[str], Field(min_length=1)]
    | Annotated[list[Annotated[list[str], Field(min_length=1, max_length=1)]], Field(min_length=1)]
)
"""One text, many, or, as clients of text-embeddings-inference write many, a list with a list for each."""


class PredictRequest(Request):
    """What to predict."""

    inputs: Texts = Field(
        description="A review; or reviews, as [review, ...] or [[review], ...].",
        examples=["I loved every minute of it."],
    )
    truncate: bool | None = Field(
        None, description="Whether a review may be longer than the model reads; it reads the end."
    )
    raw_scores: bool = Field(False, description="Whether scores are logits instead of probabilities.")
    parameters: dict[str, Any] | None = Field(
        None, max_length=0, description="Nothing; clients of the Hugging Face hub send {}."
    )
    details: bool = Field(False, description="Whether the reply has all fields of `Prediction` for each review.")


class Score(BaseModel):
    """How probable a label is."""

    label: str
    score: float


class Details(BaseModel):
    """`Prediction.to_dict()`: label and probability are null for a text without words."""

    label: str | None
    probability: float | None
    score: float | None
    tokens: int
    unknown_tokens: int
    truncated: bool
    uncertain: bool
    reason: str | None
    polarity: float | None
    three_way: str | None


Predicted = list[Score] | list[list[Score]] | Details | list[Details]
"""For one text or many, both labels or, with `details`, all fields."""


class ExplainRequest(Request):
    """What to explain."""

    inputs: str = Field(description="A review.", examples=["A wonderful film, but the ending isn't good."])
    by: By | None = Field(None, description="What to divide the review into; null for phrases or, if long, sentences.")


Explained = dict[str, Any]
"""`Explanation.to_dict()`."""


class Problem(BaseModel):
    """Why a request has no answer."""

    error: str
    """One sentence."""
    error_type: str
