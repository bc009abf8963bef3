"""From texts to `Prediction`s: the code that predictors with torch and with ONNX Runtime share.

This module does not import torch, so that ONNX Runtime (`sentiment.inference.onnx`) starts fast.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, overload

import numpy as np

from sentiment.data.batching import EncodedReviews
from sentiment.inference.postprocessing import is_positive, probability
from sentiment.text.tokenizer import normalize, tokenize
from sentiment.text.vocabulary import UNKNOWN_ID, TextEncoder

UNKNOWN_SHARE = 0.5
"""Share of unknown words from which a prediction has the reason "most words unknown". Measured with the 30,000 words
of IMDB: reviews have at most 14% unknown words, 5 in 10,000 snippets of ten words have 50% or more, and sentences in
other languages have 53 to 100%."""


NO_WORDS = "no words"


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


NO_TEXT = Prediction(None, None, None, tokens=0, unknown_tokens=0, truncated=False, uncertain=True, reason="no text")
"""The prediction for an empty text."""


class Predictor(ABC):
    """A trained model: vocabulary, text settings and calibration. Subclasses compute the logits.

    Args:
        text: turns tokens into token ids.
        calibration: `temperature` and `confident_from`; see `sentiment.evaluation.calibration`.
    """

    def __init__(self, text: TextEncoder, calibration: Mapping[str, float]) -> None:
        self.text = text
        self.temperature = calibration["temperature"]
        self.confident_from = calibration.get("confident_from", 0.5)

    @abstractmethod
    def logits(self, reviews: EncodedReviews) -> np.ndarray:
        """Logit of the positive label for each review, before the temperature: [len(reviews)] float32."""

    @abstractmethod
    def digest(self) -> str:
        """SHA-256 of everything that a prediction depends on."""

    @overload
    def predict(self, texts: str) -> Prediction: ...  # type: ignore[overload-overlap]  # a string is iterable too

    @overload
    def predict(self, texts: Iterable[str]) -> list[Prediction]: ...

    def predict(self, texts: str | Iterable[str]) -> Prediction | list[Prediction]:
        """Predict one review or many.

        Args:
            texts: one review, or reviews in their order: a list, a generator, an array, one column of a table.

        Returns:
            A `Prediction` for one review; a list of them, in the same order, for an iterable.

        Raises:
            TypeError: if a review is not a string; the message has its position. Also for a whole table, a dictionary
                or a set.
        """
        if isinstance(texts, str):
            return self._predict_many([texts])[0]
        return self._predict_many(_as_list(texts))

    def predict_proba(self, texts: Iterable[str]) -> np.ndarray:
        """Probabilities of negative and positive, as columns: [n, 2] float64; rows sum to 1.

        A text without words has 0.5 and 0.5.

        Raises:
            TypeError: if `texts` is one string, or a review is not a string.
        """
        if isinstance(texts, str):
            raise TypeError("predict_proba takes a list of reviews; for one review, give a list that contains it.")
        found = (prediction.probability for prediction in self._predict_many(_as_list(texts)))
        positive = np.array([0.5 if value is None else value for value in found], dtype=np.float64)
        return np.stack([1 - positive, positive], axis=1)

    def _predict_many(self, texts: Sequence[str]) -> list[Prediction]:
        for position, text in enumerate(texts):
            if not isinstance(text, str):
                raise TypeError(f"review {position} is {_described(text)}.")
        tokens = [tokenize(normalize(text)) for text in texts]
        reviews = EncodedReviews(self.text.encode(review) for review in tokens)
        probabilities = probability(self.logits(reviews), self.temperature)
        positives = is_positive(probabilities)
        scores = np.maximum(probabilities, 1 - probabilities)
        unknown = [int((reviews[row] == UNKNOWN_ID).sum()) for row in range(len(texts))]
        kept = map(self.text.tokens_read, tokens)
        reasons = [_reason(review, reviews[row], unknown[row]) for row, review in enumerate(kept)]
        predictions = [
            Prediction(
                label="positive" if positives[row] else "negative",
                probability=float(probabilities[row]),
                score=float(scores[row]),
                tokens=len(tokens[row]),
                unknown_tokens=unknown[row],
                truncated=len(tokens[row]) > self.text.max_length,
                uncertain=bool(scores[row] < self.confident_from) or reasons[row] is not None,
                reason=reasons[row],
            )
            for row in range(len(texts))
        ]
        return [
            NO_TEXT if not text.strip() else _without_label(found) if found.reason == NO_WORDS else found
            for text, found in zip(texts, predictions, strict=True)
        ]


def _reason(tokens: Sequence[str], ids: np.ndarray, unknown: int) -> str | None:
    """`Prediction.reason`, from the tokens that the network gets, their ids, and the number of unknown ids."""
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
    return "most words unknown" if unknown_words >= UNKNOWN_SHARE * (known + unknown_words) else None


def _described(item: object) -> str:
    """What is wrong with a review that is not a string."""
    kind = type(item).__name__
    if kind in ("NoneType", "NAType", "NaTType") or (isinstance(item, float) and math.isnan(item)):
        return "missing; leave it out, or give an empty string"
    return f"{kind}; it must be a string"


def _without_label(prediction: Prediction) -> Prediction:
    """The network's answer for a text without words comes from its bias, so it says nothing about the text."""
    return replace(prediction, label=None, probability=None, score=None)


def _as_list(texts: Iterable[str]) -> list[str]:
    kind = type(texts).__name__
    if isinstance(texts, Mapping) or hasattr(texts, "columns") or hasattr(texts, "column_names"):
        raise TypeError(f"a {kind} has several columns; give the one of the reviews, such as reviews['text'].")
    if isinstance(texts, set | frozenset):
        raise TypeError(f"a {kind} has no order; give a list.")
    if hasattr(texts, "to_pylist"):  # arrays of pyarrow, whose items are not strings
        texts = texts.to_pylist()
    if isinstance(texts, str | bytes) or not isinstance(texts, Iterable) or getattr(texts, "ndim", 1) == 0:
        raise TypeError(f"expected a string or an iterable of strings, not {kind}.")
    return list(texts)
