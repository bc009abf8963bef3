"""`OnnxClassifier` predicts with ONNX Runtime, from a model directory with model.onnx; it does not import torch.

>>> from sentiment.inference.onnx import OnnxClassifier
>>> OnnxClassifier.from_pretrained("exported").predict("I loved every minute of it.").label
'positive'
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sentiment.data.batching import EncodedReviews, length_batches
from sentiment.errors import InputError, RunError
from sentiment.inference.base import Predictor
from sentiment.inference.threads import batch_threads, check_threads
from sentiment.io.files import expand_user, read_json
from sentiment.io.signals import raise_if_stopped
from sentiment.persistence.model_directory import ONNX_WEIGHTS, TORCH_WEIGHTS, read_directory

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

BATCH_TOKENS = 4096
"""Maximum number of tokens per batch, including padding: small enough for the CPU cache. Measured with the shipped
model on one core, in CPU time: 8% more reviews/s than with 16,384, and 50% more than with 65,536."""

INPUTS = [("input_ids", "tensor(int64)", 2), ("lengths", "tensor(int64)", 1)]
OUTPUTS = [("logits", "tensor(float)", 1)]
"""Name, type and number of dimensions of the inputs and outputs of the graph."""


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
        super().__init__(found.text, found.calibration)
        self._digest = str(read_json(directory / "config.json")["sha256"])
        self._file, self._threads = directory / ONNX_WEIGHTS, threads
        self._graph = self._file.read_bytes()
        self._session = open_session(self._graph, self._file)

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

    def logits(self, reviews: EncodedReviews) -> np.ndarray:
        """Logit of the positive label for each review, before the temperature: [len(reviews)] float32.

        Raises:
            RunError: if the graph fails.
            Stopped: if a stop was requested.
        """
        logits = np.empty(len(reviews), dtype=np.float32)

        def predict_batch(rows: np.ndarray) -> None:
            raise_if_stopped()
            ids, lengths = reviews.padded(rows)
            try:
                logits[rows] = self._session.run(["logits"], {"input_ids": ids, "lengths": lengths})[0]
            except Exception as error:  # its errors have no common base class
                raise RunError(f"{self._file}: the graph failed: {' '.join(str(error).split())}.") from error

        batches = length_batches(reviews.lengths, BATCH_TOKENS)
        threads = batch_threads(self._threads) if len(batches) > 1 else 1
        if threads == 1:
            for rows in batches:
                predict_batch(rows)
        else:
            with ThreadPoolExecutor(threads) as pool:
                for _ in pool.map(predict_batch, batches):  # raises the error of a batch
                    pass
        return logits

    def digest(self) -> str:
        """SHA-256 of everything that a prediction depends on."""
        return self._digest

    def __getstate__(self) -> dict[str, Any]:
        """Everything except the session, which is opened again in the other process."""
        return {name: value for name, value in self.__dict__.items() if name != "_session"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._session = open_session(self._graph, self._file)


def is_exported(model: str | Path) -> bool:
    """Whether `model` is a directory for `OnnxClassifier`, not for `SentimentClassifier`."""
    directory = expand_user(model)
    return (directory / ONNX_WEIGHTS).is_file() and not (directory / TORCH_WEIGHTS).exists()


def open_session(graph: bytes, file: Path) -> "InferenceSession":
    """Open a session of ONNX Runtime for a graph of `sentiment.export.onnx_graph`.

    It computes in the calling thread. With threads of its own, it would wait forever in a forked child, where the
    threads of the parent do not exist.

    Args:
        graph: content of model.onnx; graphs that refer to other files are rejected.
        file: path of the graph, for error messages.

    Raises:
        InputError: if it is not such a graph.
        RunError: if ONNX Runtime is not installed.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise RunError(
            f"{file}: ONNX Runtime is not installed; in a checkout, install it with: "
            "pip install -c constraints.txt '.[onnx]'"
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4  # no messages on standard error; errors are raised anyway
    try:
        session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no common base class
        raise InputError(f"{file}: not a graph that ONNX Runtime can read: {' '.join(str(error).split())}.") from error
    for expected, found in (INPUTS, session.get_inputs()), (OUTPUTS, session.get_outputs()):
        described = [(value.name, value.type, len(value.shape)) for value in found]
        if described != expected:
            raise InputError(f"{file}: the graph has {described}, but {expected} is needed.")
    return session
