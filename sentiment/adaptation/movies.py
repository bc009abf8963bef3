"""Texts about movies that the package has: they show what an adapted model has lost, and hold what it knew."""

from dataclasses import dataclass

import numpy as np

from sentiment.classifier import SentimentClassifier
from sentiment.config import DataConfig
from sentiment.data.augmentation import grammar_sentences
from sentiment.data.batching import EncodedReviews
from sentiment.data.loading import load_reviews
from sentiment.evaluation.metrics import classification_metrics
from sentiment.inference.encoding import encode_texts
from sentiment.text.vocabulary import TextEncoder

SEED = 1
"""Seed of the sentences."""


@dataclass(frozen=True)
class Movies:
    """How a model answers the sample reviews of the package, split `test`."""

    accuracy: float
    """0 to 1."""
    log_loss: float
    """Mean, in nats."""
    reviews: int


def movie_texts(classifier: SentimentClassifier, text: TextEncoder, count: int) -> EncodedReviews:
    """Sample reviews and then sentences of the grammar, with the answers of a model as labels.

    Args:
        classifier: the model.
        text: encodes the texts, for a network that may know more words.
        count: number of texts.
    """
    texts = load_reviews(DataConfig(source="samples"), "train")["text"][:count]
    texts = [*texts, *(sentence for sentence, _ in grammar_sentences(count - len(texts), SEED))]
    return encode_texts(text, texts).reviews.labeled(classifier.predict_proba(texts)[:, 1])


def read_movies(classifier: SentimentClassifier) -> Movies:
    """Accuracy and log loss on the sample reviews that no model has practiced on."""
    reviews = load_reviews(DataConfig(source="samples"), "test")
    labels = np.asarray(reviews["label"])
    metrics = classification_metrics(labels, classifier.predict_proba(reviews["text"][:])[:, 1])
    return Movies(metrics["accuracy"], metrics["log_loss"], len(labels))
