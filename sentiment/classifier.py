"""The public face: text in, `Prediction` out."""

import functools
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, overload

import numpy as np
import torch

from sentiment.batching import EncodedReviews
from sentiment.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from sentiment.errors import InputError, RunError
from sentiment.evaluation import is_positive
from sentiment.inference import predict_logits
from sentiment.model import SentimentRNN, probability
from sentiment.text import UNKNOWN_ID, normalise, tokenise

SHIPPED_MODEL = Path(__file__).parent / "models" / "imdb"


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
    reason: str | None = None
    """Why the answer says little: "no words" for a text without any, answered from the model's bias; else None."""

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
    def predict(self, texts: str) -> Prediction: ...

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
        positive = np.array([prediction.probability for prediction in self._predict_many(_as_list(texts))], dtype=np.float64)
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
        return [
            Prediction(
                label="positive" if positives[row] else "negative",
                probability=float(probabilities[row]),
                score=float(max(probabilities[row], 1 - probabilities[row])),
                tokens=len(tokens[row]),
                unknown_tokens=int((reviews[row] == UNKNOWN_ID).sum()),
                truncated=len(tokens[row]) > self.text.max_length,
                reason=None if tokens[row] else "no words",
            )
            for row in range(len(texts))
        ]

    def save_pretrained(self, directory: str | Path) -> None:
        """Write a model directory that `from_pretrained` reads.

        Raises:
            InputError: if something else stands there.
            RunError: if it cannot be written.
        """
        save_checkpoint(replace(self.checkpoint, weights=self.model.state_dict()), Path(directory))

    def push_to_hub(self, repo_id: str, directory: str | Path) -> str:
        """Save to `directory`, then upload that to the hub; returns the commit's address."""
        from huggingface_hub import HfApi

        self.save_pretrained(directory)
        api = HfApi()
        api.create_repo(repo_id, exist_ok=True)
        return str(api.upload_folder(repo_id=repo_id, folder_path=str(directory)).commit_url)


def _as_list(texts: Iterable[str]) -> list[str]:
    if isinstance(texts, str | bytes) or not isinstance(texts, Iterable):
        raise TypeError(f"reviews are given as strings, not as {type(texts).__name__}.")
    return list(texts)


def _looks_like_hub_id(model: str) -> bool:
    return model.count("/") == 1 and not model.startswith((".", "/", "~"))


def _download(model: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, RepositoryNotFoundError

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
