"""Predictions from a model directory whose weights are model.onnx, by ONNX Runtime: nothing here imports torch.

>>> from sentiment.onnx_prediction import OnnxClassifier
>>> OnnxClassifier.from_pretrained("exported").predict("I loved every minute of it.").label
'positive'
"""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sentiment.data.batching import EncodedReviews, length_batches
from sentiment.errors import InputError, RunError
from sentiment.inference.base import Predictor
from sentiment.io.files import expand_user, read_json
from sentiment.io.signals import raise_if_stopped
from sentiment.persistence.model_directory import ONNX_WEIGHTS, TORCH_WEIGHTS, read_directory

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

BATCH_TOKENS = 4096
"""Tokens per batch, padding included: few enough that its states stay in the cache. Measured with the shipped model on
one core, in CPU time: 8% more reviews a second than with 16,384, half as many again as with 65,536."""

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
        self._digest = str(read_json(directory / "config.json")["sha256"])
        self._file, self._threads = directory / ONNX_WEIGHTS, threads
        self._graph = self._file.read_bytes()
        self._session = open_session(self._graph, self._file)

    @classmethod
    def from_pretrained(cls, model: str | Path, threads: int | None = None) -> "OnnxClassifier":
        """Load what `sentiment export --format onnx` wrote.

        Args:
            model: the directory.
            threads: how many batches are computed at a time; None takes OMP_NUM_THREADS, as torch does, or one for each
                core that this process may use.

        Raises:
            InputError: if there is no such model, or its directory is damaged.
            RunError: if ONNX Runtime is not installed.
        """
        return cls(expand_user(model), threads or _threads())

    def logits(self, reviews: EncodedReviews) -> np.ndarray:
        """Logit of positive of each review, before the temperature: [len(reviews)] float32."""
        logits = np.empty(len(reviews), dtype=np.float32)

        def read(rows: np.ndarray) -> None:
            raise_if_stopped()
            ids, lengths = reviews.padded(rows)
            try:
                logits[rows] = self._session.run(["logits"], {"input_ids": ids, "lengths": lengths})[0]
            except Exception as error:  # its errors have no class in common
                raise RunError(f"{self._file}: the graph failed: {' '.join(str(error).split())}.") from error

        batches = length_batches(reviews.lengths, BATCH_TOKENS)
        if self._threads == 1 or len(batches) < 2:
            for rows in batches:
                read(rows)
        else:
            with ThreadPoolExecutor(self._threads) as pool:
                for _ in pool.map(read, batches):  # raises what a batch raised
                    pass
        return logits

    def digest(self) -> str:
        """SHA-256 over all that decides an answer."""
        return self._digest

    def __getstate__(self) -> dict[str, Any]:
        """All but the session, which another process opens for itself."""
        return {name: value for name, value in self.__dict__.items() if name != "_session"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._session = open_session(self._graph, self._file)


def is_exported(model: str | Path) -> bool:
    """Whether `model` is a directory that `OnnxClassifier` reads and `SentimentClassifier` does not."""
    directory = expand_user(model)
    return (directory / ONNX_WEIGHTS).is_file() and not (directory / TORCH_WEIGHTS).exists()


def open_session(graph: bytes, file: Path) -> "InferenceSession":
    """ONNX Runtime's session for a graph with the inputs and the output of `sentiment.export.onnx_graph`.

    It computes in the thread that asks: a forked child would wait for ever for a pool of its own, since it has none of
    its parent's threads.

    Args:
        graph: the content of model.onnx. A graph that names other files, in whatever place, is refused.
        file: where it comes from, or goes to, for messages.

    Raises:
        InputError: if this is no such graph.
        RunError: if ONNX Runtime is not installed.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise RunError(
            f"{file}: is read by ONNX Runtime, which is not installed: in a checkout, "
            "pip install -c constraints.txt '.[onnx]'."
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4  # it says on standard error what it also raises
    try:
        session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no class in common
        raise InputError(f"{file}: not a graph that ONNX Runtime reads: {' '.join(str(error).split())}.") from error
    for expected, found in (INPUTS, session.get_inputs()), (OUTPUTS, session.get_outputs()):
        described = [(value.name, value.type, len(value.shape)) for value in found]
        if described != expected:
            raise InputError(f"{file}: the graph has {described}, where {expected} is needed.")
    return session


def _threads() -> int:
    if (wanted := os.environ.get("OMP_NUM_THREADS", "")).isdecimal() and int(wanted) > 0:
        return int(wanted)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
