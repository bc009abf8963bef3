"""From texts to `Prediction`s: the code that predictors with torch and with ONNX Runtime share.

This module does not import torch, so that ONNX Runtime (`sentiment.inference.onnx`) starts fast.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Prediction:
    """The prediction for one review."""

    label: str
    """"positive" or "negative"."""
    probability: float
    """Probability that the review is positive, 0 to 1."""
    score: float
    """Probability of the label, 0.5 to 1."""
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
    """Problem with the text: "no words" (the prediction comes from the bias only), "most words unknown" (for example,
    another language), or None."""

    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, for JSON."""
        return dict(vars(self))


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
            texts: one review, or an iterable of reviews.

        Returns:
            A `Prediction` for one review; a list of them, in the same order, for an iterable.

        Raises:
            TypeError: if a review is not a string; the message has its position.
        """
        if isinstance(texts, str):
            return self._predict_many([texts])[0]
        return self._predict_many(_as_list(texts))

    def predict_proba(self, texts: Iterable[str]) -> np.ndarray:
        """Probabilities of negative and positive, as columns: [n, 2] float64; rows sum to 1."""
        positive = np.array(
            [prediction.probability for prediction in self._predict_many(_as_list(texts))], dtype=np.float64
        )
        return np.stack([1 - positive, positive], axis=1)

    def _predict_many(self, texts: Sequence[str]) -> list[Prediction]:
        for position, text in enumerate(texts):
            if not isinstance(text, str):
                raise TypeError(f"review {position} is {type(text).__name__}; it must be a string.")
        tokens = [tokenize(normalize(text)) for text in texts]
        reviews = EncodedReviews(self.text.encode(review) for review in tokens)
        probabilities = probability(self.logits(reviews), self.temperature)
        positives = is_positive(probabilities)
        scores = np.maximum(probabilities, 1 - probabilities)
        unknown = [int((reviews[row] == UNKNOWN_ID).sum()) for row in range(len(texts))]
        kept = map(self.text.tokens_read, tokens)
        reasons = [_reason(review, reviews[row], unknown[row]) for row, review in enumerate(kept)]
        return [
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
        return "no words"
    return "most words unknown" if unknown_words >= UNKNOWN_SHARE * (known + unknown_words) else None


def _as_list(texts: Iterable[str]) -> list[str]:
    if isinstance(texts, str | bytes) or not isinstance(texts, Iterable):
        raise TypeError(f"expected a string or an iterable of strings, not {type(texts).__name__}.")
    return list(texts)
