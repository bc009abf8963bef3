"""From texts to predictions: the code that predictors with torch and with ONNX Runtime share.

This module does not import torch, so that ONNX Runtime (`sentiment.inference.onnx`) starts fast.
"""

import hashlib
import logging
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, TypedDict, Unpack, get_args, overload

import numpy as np

from sentiment.data.batching import EncodedReviews
from sentiment.errors import InputError
from sentiment.inference.bands import Band, find_band
from sentiment.inference.encoding import EncodedTexts, encode_texts
from sentiment.inference.engine import OnBatch
from sentiment.inference.postprocessing import Temperature, probability
from sentiment.inference.prediction import Prediction, Predictions
from sentiment.io.progress import review_bar
from sentiment.text.long_text import LongText
from sentiment.text.vocabulary import TextEncoder

logger = logging.getLogger(__name__)

BLOCK = 8192
"""Reviews that are tokenized at a time: enough for batches of similar lengths, and little memory for long lists."""

HINT_AFTER, HINT_SECONDS = 50, 10.0
"""Calls with one review, and within which time, after which a hint says once that a list is faster."""


@dataclass(frozen=True)
class PredictorSettings:
    """What `predict` does if its caller does not say otherwise."""

    long_text: LongText | None = None
    """What to read of a review over the maximum length; None for the part that the model was trained with."""
    target_accuracy: float | None = None
    """Accuracy wanted of the predictions that are not uncertain; None for the model's own limit."""

    def __post_init__(self) -> None:
        if self.long_text not in (None, *get_args(LongText)):
            raise InputError(f"long_text is {self.long_text!r}; give one of {', '.join(get_args(LongText))}.")


class Options(TypedDict, total=False):
    """Keyword arguments of `Predictor.predict`, described there."""

    long_text: LongText | None
    target_accuracy: float | None
    batch_tokens: int | None
    show_progress: bool


