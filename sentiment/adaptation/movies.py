"""Reviews of movies: samples show what an adapted model has lost, and made-up ones are to keep it from forgetting."""

from dataclasses import dataclass
from random import Random

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
SENTENCES = 3000
"""Sentences of the grammar from which reviews are put together."""
LENGTHS = range(6, 21)
"""Sentences of a review, so that it is as long as a real one."""
ONE_SIDE = 0.75
"""Share of its sentences on its own side."""


@dataclass(frozen=True)
class MovieScores:
    """How a model answers the sample reviews of the package, split `test`."""

    accuracy: float
    """0 to 1."""
    log_loss: float
    """Mean, in nats."""
    reviews: int


def made_up_reviews(classifier: SentimentClassifier, text: TextEncoder, count: int) -> EncodedReviews:
    """Reviews put together from sentences of the grammar, with the answers of a model as labels.

    Args:
        classifier: the model.
        text: encodes the texts, for a network that may know more words.
        count: number of texts.
    """
    random, drawn = Random(SEED), grammar_sentences(SENTENCES, SEED)
    sides = [[sentence for sentence, label in drawn if (label > 0.5) == positive] for positive in (False, True)]
    texts = []
    for number in range(count):
        own, other = sides[number % 2], sides[1 - number % 2]
        length = random.choice(LENGTHS)
        texts.append(" ".join(random.choice(own if random.random() < ONE_SIDE else other) for _ in range(length)))
    return encode_texts(text, texts).reviews.labeled(classifier.predict_proba(texts)[:, 1])


def read_movies(classifier: SentimentClassifier) -> MovieScores:
    """Accuracy and log loss on the sample reviews."""
    reviews = load_reviews(DataConfig(source="samples"), "test")
    labels = np.asarray(reviews["label"])
    metrics = classification_metrics(labels, classifier.predict_proba(reviews["text"][:])[:, 1])
    return MovieScores(metrics["accuracy"], metrics["log_loss"], len(labels))
