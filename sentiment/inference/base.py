"""Text in, `Prediction` out: what is the same whatever computes the network.

Imports no torch: a predictor on another runtime (`sentiment.inference.onnx`) starts in a fraction of the time.
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
"""From this share of unknown words on, a text is not judged. Measured with IMDB's 30,000 words: whole reviews hold at
most 14% unknown words, 5 in 10,000 snippets of ten words reach a half, sentences of other languages hold 53 to 100%."""


@dataclass(frozen=True)
class Prediction:
    """The answer to one review."""

    label: str
    """"positive" or "negative"."""
    probability: float
    """Of positive, 0 to 1."""
    score: float
    """Probability of the label, 0.5 to 1."""
    tokens: int
    """Words and punctuation marks in the review."""
    unknown_tokens: int
    """How many of those that were read are not in the vocabulary."""
    truncated: bool
    """Whether the review was longer than the model reads."""
    uncertain: bool = False
    """Whether the score is too low to be sure of the label (the band is chosen on validation reviews, see
    `sentiment.evaluation.calibration`), or the text cannot be judged, for the reason below."""
    reason: str | None = None
    """Why the model cannot judge the text: "no words" (answered from the model's bias), or "most words unknown"
    (another language, or no language); else None."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return dict(vars(self))


class Predictor(ABC):
    """A trained network with its text rules and its calibration; a child computes the logits.

    Args:
        text: the way from a text to token ids.
        calibration: what config.json of a model directory holds; see `sentiment.evaluation.calibration`.
    """

    def __init__(self, text: TextEncoder, calibration: Mapping[str, float]) -> None:
        self.text = text
        self.temperature = calibration["temperature"]
        self.confident_from = calibration.get("confident_from", 0.5)

    @abstractmethod
    def logits(self, reviews: EncodedReviews) -> np.ndarray:
        """Logit of positive of each review, before the temperature: [len(reviews)] float32."""

    @abstractmethod
    def digest(self) -> str:
        """SHA-256 over all that decides an answer."""

    @overload
    def predict(self, texts: str) -> Prediction: ...  # type: ignore[overload-overlap]  # a string is iterable too

    @overload
    def predict(self, texts: Iterable[str]) -> list[Prediction]: ...

    def predict(self, texts: str | Iterable[str]) -> Prediction | list[Prediction]:
        """Read one review or many.

        Args:
            texts: a string gives one `Prediction`; several strings give a list of the same length and order.

        Raises:
            TypeError: if a review is not a string, with its position.
        """
        if isinstance(texts, str):
            return self._predict_many([texts])[0]
        return self._predict_many(_as_list(texts))

    def predict_proba(self, texts: Iterable[str]) -> np.ndarray:
        """Probabilities [n, 2] float64, columns (negative, positive); rows sum to 1."""
        positive = np.array(
            [prediction.probability for prediction in self._predict_many(_as_list(texts))], dtype=np.float64
        )
        return np.stack([1 - positive, positive], axis=1)

    def _predict_many(self, texts: Sequence[str]) -> list[Prediction]:
        for position, text in enumerate(texts):
            if not isinstance(text, str):
                raise TypeError(f"review {position} is {type(text).__name__}, not a string.")
        tokens = [tokenize(normalize(text)) for text in texts]
        reviews = EncodedReviews(self.text.encode(review) for review in tokens)
        probabilities = probability(self.logits(reviews), self.temperature)
        positives = is_positive(probabilities)
        scores = np.maximum(probabilities, 1 - probabilities)
        unknown = [int((reviews[row] == UNKNOWN_ID).sum()) for row in range(len(texts))]
        reasons = [_reason(self.text.tokens_read(read), reviews[row], unknown[row]) for row, read in enumerate(tokens)]
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


def _reason(read: Sequence[str], ids: np.ndarray, unknown: int) -> str | None:
    """Why a text cannot be judged, from the tokens that were read, their ids and how many of them are unknown."""
    known = unknown_words = 0
    for token, index in zip(read, ids, strict=True):
        if any(map(str.isalnum, token)):
            if index == UNKNOWN_ID:
                unknown_words += 1
            else:
                known += 1
                if unknown < UNKNOWN_SHARE * (known + unknown):
                    return None  # after some ten words of most reviews: the others could not change it
    if known + unknown_words == 0:
        return "no words"
    return "most words unknown" if unknown_words >= UNKNOWN_SHARE * (known + unknown_words) else None


def _as_list(texts: Iterable[str]) -> list[str]:
    if isinstance(texts, str | bytes) or not isinstance(texts, Iterable):
        raise TypeError(f"reviews are given as strings, not as {type(texts).__name__}.")
    return list(texts)
