"""`sentiment.inference.onnx` under its name of version 0.1, for one release more."""

import warnings

from sentiment.inference.onnx import OnnxClassifier, is_exported

__all__ = ["OnnxClassifier", "is_exported"]

warnings.warn(
    "sentiment.onnx_prediction is now sentiment.inference.onnx; the next release drops the old name.",
    DeprecationWarning,
    stacklevel=2,
)
