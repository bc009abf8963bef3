"""explain on reviews of thousands of words: the time per word is bounded, and the page stays small."""

import time

import numpy as np
import pytest
import torch

from sentiment.classifier import SentimentClassifier
from sentiment.explanation.html import render_page
from sentiment.models.lstm import SentimentRNN
from sentiment.persistence.checkpoint import Checkpoint
from sentiment.text.vocabulary import TextEncoder, Vocabulary

pytestmark = pytest.mark.timeout(1800)


def classifier_of(embedding_dim: int, hidden_dim: int) -> SentimentClassifier:
    torch.manual_seed(0)
    vocabulary = Vocabulary({f"word{number}": 5 for number in range(500)})
    settings = {"vocab_size": len(vocabulary), "embedding_dim": embedding_dim, "hidden_dim": hidden_dim}
    model = SentimentRNN(**settings, pooling="last_max_mean")
    text = TextEncoder(vocabulary, max_length=10_000)
    return SentimentClassifier(
        Checkpoint("sentiment-rnn", settings | {"pooling": "last_max_mean"}, text, model.state_dict())
    )


def review_of(words: int) -> str:
    return " ".join(f"word{number}" for number in np.random.default_rng(0).integers(0, 500, words))


def test_the_time_per_word_stops_growing():
    classifier, threads = classifier_of(16, 16), torch.get_num_threads()
    seconds = {}
    try:
        torch.set_num_threads(1)  # several would wait for each other most of the time, longer in longer reviews
        for words in (2000, 6000):
            started = time.process_time()
            explanation = classifier.explain(review_of(words))
            seconds[words] = (time.process_time() - started) / words
            assert explanation.running_probability[-1] == pytest.approx(explanation.prediction.probability, abs=1e-5)
    finally:
        torch.set_num_threads(threads)
    assert seconds[6000] < 2 * seconds[2000]


def test_a_page_of_2000_words_of_a_model_of_512_units_is_under_5_megabytes():
    explanation = classifier_of(256, 512).explain(review_of(2000))
    assert len(explanation.words) == 2000
    assert len(render_page(explanation).encode()) < 5_000_000
