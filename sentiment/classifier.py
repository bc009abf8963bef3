"""The public face: text in, `Prediction` out."""

import functools
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import torch

from sentiment.batching import EncodedReviews
from sentiment.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from sentiment.decision import is_positive
from sentiment.errors import InputError, RunError
from sentiment.inference import predict_logits
from sentiment.model import SentimentRNN, probability
from sentiment.text import UNKNOWN_ID, normalise, tokenise

if TYPE_CHECKING:
    from sentiment.explanation import Explanation

SHIPPED_MODEL = Path(__file__).parent / "models" / "imdb"

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
    `sentiment.calibration`), or the text cannot be judged, for the reason below."""
    reason: str | None = None
    """Why the model cannot judge the text: "no words" (answered from the model's bias), or "most words unknown"
    (another language, or no language); else None."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


class SentimentClassifier:
    """A trained model that reads reviews.

    Example:
        >>> classifier = SentimentClassifier.from_pretrained()
        >>> classifier.predict("I loved every minute of it.").label
        'positive'
    """

    def __init__(self, checkpoint: Checkpoint, device: str | torch.device = "cpu") -> None:
        self.checkpoint = checkpoint
        self.text = checkpoint.text
        self.temperature = checkpoint.calibration["temperature"]
        self.confident_from = checkpoint.calibration.get("confident_from", 0.5)
        self.device = torch.device(device)
        model = checkpoint.build()
        assert isinstance(model, SentimentRNN)
        self.model = model.to(self.device)

    @classmethod
    def from_pretrained(
        cls, model: str | Path | None = None, device: str | torch.device = "cpu", revision: str | None = None
    ) -> "SentimentClassifier":
        """Load a model.

        Args:
            model: a model directory or a hub id; None takes the model that ships with the package.
            device: where it computes.
            revision: branch, tag or commit on the hub.

        Raises:
            InputError: if there is no such model, or its directory is damaged.
            RunError: if the hub cannot be reached.
        """
        directory = SHIPPED_MODEL if model is None else Path(model).expanduser()
        if not directory.exists() and isinstance(model, str) and _looks_like_hub_id(model):
            directory = _download(model, revision)
        return cls(load_checkpoint(directory, "sentiment-rnn"), device)

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
        tokens = [tokenise(normalise(text)) for text in texts]
        reviews = EncodedReviews(self.text.encode(review) for review in tokens)
        logits = torch.from_numpy(predict_logits(self.model, reviews, self.device))
        probabilities = probability(logits.double(), self.temperature).numpy()
        positives = is_positive(probabilities)
        scores = np.maximum(probabilities, 1 - probabilities)
        reasons = [_reason(self.text.tokens_read(read), reviews[row]) for row, read in enumerate(tokens)]
        return [
            Prediction(
                label="positive" if positives[row] else "negative",
                probability=float(probabilities[row]),
                score=float(scores[row]),
                tokens=len(tokens[row]),
                unknown_tokens=int((reviews[row] == UNKNOWN_ID).sum()),
                truncated=len(tokens[row]) > self.text.max_length,
                uncertain=bool(scores[row] < self.confident_from) or reasons[row] is not None,
                reason=reasons[row],
            )
            for row in range(len(texts))
        ]

    def explain(self, text: str) -> "Explanation":
        """What each word of one review changed, and what every gate did at it.

        Raises:
            TypeError: if `text` is not a string.
            InputError: if the model is not a stack of LSTMs.

        Example:
            >>> explanation = SentimentClassifier.from_pretrained().explain("A dull, dull film.")
            >>> len(explanation.running_probability) == len(explanation.words)
            True
        """
        from sentiment.explanation import explain  # captum, which predict does without

        return explain(self, text)

    def save_pretrained(self, directory: str | Path, half_precision: bool = False) -> None:
        """Write a model directory that `from_pretrained` reads.

        Args:
            directory: where; a model directory that stands there is replaced.
            half_precision: store the weights in float16, half the size; they are float32 again once loaded.

        Raises:
            InputError: if something else stands there.
            RunError: if it cannot be written.
        """
        weights = self.model.state_dict()
        if half_precision:
            weights = {name: tensor.half() for name, tensor in weights.items()}
        save_checkpoint(replace(self.checkpoint, weights=weights), Path(directory))

    def push_to_hub(self, repo_id: str, directory: str | Path) -> str:
        """Save to `directory`, then upload that to the hub; returns the commit's address."""
        from huggingface_hub import HfApi

        self.save_pretrained(directory)
        api = HfApi()
        api.create_repo(repo_id, exist_ok=True)
        return str(api.upload_folder(repo_id=repo_id, folder_path=str(directory)).commit_url)


def _reason(read: Sequence[str], ids: np.ndarray) -> str | None:
    """Why a text cannot be judged, from the tokens that were read and their ids; None where it can."""
    known = [bool(index != UNKNOWN_ID) for token, index in zip(read, ids, strict=True) if any(map(str.isalnum, token))]
    if not known:
        return "no words"
    return "most words unknown" if known.count(False) >= UNKNOWN_SHARE * len(known) else None


def _as_list(texts: Iterable[str]) -> list[str]:
    if isinstance(texts, str | bytes) or not isinstance(texts, Iterable):
        raise TypeError(f"reviews are given as strings, not as {type(texts).__name__}.")
    return list(texts)


def _looks_like_hub_id(model: str) -> bool:
    return model.count("/") == 1 and not model.startswith((".", "/", "~"))


def _download(model: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    try:
        files = ["config.json", "model.safetensors", "vocab.json", "metrics.json", "README.md"]
        return Path(snapshot_download(model, revision=revision, allow_patterns=files))
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise InputError(f"{model}: no such model directory, and no such model on the hub.") from error
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise RunError(f"{model}: no such model directory here, and the hub cannot be reached.") from error


@functools.cache
def _shipped() -> SentimentClassifier:
    return SentimentClassifier.from_pretrained()


def predict_review(text: str) -> Prediction:
    """Read one review with the shipped model.

    Raises:
        TypeError: if `text` is not a string.

    Example:
        >>> predict_review("I loved every minute of it.").label
        'positive'
    """
    if not isinstance(text, str):
        raise TypeError(f"a review is a string, not {type(text).__name__}.")
    return _shipped().predict(text)
