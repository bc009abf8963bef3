"""Predict the sentiment of movie reviews: a label, a probability and an explanation.

>>> from sentiment import predict_review
>>> predict_review("I loved every minute of it.").label
'positive'
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sentiment.classifier import SentimentClassifier, predict_review
    from sentiment.errors import InputError, RunError
    from sentiment.explanation.explanation import Explanation
    from sentiment.inference.prediction import Prediction

    __version__: str

_MODULES = {
    "Explanation": "sentiment.explanation.explanation",
    "InputError": "sentiment.errors",
    "Prediction": "sentiment.inference.prediction",
    "RunError": "sentiment.errors",
    "SentimentClassifier": "sentiment.classifier",
    "predict_review": "sentiment.classifier",
}

__all__ = [
    "Explanation",
    "InputError",
    "Prediction",
    "RunError",
    "SentimentClassifier",
    "__version__",
    "predict_review",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `import sentiment` alone does not import torch."""
    if name == "__version__":
        from importlib.metadata import version

        return version("sentiment-rnn")
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
