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


@dataclass(frozen=True, repr=False)
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

    @property
    def polarity(self) -> float | None:
        """Signed score, 2 * probability - 1: from -1 (surely negative) to 1 (surely positive); None without words."""
        return None if self.probability is None else 2 * self.probability - 1

    @property
    def three_way(self) -> str | None:
        """The label, but "neutral" if the prediction is uncertain; None for a text without words."""
        return "neutral" if self.uncertain and self.label is not None else self.label

    def to_dict(self) -> dict[str, Any]:
        """The fields, `polarity` and `three_way` as a dictionary of plain values, for JSON or a data frame."""
        return vars(self) | {"polarity": self.polarity, "three_way": self.three_way}

    def __repr__(self) -> str:
        """The fields; numbers with four digits, since a model is not more exact."""
        shown = (f"{k}={v:.4f}" if isinstance(v, float) else f"{k}={v!r}" for k, v in vars(self).items())
        return f"Prediction({', '.join(shown)})"


@dataclass(frozen=True, eq=False)
class Predictions:
    """Predictions for n reviews, in order: an array for each field of `Prediction` that does not follow from others."""

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

    @classmethod
    def joined(cls, parts: Sequence["Predictions"]) -> "Predictions":
        """The predictions of all parts, one after the other."""
        return cls(*(np.concatenate([getattr(part, field) for part in parts]) for field in cls.__dataclass_fields__))

    def __len__(self) -> int:
        return len(self.probability)

    def columns(self) -> dict[str, list[Any]]:
        """What `Prediction.to_dict` has, as columns of plain values: {name: n values}."""
        label = np.where(is_positive(self.probability), "positive", "negative").astype(object)
        probability = self.probability.astype(object)
        score = np.maximum(self.probability, 1 - self.probability).astype(object)
        polarity = (2 * self.probability - 1).astype(object)
        three_way = np.where(self.uncertain, "neutral", label)
        for column in (label, probability, score, polarity, three_way):
            column[np.isnan(self.probability)] = None
        columns = {"label": label, "probability": probability, "score": score}
        columns |= {name: column for name, column in vars(self).items() if name != "probability"}
        columns |= {"polarity": polarity, "three_way": three_way}
        return {name: column.tolist() for name, column in columns.items()}

    def rows(self) -> list[Prediction]:
        """One `Prediction` per review."""
        columns = self.columns()
        fields = [columns[field] for field in Prediction.__dataclass_fields__]
        return [Prediction(*values) for values in zip(*fields, strict=True)]


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
