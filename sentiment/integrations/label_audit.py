"""Find reviews that are probably labeled wrongly: a model that was not fitted on a review contradicts its label.

Reviews are ranked by self-confidence, the out-of-fold probability of the given label (Northcutt et al. 2021, "Confident
Learning").
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import StratifiedGroupKFold

from sentiment.data.loading import check_both_classes, comparable, tokenize_texts
from sentiment.data.splitting import linked_rows
from sentiment.errors import InputError
from sentiment.inference.postprocessing import is_positive
from sentiment.integrations.features import Features
from sentiment.integrations.sklearn import SentimentEstimator
from sentiment.io.progress import review_bar

logger = logging.getLogger(__name__)

FOLDS = 5


@dataclass(frozen=True)
class ContradictedLabel:
    """A review whose label the out-of-fold answer contradicts.

    Attributes:
        index: its position among the reviews, from 0.
        label: the given label, 0 (negative) or 1 (positive).
        probability: out-of-fold probability of positive, 0 to 1.
        text: the review.
    """

    index: int
    label: int
    probability: float
    text: str

    @property
    def self_confidence(self) -> float:
        """Out-of-fold probability of the given label, below 0.5; the smaller it is, the surer is the contradiction."""
        return self.probability if self.label else 1 - self.probability


def audit_labels(
    texts: Sequence[str], labels: Sequence[int], groups: Sequence[str] = (), estimator: Any = None
) -> list[ContradictedLabel]:
    """Find the reviews whose label the answers of a model contradict that was fitted on other reviews.

    Args:
        texts: n reviews.
        labels: their labels, 0 or 1.
        groups: the group (film) of each; reviews of one group help to judge only those of others. Empty for no groups.
        estimator: a classifier of scikit-learn that takes texts and has `predict_proba`; by default a
            `SentimentEstimator` on the shipped model.

    Returns:
        The contradicted labels, the most confident contradiction first. Reviews without words are never among them.

    Raises:
        InputError: if all labels are equal, or there are too few reviews or groups.

    Examples:
        >>> texts = ["I loved it.", "A triumph.", "Great fun.", "Dull.", "A waste of time.", "Tedious and long."]
        >>> [found.index for found in audit_labels(texts, [1, 1, 0, 0, 0, 0])]
        [2]
    """
    rows = [row for row, tokens in enumerate(tokenize_texts(texts)) if any(map(str.isalnum, tokens))]
    if not rows:
        raise InputError("none of the reviews has words, so there are no labels to audit.")
    if len(rows) < len(texts):
        logger.warning("left out, since they have no words: %d of %d reviews.", len(texts) - len(rows), len(texts))
    probabilities = out_of_fold_probabilities(
        [texts[row] for row in rows],
        np.asarray(labels)[rows],
        [groups[row] for row in rows] if len(groups) else [],
        SentimentEstimator() if estimator is None else estimator,
    )
    found = [
        ContradictedLabel(row, int(labels[row]), float(probability), texts[row])
        for row, probability in zip(rows, probabilities, strict=True)
        if is_positive(probability) != (labels[row] == 1)
    ]
    return sorted(found, key=lambda suspect: (suspect.self_confidence, suspect.index))


class OnKnownReviews(SentimentEstimator):
    """An estimator for many fits on the same reviews: it computes their features once, which takes nearly all time.

    Args:
        estimator: the model, and the settings of the fits.
        texts: all reviews that it will be fitted on or asked about.
    """

    def __init__(self, estimator: SentimentEstimator, texts: Sequence[str]) -> None:
        super().__init__(estimator.model, estimator.device, estimator.precision, estimator.C)
        extractor = estimator.feature_extractor()
        with review_bar(len(texts), "read") as bar:
            self._features = extractor(texts, bar.update)
        self._positions = {text: position for position, text in enumerate(texts)}

    def feature_extractor(self) -> Callable[..., Features]:
        """Gives the features that are known."""
        return lambda texts: self._features.rows([self._positions[text] for text in texts])

    def __sklearn_clone__(self) -> "OnKnownReviews":
        return self  # a copy would copy the features


def out_of_fold_probabilities(
    texts: Sequence[str], labels: np.ndarray, groups: Sequence[str], estimator: Any
) -> np.ndarray:
    """Probability of positive of each review [n] float64, by an estimator that was fitted without it.

    Nor was it fitted on a review of the same group, or with the same text. There are 5 folds, or as many as reviews of
    the rarer label.

    Args:
        texts: n reviews with words.
        labels: [n], 0 or 1.
        groups: the group of each; empty for no groups.
        estimator: a classifier of scikit-learn that takes texts and has `predict_proba`; it is cloned.

    Raises:
        InputError: if all labels are equal, or there are too few reviews or groups.
    """
    check_both_classes(labels.tolist(), "the reviews to audit")
    units = linked_rows([comparable(text) for text in texts], list(groups))
    negative, positive = (len(set(units[labels == label])) for label in (0, 1))
    folds = min(FOLDS, negative, positive)
    too_few = (
        f"too few different texts or groups to audit: {negative} negative and {positive} positive; give more of each."
    )
    if folds < 2:
        raise InputError(too_few)
    if type(estimator) is SentimentEstimator:
        estimator = OnKnownReviews(estimator, texts)
    probabilities = np.full(len(texts), np.nan)
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=0)
    for fold, (others, judged) in enumerate(splitter.split(texts, labels, units), start=1):
        if len(set(labels[others].tolist())) < 2:
            raise InputError(too_few)
        if not len(judged):
            continue  # large groups can fill all other folds
        logger.info("fold %d of %d: fitted on %d reviews, asked about %d", fold, folds, len(others), len(judged))
        fitted = clone(estimator).fit([texts[row] for row in others], labels[others])
        probabilities[judged] = fitted.predict_proba([texts[row] for row in judged])[:, 1]
    return probabilities
