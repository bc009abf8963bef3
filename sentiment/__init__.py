"""Reads movie reviews: which are positive, how sure that is, and why.

>>> from sentiment import predict_review
>>> predict_review("I loved every minute of it.").label
'positive'
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sentiment.classifier import SentimentClassifier, predict_review
    from sentiment.prediction import Prediction

__all__ = ["Prediction", "SentimentClassifier", "predict_review"]


def __getattr__(name: str) -> Any:
    """Import torch only when it is used: `import sentiment` alone takes no time."""
    if name == "Prediction":
        from sentiment.prediction import Prediction

        return Prediction
    if name in __all__:
        from sentiment import classifier

        return getattr(classifier, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