class Predictor(ABC):
    """A trained model: vocabulary, text settings and calibration. Subclasses compute the logits.

    Args:
        text: turns tokens into token ids.
        calibration: `temperature`, `temperature_slope`, `confident_from` and `bands`; see `fit_calibration` in
            `sentiment.evaluation.calibration`.
        name: name of the model, for messages.
    """

    def __init__(self, text: TextEncoder, calibration: Mapping[str, Any], name: str = "") -> None:
        self.text, self.name = text, name
        self.temperature = Temperature(calibration["temperature"], calibration.get("temperature_slope", 0.0))
        self.confident_from: float = calibration.get("confident_from", 0.5)
        self.bands: list[Mapping[str, float]] = calibration.get("bands", [])
        self.settings = PredictorSettings()
        self._single_calls, self._first_call = 0, 0.0

    @abstractmethod
    def logits(
        self, reviews: EncodedReviews, batch_tokens: int | None = None, on_batch: OnBatch | None = None
    ) -> np.ndarray:
        """Logit of the positive label for each review, before the temperature: [len(reviews)] float32.

        Args:
            reviews: token ids of the reviews.
            batch_tokens: maximum number of tokens per batch; None for the fastest.
            on_batch: called with the number of reviews of each finished batch.
        """

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
    def model_digest(self) -> str:
        """SHA-256 of the model: weights, vocabulary, text settings and calibration."""

    def digest(self) -> str:
        """SHA-256 of everything that a prediction depends on: the model and the settings."""
        if self.settings == PredictorSettings():
            return self.model_digest()
        return hashlib.sha256(f"{self.model_digest()} {sorted(asdict(self.settings).items())}".encode()).hexdigest()

    def band(self, target_accuracy: float) -> Band:
        """The score from which predictions reached an accuracy on validation reviews, and the share that did.

        Args:
            target_accuracy: the wanted accuracy, 0 to 1.

        Raises:
            InputError: if none reached it, or the model has no bands.
        """
        return find_band(self.bands, target_accuracy)

    def __call__(self, texts: str | Iterable[str], **options: Unpack[Options]) -> list[dict[str, Any]]:
        """Label and score of each review, as `pipeline("sentiment-analysis")` of transformers gives them.

        Args:
            texts: one review or many; one gives a list, too.
            options: see `predict`.

        Returns:
            `{"label": "positive" or "negative", "score": 0.5 to 1}` per review; both None for a text without words.

        Raises:
            TypeError: see `predict`.
            InputError: see `predict`.
        """
        found = self.predict_columns([texts] if isinstance(texts, str) else texts, **options).columns()
        return [{"label": label, "score": score} for label, score in zip(found["label"], found["score"], strict=True)]

    @overload
    def predict(self, texts: str, **options: Unpack[Options]) -> Prediction: ...  # type: ignore[overload-overlap]

    @overload
    def predict(self, texts: Iterable[str], **options: Unpack[Options]) -> list[Prediction]: ...

    def predict(self, texts: str | Iterable[str], **options: Unpack[Options]) -> Prediction | list[Prediction]:
        """Predict one review or many.

        Args:
            texts: one review, or reviews in their order: a list, a generator, an array, one column of a table.
            options:
                long_text: what to read of a review over the model's maximum length: "head", "tail", "windows" (mean
                    logit of overlapping parts) or "whole". By default the part that the model was trained with.
                target_accuracy: accuracy wanted of the predictions that are not uncertain, such as 0.99. `band` says
                    which share of reviews that leaves. By default the model's own limit.
                batch_tokens: maximum number of tokens that are computed at a time; less needs less memory.
                show_progress: whether to show a progress bar.

        Returns:
            A `Prediction` for one review; a list of them, in the same order, for an iterable.

        Raises:
            TypeError: if a review is not a string; the message has its position. Also for a whole table, a dictionary
                or a set.
            InputError: if an option has a wrong value, or no band has the wanted accuracy.
        """
        if isinstance(texts, str):
            self._hint_at_lists()
            return self.predict_columns([texts], **options).rows()[0]
        return self.predict_columns(texts, **options).rows()

    def predict_proba(self, texts: Iterable[str], **options: Unpack[Options]) -> np.ndarray:
        """Probabilities of negative and positive, as columns: [n, 2] float64; rows sum to 1.

        A text without words has 0.5 and 0.5. For the options see `predict`.

        Raises:
            TypeError: if `texts` is one string, or a review is not a string.
            InputError: see `predict`.
        """
        if isinstance(texts, str):
            raise TypeError("predict_proba takes a list of reviews; for one review, give a list that contains it.")
        found = self.predict_columns(texts, **options).probability
        positive = np.where(np.isnan(found), 0.5, found)
        return np.stack([1 - positive, positive], axis=1)

    def predict_columns(
        self,
        texts: Iterable[str],
        *,
        long_text: LongText | None = None,
        target_accuracy: float | None = None,
        batch_tokens: int | None = None,
        show_progress: bool = False,
        on_batch: OnBatch | None = None,
    ) -> Predictions:
        """Like `predict`, as arrays: for many reviews, when no `Prediction` objects are needed.

        `on_batch` is called with the number of reviews that have been predicted since its last call.

        Raises:
            TypeError: see `predict`.
            InputError: see `predict`.
        """
        texts = as_list(texts)
        for position, text in enumerate(texts):
            if not isinstance(text, str):
                raise TypeError(f"review {position} is {_described(text)}.")
        if batch_tokens is not None and batch_tokens < 1:
            raise InputError(f"batch_tokens is {batch_tokens}; give a number from 1 on.")
        long_text = PredictorSettings(long_text).long_text or self.settings.long_text
        target = self.settings.target_accuracy if target_accuracy is None else target_accuracy
        confident_from = self.confident_from if target is None else self.band(target).confident_from
        blocks = []
        with _progress(len(texts), show_progress, on_batch) as advance:
            for start in range(0, max(1, len(texts)), BLOCK):
                encoded = encode_texts(self.text, texts[start : start + BLOCK], long_text)
                blocks.append(self._predict_encoded(encoded, confident_from, batch_tokens, advance))
        return Predictions.joined(blocks)

    def _predict_encoded(
        self, encoded: EncodedTexts, confident_from: float, batch_tokens: int | None, on_batch: OnBatch | None
    ) -> Predictions:
        if on_batch is not None:
            on_batch = encoded.counting_texts(on_batch)
        logits = encoded.per_text(self.logits(encoded.reviews, batch_tokens, on_batch))
        # without words there is no probability, since the network's answer comes from its bias alone
        found = np.where(encoded.has_words, probability(logits, self.temperature.of(encoded.tokens)), np.nan)
        return Predictions(
            probability=found,
            tokens=encoded.tokens,
            unknown_tokens=encoded.unknown_tokens,
            truncated=encoded.truncated,
            uncertain=(np.maximum(found, 1 - found) < confident_from) | (encoded.reason != None),  # noqa: E711
            reason=encoded.reason,
        )

    def _hint_at_lists(self) -> None:
        now = time.monotonic()
        if now - self._first_call > HINT_SECONDS and self._single_calls < HINT_AFTER:
            self._single_calls, self._first_call = 0, now
        self._single_calls += 1
        if self._single_calls == HINT_AFTER:
            logger.warning(
                "predict was called %d times with one review. One call with a list of reviews is faster: "
                "predict(reviews).",
                HINT_AFTER,
            )


@contextmanager
def _progress(total: int, shown: bool, on_batch: OnBatch | None) -> Iterator[OnBatch | None]:
    """What to call after each batch: the caller's function, or the update of a progress bar."""
    if not shown:
        yield on_batch
        return
    with review_bar(total, "predict") as bar:

        def advance(count: int) -> None:
            bar.update(count)
            if on_batch is not None:
                on_batch(count)

        yield advance


def _described(item: object) -> str:
    """What is wrong with a review that is not a string."""
    kind = type(item).__name__
    if kind in ("NoneType", "NAType", "NaTType") or (isinstance(item, float) and math.isnan(item)):
        return "missing; leave it out, or give an empty string"
    return f"{kind}; it must be a string"


def as_list(texts: Iterable[str]) -> list[str]:
    """The texts as a list.

    Raises:
        TypeError: if they are one text, or have no order, or are a table of several columns.
    """
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
