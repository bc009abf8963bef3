"""Baselines: the majority label, and two linear models on n-grams, by scikit-learn.

A review is given as its tokens joined by spaces (`data.loading.tokenize_texts`), so that the baselines see the same
words as the network. Their settings (C, minimum document count) were chosen on a validation part of IMDB.

Only predictions are cached, as plain numbers. A fitted model would be a pickle, which can run code when it is loaded.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import Normalizer

from sentiment.io.cache import cached
from sentiment.io.progress import step

VERSION = 1
"""Increase it when a baseline changes; cached predictions of other versions are not used."""

_TOKENS = {"lowercase": False, "token_pattern": r"\S+", "dtype": np.float32}


class NaiveBayesWeights(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Scales each n-gram by its naive Bayes log-count ratio (Wang & Manning 2012, smoothing 1)."""

    def fit(self, counts: csr_matrix, labels: Sequence[int]) -> Self:
        """Learn the ratios from binary counts [n, n-grams] and labels [n] of 0 and 1."""
        positive = np.asarray(labels) == 1
        seen = [1 + np.asarray(counts[rows].sum(axis=0)).ravel() for rows in (positive, ~positive)]
        self.ratios_ = np.log((seen[0] / seen[0].sum()) / (seen[1] / seen[1].sum())).astype(np.float32)
        return self

    def transform(self, counts: csr_matrix) -> csr_matrix:
        """Scaled counts of the same shape."""
        return counts.multiply(self.ratios_).tocsr()


def tfidf_regression() -> Pipeline:
    """TF-IDF of 1-2-grams and logistic regression; after `fit(documents, labels)`, `decision_function` gives logits."""
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, **_TOKENS)
    return make_pipeline(vectorizer, LogisticRegression(C=10.0, solver="liblinear", random_state=0))


def nb_regression() -> Pipeline:
    """Naive-Bayes-weighted 1-3-grams and logistic regression (Mesnil et al. 2014); used like `tfidf_regression`."""
    vectorizer = CountVectorizer(ngram_range=(1, 3), min_df=3, binary=True, **_TOKENS)
    regression = LogisticRegression(C=10.0, solver="liblinear", random_state=0)
    return make_pipeline(vectorizer, NaiveBayesWeights(), Normalizer(), regression)


MAJORITY = "majority label"
NGRAMS = "NB-weighted 1-3-grams + logistic regression"
LINEAR: dict[str, Callable[[], Pipeline]] = {
    "TF-IDF 1-2-grams + logistic regression": tfidf_regression,
    NGRAMS: nb_regression,
}
BASELINES = (MAJORITY, *LINEAR)


def baseline_logits(
    name: str, train: Sequence[str], labels: Sequence[int], documents: Sequence[str], cache: Path | None = None
) -> np.ndarray:
    """Fit one of `BASELINES` on training reviews and predict other reviews.

    Args:
        name: one of `BASELINES`.
        train: training reviews, tokens joined by spaces.
        labels: their labels, 0 or 1; both must occur.
        documents: reviews to predict, tokens joined by spaces.
        cache: directory for cached predictions; None caches nothing.

    Returns:
        Logits of positive, [len(documents)] float64; for the majority label, the log odds of the labels.
    """
    if name == MAJORITY:
        positive = sum(labels)
        return np.full(len(documents), np.log(positive / (len(labels) - positive)))

    def fit_and_predict() -> np.ndarray:
        with step(f"fitting {name} on {len(train):,} training reviews"):
            return np.asarray(LINEAR[name]().fit(train, labels).decision_function(documents), dtype=np.float64)

    key = (str(VERSION), name, str(len(train)), *train, *documents, *map(str, labels))
    return cached(cache, key, len(documents), fit_and_predict)
