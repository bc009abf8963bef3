"""Compute logits with ONNX Runtime, from a graph of `sentiment.inference.onnx_graph`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sentiment.data.batching import EncodedReviews
from sentiment.errors import InputError, RunError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

INPUTS = [("input_ids", "tensor(int64)", 2), ("lengths", "tensor(int64)", 1)]
OUTPUTS = [("logits", "tensor(float)", 1)]
"""Name, type and number of dimensions of the inputs and outputs of the graph."""


class OnnxNetwork:
    """A `sentiment.inference.engine.Network` that runs a graph in the calling thread.

    With threads of its own, it would wait forever in a forked child, where the threads of the parent do not exist.

    Args:
        graph: content of model.onnx; graphs that refer to other files are rejected.
        name: name of the graph, for error messages.

    Raises:
        InputError: if it is not such a graph.
        RunError: if ONNX Runtime is not installed.
    """

    def __init__(self, graph: bytes, name: str | Path) -> None:
        self._graph, self._name = graph, name
        self._session = _open_session(graph, name)

    def __call__(self, reviews: EncodedReviews, rows: np.ndarray) -> np.ndarray:
        """Logits of the positive label: [len(rows)] float32.

        Raises:
            RunError: if the graph fails.
        """
        ids, lengths = reviews.padded(rows)
        try:
            logits: np.ndarray = self._session.run(["logits"], {"input_ids": ids, "lengths": lengths})[0]
        except Exception as error:  # its errors have no common base class
            raise RunError(f"{self._name}: the graph failed: {' '.join(str(error).split())}.") from error
        return logits

    def __getstate__(self) -> dict[str, Any]:
        """Everything except the session, which is opened again in the other process."""
        return {name: value for name, value in self.__dict__.items() if name != "_session"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._session = _open_session(self._graph, self._name)


def _open_session(graph: bytes, name: str | Path) -> "InferenceSession":
    try:
        import onnxruntime
    except ImportError as error:
        raise RunError(
            f"{name}: ONNX Runtime is not installed; in a checkout, install it with: "
            "pip install -c constraints.txt '.[onnx]'"
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4  # no messages on standard error; errors are raised anyway
    try:
        session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no common base class
        raise InputError(f"{name}: not a graph that ONNX Runtime can read: {' '.join(str(error).split())}.") from error
    for expected, found in (INPUTS, session.get_inputs()), (OUTPUTS, session.get_outputs()):
        described = [(value.name, value.type, len(value.shape)) for value in found]
        if described != expected:
            raise InputError(f"{name}: the graph has {described}, but {expected} is needed.")
    return session
