"""From texts to predictions: the code that predictors with torch and with ONNX Runtime share.

This module does not import torch, so that ONNX Runtime (`sentiment.inference.onnx`) starts fast.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import overload

import numpy as np

from sentiment.data.batching import EncodedReviews
from sentiment.inference.postprocessing import probability
from sentiment.inference.prediction import NO_TEXT, NO_WORDS, Prediction, Predictions, reason
from sentiment.text.tokenizer import normalize, tokenize
from sentiment.text.vocabulary import UNKNOWN_ID, TextEncoder


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

    @property
    @abstractmethod
    def runtime(self) -> str:
        """What computes the logits, such as "torch, fp32 on cpu"."""

    @abstractmethod
    def to(self, device: str) -> "Predictor":
        """The same model on another device, "cpu" or "cuda".

        Raises:
            InputError: if it cannot compute there.
        """

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
            return self.predict_columns([texts]).rows()[0]
        return self.predict_columns(texts).rows()

    def predict_proba(self, texts: Iterable[str]) -> np.ndarray:
        """Probabilities of negative and positive, as columns: [n, 2] float64; rows sum to 1.

        A text without words has 0.5 and 0.5.

        Raises:
            TypeError: if `texts` is one string, or a review is not a string.
        """
        if isinstance(texts, str):
            raise TypeError("predict_proba takes a list of reviews; for one review, give a list that contains it.")
        found = self.predict_columns(texts).probability
        positive = np.where(np.isnan(found), 0.5, found)
        return np.stack([1 - positive, positive], axis=1)

    def predict_columns(self, texts: Iterable[str]) -> Predictions:
        """Like `predict`, as arrays: for many reviews, when no `Prediction` objects are needed.

        Raises:
            TypeError: see `predict`.
        """
        texts = _as_list(texts)
        for position, text in enumerate(texts):
            if not isinstance(text, str):
                raise TypeError(f"review {position} is {_described(text)}.")
        tokens = [tokenize(normalize(text)) for text in texts]
        kept = [self.text.tokens_read(review) for review in tokens]
        reviews = EncodedReviews.from_flat(*self.text.vocabulary.encode_all(kept))
        unknown = reviews.count(UNKNOWN_ID)
        reasons = np.empty(len(texts), dtype=object)
        for row, review in enumerate(kept):
            reasons[row] = reason(review, reviews[row], unknown[row]) if texts[row].strip() else NO_TEXT
        # without words there is no probability, since the network's answer comes from its bias alone
        without_words = (reasons == NO_TEXT) | (reasons == NO_WORDS)
        found = np.where(without_words, np.nan, probability(self.logits(reviews), self.temperature))
        counts = np.array([len(review) for review in tokens], dtype=np.int64)
        return Predictions(
            probability=found,
            tokens=counts,
            unknown_tokens=unknown,
            truncated=counts > self.text.max_length,
            uncertain=(np.maximum(found, 1 - found) < self.confident_from) | (reasons != None),  # noqa: E711
            reason=reasons,
        )


def _described(item: object) -> str:
    """What is wrong with a review that is not a string."""
    kind = type(item).__name__
    if kind in ("NoneType", "NAType", "NaTType") or (isinstance(item, float) and math.isnan(item)):
        return "missing; leave it out, or give an empty string"
    return f"{kind}; it must be a string"


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
