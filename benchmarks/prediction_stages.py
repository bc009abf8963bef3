"""Where the time of a prediction goes: its stages one after the other, each on all reviews, with a clock between them.

The stages are the library's own functions in the library's own order; only that nothing overlaps is different, so the
sum is more than a prediction takes on several cores.
"""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from sentiment.batching import EncodedReviews, length_batches
from sentiment.classifier import SentimentClassifier
from sentiment.config import DataConfig
from sentiment.data import load_reviews
from sentiment.inference import BATCH_TOKENS
from sentiment.prediction_network import PredictionNetwork, prediction_network
from sentiment.text import normalise, tokenise


def profile(classifier: SentimentClassifier, data: str, split: str, rows: np.ndarray) -> dict[str, float]:
    """Seconds of each stage for the given rows of a split, in the order of the stages."""
    seconds: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def stage(name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        seconds[name] += time.perf_counter() - started

    with stage("read"):
        reviews_read = load_reviews(DataConfig(source=data), split, labelled=False)
        texts: list[str] = list(reviews_read.select(rows)["text"])
    with stage("normalise"):
        texts = [normalise(text) for text in texts]
    with stage("tokenise"):
        tokens = [tokenise(text) for text in texts]
    with stage("encode"):
        reviews = EncodedReviews(classifier.text.encode(words) for words in tokens)
    network = prediction_network(classifier.model, classifier.precision, classifier.device)
    assert isinstance(network, PredictionNetwork)
    with torch.inference_mode():
        for batch_rows in length_batches(reviews.lengths, BATCH_TOKENS):
            with stage("batch"):
                batch = reviews.batch(batch_rows)
            with stage("embedding"):
                outputs = network.embed(batch.input_ids)
            for depth in range(len(network.layers)):
                with stage(f"LSTM {depth + 1}"):
                    outputs = network.run_layer(depth, outputs)
            with stage("pooling and head"):
                network.read_out(outputs.float(), batch.lengths)
    return dict(seconds)
