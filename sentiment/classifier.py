"""The public face: a trained model that reads reviews, through torch."""

import functools
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from sentiment.batching import EncodedReviews
from sentiment.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from sentiment.errors import InputError, RunError
from sentiment.inference import predict_logits
from sentiment.model import SentimentRNN
from sentiment.model_directory import SHIPPED_MODELS, locate_model
from sentiment.prediction import Prediction, Predictor
from sentiment.prediction_network import Precision, prediction_network

if TYPE_CHECKING:
    from sentiment.explanation import Explanation

SHIPPED_MODEL = SHIPPED_MODELS / "imdb"


class SentimentClassifier(Predictor):
    """A trained model that reads reviews.

    Example:
        >>> classifier = SentimentClassifier.from_pretrained()
        >>> classifier.predict("I loved every minute of it.").label
        'positive'
    """

    def __init__(
        self, checkpoint: Checkpoint, device: str | torch.device = "cpu", precision: Precision = "auto"
    ) -> None:
        self.checkpoint, self.precision = checkpoint, precision
        super().__init__(checkpoint.text, checkpoint.calibration)
        self.device = torch.device(device)
        model = checkpoint.build()
        assert isinstance(model, SentimentRNN)
        self.model = model.to(self.device)
        prediction_network(self.model, precision, self.device)  # raises where it cannot be had

    @classmethod
    def from_pretrained(
        cls,
        model: str | Path | None = None,
        device: str | torch.device = "cpu",
        revision: str | None = None,
        precision: Precision = "auto",
    ) -> "SentimentClassifier":
        """Load a model.

        Args:
            model: a model directory, the name of a model that ships with the package ("imdb", which None takes as
                well, or the quicker "imdb-small"), or a hub id; the first of these that there is.
            device: where it computes.
            revision: branch, tag or commit on the hub.
            precision: "fp32" gives the same probability on every CPU, to 1e-6; "bf16" is about twice as fast on a CPU
                that multiplies it in hardware, and within 2e-3; "auto" takes bf16 on such a CPU, else fp32.

        Raises:
            InputError: if there is no such model, its directory is damaged, or the precision cannot be had.
            RunError: if the hub cannot be reached.
        """
        directory = SHIPPED_MODEL if model is None else locate_model(model)
        if isinstance(model, str) and not directory.exists() and _looks_like_hub_id(model):
            directory = _download(model, revision)
        return cls(load_checkpoint(directory, "sentiment-rnn"), device, precision)

    def logits(self, reviews: EncodedReviews) -> np.ndarray:
        """Logit of positive of each review, before the temperature: [len(reviews)] float32."""
        return predict_logits(prediction_network(self.model, self.precision, self.device), reviews, self.device)

    def digest(self) -> str:
        """SHA-256 over all that decides an answer."""
        return self.checkpoint.digest()

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
