"""The model as a classifier of scikit-learn: a new head on its frozen network.

>>> from sentiment.sklearn import SentimentEstimator
>>> estimator = SentimentEstimator().fit(["Crisp and warm.", "Cold, and late.", "So tasty!", "Stale."], [1, 0, 1, 0])
>>> estimator.predict(["The soup was wonderful."])
array([1])
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import logit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d

from sentiment.classifier import SentimentClassifier
from sentiment.inference.postprocessing import is_positive
from sentiment.integrations.features import FeatureExtractor, Features
from sentiment.models.inference_lstm import Precision

SHIPPED_WEIGHT = 0.3
"""Scale of the shipped head's log-odds and of the constant, beside features that together have length 1. The larger it
is, the less the new head differs from the shipped one. Chosen on 20, 100 and 500 training reviews of films, restaurants
and phones: the last two gain, and films lose next to nothing (`python -m benchmarks.accuracy.estimator`). An intercept
without penalty would cost more there."""
BLOCK = 4096
"""Reviews whose features are in memory at a time, in prediction."""
CONSTANT = 1e-6
"""Standard deviation up to which a feature counts as constant, and is left out."""
MAX_ITERATIONS = 1000
"""Enough for the new head to converge, which takes a few dozen."""


class SentimentEstimator(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A classifier of texts for pipelines, cross-validation and grid search.

    `fit` keeps the network and fits a logistic regression on what its head gets, beside the log-odds that the shipped
    head gives. With a handful of reviews, these decide; with more, the answers follow other wording, and other labels
    than positive and negative, of which there may be several.

    `predict`, `predict_proba` and `decision_function` take reviews [n] as `fit` does, with the same TypeError. They
    raise ValueError if there are none, and NotFittedError before `fit`.

    Args:
        model: a model directory, a shipped model or a hub id; see `SentimentClassifier.from_pretrained`.
        device: device to compute on.
        precision: see `SentimentClassifier.from_pretrained`.
        C: inverse strength of regularization, above 0; a smaller value trusts the reviews of `fit` less.
        fine_tune: whether `fit` adapts the network itself, as far as the reviews justify it
            (`SentimentClassifier.fine_tune`); takes longer, and two classes with four different reviews each.

    Attributes:
        classes_: the labels, sorted [n_classes]; they are those of `y`, as given.

    Examples:
        >>> texts, labels = ["A triumph.", "Dull.", "I loved it.", "A waste of time."], ["pro", "con", "pro", "con"]
        >>> estimator = SentimentEstimator("imdb-small").fit(texts, labels)
        >>> estimator.classes_.tolist(), estimator.predict(["A wonderful film."]).tolist()
        (['con', 'pro'], ['pro'])
    """

    def __init__(
        self,
        model: str | Path = "imdb",
        device: str = "cpu",
        precision: Precision = "auto",
        C: float = 1.0,
        fine_tune: bool = False,
    ) -> None:
        self.model = model
        self.device = device
        self.precision = precision
        self.C = C
        self.fine_tune = fine_tune

    def fit(self, X: Any, y: Any) -> "SentimentEstimator":
        """Fit a new head; the model's files do not change.

        Args:
            X: reviews [n]: a list, a tuple, an array, or a column of pandas or Polars.
            y: their labels [n], of two or more classes.

        Raises:
            TypeError: if X is something else, or a review is missing or not a string.
            ValueError: if X is empty or has no words, its length is not that of y, or y has a single class, or more
                than two with `fine_tune`.
            InputError: if there is no such model, the precision is not available, or there are too few reviews for
                `fine_tune`.
            RunError: if the hub cannot be reached.
        """
        texts = _as_texts(X)
        if y is None:
            raise ValueError("fit requires y to be passed, but the target y is None; give a label for each review.")
        labels = column_or_1d(y, warn=True)
        check_consistent_length(texts, labels)
        check_classification_targets(labels)
        if len(set(labels.tolist())) < 2:
            raise ValueError("y has one class; give reviews of at least two classes.")
        if self.fine_tune:
            return self._fit_network(texts, labels)
        extractor = self.feature_extractor()
        found = extractor(texts)
        if not found.has_words.any():
            raise ValueError("no review of X has a word.")
        self.extractor_ = extractor
        pooled = found.pooled[found.has_words].astype(np.float64)
        self.mean_, self.scale_ = pooled.mean(0), pooled.std(0)
        head = LogisticRegression(C=self.C, fit_intercept=False, max_iter=MAX_ITERATIONS)
        self.head_ = head.fit(self._inputs(found), labels)
        self.classes_ = self.head_.classes_
        return self

    def _fit_network(self, texts: list[str], labels: np.ndarray) -> "SentimentEstimator":
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) > 2:
            raise ValueError(f"y has {len(self.classes_)} classes; with fine_tune, give reviews of two.")
        shipped = self._classifier()
        # which class is positive, the model itself says
        first_is_positive = bool((is_positive(shipped.predict_proba(texts)[:, 1]) == codes).mean() < 0.5)
        self.positive_ = int(not first_is_positive)
        self.classifier_ = shipped.fine_tune(texts, (codes == self.positive_).astype(int).tolist())
        return self

    def _classifier(self) -> SentimentClassifier:
        return SentimentClassifier.from_pretrained(self.model, self.device, precision=self.precision)

    def feature_extractor(self) -> Callable[..., Features]:
        """What gives the head its features: the frozen network, read each time, since its files may have changed.

        Raises:
            InputError: if there is no such model, or the precision is not available.
            RunError: if the hub cannot be reached.
        """
        classifier = self._classifier()
        return FeatureExtractor(classifier.checkpoint, classifier.device, self.precision)

    def decision_function(self, X: Any) -> np.ndarray:
        """Log-odds of the second class [n]; with more classes than two, a score for each [n, n_classes]."""
        return self._answer("decision_function", X)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probability of each class, in the order of `classes_`: [n, n_classes] float64; rows sum to 1."""
        return self._answer("predict_proba", X)

    def predict(self, X: Any) -> np.ndarray:
        """The most probable class of each review: [n], labels as in the `y` of `fit`."""
        return self._answer("predict", X)

    def _answer(self, method: str, X: Any) -> np.ndarray:
        check_is_fitted(self, "classes_")
        texts = _as_texts(X)
        if self.fine_tune:
            return self._answer_of_network(method, texts)
        answer = getattr(self.head_, method)
        blocks = [texts[start : start + BLOCK] for start in range(0, len(texts), BLOCK)]
        return np.concatenate([answer(self._inputs(self.extractor_(block))) for block in blocks])

    def _answer_of_network(self, method: str, texts: list[str]) -> np.ndarray:
        probabilities = self.classifier_.predict_proba(texts)
        probabilities = probabilities if self.positive_ == 1 else probabilities[:, ::-1]
        if method == "predict_proba":
            return probabilities
        if method == "decision_function":
            found: np.ndarray = logit(probabilities[:, 1])
            return found
        chosen: np.ndarray = self.classes_[is_positive(probabilities[:, 1]).astype(int)]
        return chosen

    def _inputs(self, found: Features) -> np.ndarray:
        """What the new head gets: features of mean 0, log-odds, and a constant for its bias: [n, width + 2].

        A text without words gets the constant alone.
        """
        scaled = (found.pooled - self.mean_) / np.where(self.scale_ > CONSTANT, self.scale_, np.inf)
        inputs = np.column_stack([scaled / math.sqrt(scaled.shape[1]), SHIPPED_WEIGHT * found.log_odds])
        constant = np.full((len(inputs), 1), SHIPPED_WEIGHT)
        return np.hstack([np.where(found.has_words[:, None], inputs, 0), constant])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags


def _as_texts(X: Any) -> list[str]:
    """The reviews as a list.

    Raises:
        TypeError: if X is not a list, tuple, array or column, or an item is not a string.
        ValueError: if it is empty.
    """
    if not isinstance(X, list | tuple) and len(getattr(X, "shape", ())) != 1:
        raise TypeError(
            f"X is a {type(X).__name__}; give the reviews as a list, a tuple, an array of one dimension or one column "
            "of a table."
        )
    texts = list(X)
    if not texts:
        raise ValueError("X has 0 reviews; give at least one.")
    for position, text in enumerate(texts):
        if not isinstance(text, str):
            kind = type(text).__name__
            missing = kind in ("NoneType", "NAType", "NaTType") or (isinstance(text, float) and math.isnan(text))
            problem = "missing; leave it out, or give an empty string" if missing else f"{kind}; it must be a string"
            raise TypeError(f"review {position} of X is {problem}.")
    return texts
