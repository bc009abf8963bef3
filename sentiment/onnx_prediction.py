"""Predictions from a model directory whose weights are model.onnx, by ONNX Runtime: nothing here imports torch.

>>> from sentiment.onnx_prediction import OnnxClassifier
>>> OnnxClassifier.from_pretrained("exported").predict("I loved every minute of it.").label
'positive'
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sentiment.batching import EncodedReviews, length_batches
from sentiment.errors import InputError, RunError
from sentiment.files import read_json
from sentiment.model_directory import ONNX_WEIGHTS, TORCH_WEIGHTS, read_directory
from sentiment.prediction import Predictor
from sentiment.stopping import check

if TYPE_CHECKING:
    from onnxruntime import InferenceSession  # type: ignore[import-untyped]

BATCH_TOKENS = 16_384
"""Tokens per batch, padding included; bounds the memory of a call."""

INPUTS = [("input_ids", "tensor(int64)", 2), ("lengths", "tensor(int64)", 1)]
OUTPUTS = [("logits", "tensor(float)", 1)]
"""Name, type and number of dimensions of what goes into the graph and comes out of it."""


class OnnxClassifier(Predictor):
    """A trained model that reads reviews, as `SentimentClassifier` does, without torch.

    Example:
        >>> OnnxClassifier.from_pretrained("exported").predict("one review")  # -> Prediction
        >>> OnnxClassifier.from_pretrained("exported").predict(["many", "reviews"])  # -> list[Prediction]
    """

    def __init__(self, directory: Path, threads: int) -> None:
        found = read_directory(directory, ONNX_WEIGHTS, "sentiment-rnn")
        super().__init__(found.text, found.calibration)
        self._file, self._threads = directory / ONNX_WEIGHTS, threads
        self._digest = str(read_json(directory / "config.json")["sha256"])
        self._session, self._process = open_session(self._file, threads), os.getpid()

    @classmethod
    def from_pretrained(cls, model: str | Path, threads: int | None = None) -> "OnnxClassifier":
        """Load what `sentiment export --format onnx` wrote.

        Args:
            model: the directory.
            threads: how many compute; None takes one for each core that this process may use.

        Raises:
            InputError: if there is no such model, or its directory is damaged.
            RunError: if ONNX Runtime is not installed.
        """
        return cls(Path(model).expanduser(), _cores() if threads is None else threads)

    def logits(self, reviews: EncodedReviews) -> np.ndarray:
        """Logit of positive of each review, before the temperature: [len(reviews)] float32."""
        if self._process != os.getpid():  # a forked child has the session, but not the threads that it waits for
            self._session, self._process = open_session(self._file, self._threads), os.getpid()
        logits = np.empty(len(reviews), dtype=np.float32)
        for rows in length_batches(reviews.lengths, BATCH_TOKENS):
            check()
            ids, lengths = reviews.padded(rows)
            logits[rows] = self._session.run(["logits"], {"input_ids": ids, "lengths": lengths})[0]
        return logits

    def digest(self) -> str:
        """SHA-256 over all that decides an answer."""
        return self._digest


def is_exported(model: str | Path) -> bool:
    """Whether `model` is a directory that `OnnxClassifier` reads and `SentimentClassifier` does not."""
    directory = Path(model).expanduser()
    return (directory / ONNX_WEIGHTS).is_file() and not (directory / TORCH_WEIGHTS).exists()


def open_session(file: Path, threads: int) -> "InferenceSession":
    """ONNX Runtime's session for a graph with the inputs and the output of `sentiment.onnx_graph`.

    Raises:
        InputError: if the file holds no such graph.
        RunError: if ONNX Runtime is not installed.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise RunError(
            f"{file}: is read by ONNX Runtime, which is not installed: pip install 'sentiment-rnn[onnx]'."
        ) from error
    options = onnxruntime.SessionOptions()
    # set, so that it does not pin its threads to cores that others may be using, or that this process may not use
    options.intra_op_num_threads = threads
    options.log_severity_level = 4  # it says on standard error what it also raises
    try:
        # from memory: a graph that names other files, in whatever place, is refused
        session = onnxruntime.InferenceSession(file.read_bytes(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no class in common
        raise InputError(f"{file}: not a graph that ONNX Runtime reads: {' '.join(str(error).split())}.") from error
    for expected, found in (INPUTS, session.get_inputs()), (OUTPUTS, session.get_outputs()):
        described = [(value.name, value.type, len(value.shape)) for value in found]
        if described != expected:
            raise InputError(f"{file}: the graph has {described}, where {expected} is needed.")
    return session


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
