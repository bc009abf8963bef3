"""`Prediction`, the answer for one review, and `Predictions`, the answers for many as columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sentiment.inference.postprocessing import is_positive
from sentiment.text.vocabulary import UNKNOWN_ID

NO_TEXT, NO_WORDS, UNKNOWN_WORDS = "no text", "no words", "most words unknown"
"""Values of `Prediction.reason`."""

UNKNOWN_SHARE = 0.5
"""Share of unknown words from which a prediction has the reason "most words unknown". Measured with the 30,000 words
of IMDB: reviews have at most 14% unknown words, 5 in 10,000 snippets of ten words have 50% or more, and sentences in
other languages have 53 to 100%."""


@dataclass(frozen=True)
class Prediction:
    """The prediction for one review."""

    label: str | None
    """"positive" or "negative"; None for a text without words."""
    probability: float | None
    """Probability that the review is positive, 0 to 1; None for a text without words."""
    score: float | None
    """Probability of the label, 0.5 to 1; None for a text without words."""
    tokens: int
    """Words and punctuation marks in the review."""
    unknown_tokens: int
    """Tokens that are not in the vocabulary; of a truncated review, only the kept part counts."""
    truncated: bool
    """Whether the review was longer than the model's maximum length."""
    uncertain: bool = False
    """Whether the score is below the limit that was chosen on validation reviews (`sentiment.evaluation.calibration`),
    or there is a `reason`."""
    reason: str | None = None
    """Problem with the text: "no text" (nothing, or only white space) and "no words" (only punctuation or markup) have
    no label; "most words unknown" (for example, another language) has one. None for any other text."""

    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, for JSON."""
        return dict(vars(self))


@dataclass(frozen=True, eq=False)
class Predictions:
    """Predictions for n reviews, in order: an array for each field of `Prediction` that others do not follow from."""

    probability: np.ndarray
    """[n] float64, of positive, 0 to 1; NaN for a text without words."""
    tokens: np.ndarray
    """[n] int64."""
    unknown_tokens: np.ndarray
    """[n] int64."""
    truncated: np.ndarray
    """[n] bool."""
    uncertain: np.ndarray
    """[n] bool."""
    reason: np.ndarray
    """[n] object, a string or None."""

    def __len__(self) -> int:
        return len(self.probability)

    def columns(self) -> dict[str, list[Any]]:
        """All fields of `Prediction` as plain values: {name: n values}."""
        label = np.where(is_positive(self.probability), "positive", "negative").astype(object)
        probability = self.probability.astype(object)
        score = np.maximum(self.probability, 1 - self.probability).astype(object)
        for column in (label, probability, score):
            column[np.isnan(self.probability)] = None
        columns = {"label": label, "probability": probability, "score": score}
        columns |= {name: column for name, column in vars(self).items() if name != "probability"}
        return {name: column.tolist() for name, column in columns.items()}

    def rows(self) -> list[Prediction]:
        """One `Prediction` per review."""
        return [Prediction(*fields) for fields in zip(*self.columns().values(), strict=True)]


def reason(tokens: Sequence[str], ids: np.ndarray, unknown: int) -> str | None:
    """`Prediction.reason` of a text that is not empty.

    Args:
        tokens: the tokens that the network gets.
        ids: their ids [tokens].
        unknown: number of unknown ids.
    """
    known = unknown_words = 0
    for token, index in zip(tokens, ids, strict=True):
        if any(map(str.isalnum, token)):
            if index == UNKNOWN_ID:
                unknown_words += 1
            else:
                known += 1
                if unknown < UNKNOWN_SHARE * (known + unknown):
                    return None  # most reviews end here after some ten words; the others cannot change the result
    if known + unknown_words == 0:
        return NO_WORDS
    return UNKNOWN_WORDS if unknown_words >= UNKNOWN_SHARE * (known + unknown_words) else None
