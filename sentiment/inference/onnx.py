"""`OnnxClassifier` predicts with ONNX Runtime, from a model directory with model.onnx; it does not import torch.

>>> from sentiment.inference.onnx import OnnxClassifier
>>> OnnxClassifier.from_pretrained("exported").predict("I loved every minute of it.").label
'positive'
"""

from functools import partial
from pathlib import Path

import numpy as np

from sentiment.data.batching import EncodedReviews
from sentiment.errors import InputError
from sentiment.inference.base import Predictor
from sentiment.inference.engine import OnBatch, compute_logits
from sentiment.inference.onnx_network import OnnxNetwork
from sentiment.inference.threads import batch_threads, check_threads
from sentiment.io.files import expand_user, read_json
from sentiment.persistence.model_directory import ONNX_WEIGHTS, TORCH_WEIGHTS, read_directory


class OnnxClassifier(Predictor):
    """A trained model that predicts the sentiment of reviews with ONNX Runtime, like `SentimentClassifier` with torch.

    Args:
        directory: directory written by `sentiment export`.
        threads: see `from_pretrained`.

    Examples:
        >>> OnnxClassifier.from_pretrained("exported").predict("one review")  # -> Prediction
        >>> OnnxClassifier.from_pretrained("exported").predict(["many", "reviews"])  # -> list[Prediction]
    """

    def __init__(self, directory: Path, threads: int | None = None) -> None:
        found = read_directory(directory, ONNX_WEIGHTS, "sentiment-rnn")
        super().__init__(found.text, found.calibration, str(directory))
        self._digest, self._threads = str(read_json(directory / "config.json")["sha256"]), threads
        file = directory / ONNX_WEIGHTS
        self._network = OnnxNetwork(file.read_bytes(), file)

    @classmethod
    def from_pretrained(cls, model: str | Path, threads: int | None = None) -> "OnnxClassifier":
        """Load what `sentiment export --format onnx` wrote.

        Args:
            model: the directory.
            threads: number of batches that are computed at a time; None for OMP_NUM_THREADS; or else 1 in a child
                process; or else one per CPU that this process may use.

        Raises:
            InputError: if there is no such model, its directory is damaged, or `threads` is below 1.
            RunError: if ONNX Runtime is not installed.
        """
        check_threads(threads)
        return cls(expand_user(model), threads)

    def logits(
        self, reviews: EncodedReviews, batch_tokens: int | None = None, on_batch: OnBatch | None = None
    ) -> np.ndarray:
        """See `Predictor.logits`.

        Raises:
            RunError: if the graph fails.
            Stopped: if a stop was requested.
        """
        return compute_logits(self._network, reviews, partial(batch_threads, self._threads), batch_tokens, on_batch)

    @property
    def runtime(self) -> str:
        """What computes the logits."""
        return "ONNX Runtime, fp32 on cpu"

    def to(self, device: str) -> "OnnxClassifier":
        """The model itself, for "cpu".

        Raises:
            InputError: for another device.
        """
        if device != "cpu":
            raise InputError(f"an exported model runs only on the CPU, not on {device}.")
        return self

    def model_digest(self) -> str:
        """SHA-256 of the model: the graph, vocabulary, text settings and calibration."""
        return self._digest

    def __repr__(self) -> str:
        return f"OnnxClassifier({self.name!r}, device='cpu', precision='fp32')"


def is_exported(model: str | Path) -> bool:
    """Whether `model` is a directory for `OnnxClassifier`, not for `SentimentClassifier`."""
    directory = expand_user(model)
    return (directory / ONNX_WEIGHTS).is_file() and not (directory / TORCH_WEIGHTS).exists()
