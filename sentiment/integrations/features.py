"""Features of reviews: what the frozen network hands to its head, for another head on the same network."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import nn

from sentiment.data.batching import EncodedReviews
from sentiment.inference.encoding import encode_texts
from sentiment.inference.engine import OnBatch, compute_logits
from sentiment.inference.postprocessing import Temperature
from sentiment.inference.threads import one_thread
from sentiment.inference.torch_network import LARGE_BATCH_TOKENS, cpu_threads
from sentiment.models.inference_lstm import InferenceLSTM, Precision, inference_network
from sentiment.models.lstm import SentimentRNN
from sentiment.persistence.checkpoint import Checkpoint


@dataclass(frozen=True, eq=False)
class Features:
    """What the network computes for n reviews, in order."""

    pooled: np.ndarray
    """[n, width] float32, the pooled outputs of the LSTM, which the head gets; zeros for a text without tokens."""
    logits: np.ndarray
    """[n] float32, of positive, before the temperature."""
    log_odds: np.ndarray
    """[n] float64, calibrated log-odds of positive: logit / temperature."""
    has_words: np.ndarray
    """[n] bool, False for a text of white space, punctuation or markup only."""

    def rows(self, chosen: Sequence[int]) -> "Features":
        """The features of some of the reviews, in the order of their positions in `chosen`."""
        kept = np.asarray(chosen, dtype=np.int64)
        return Features(self.pooled[kept], self.logits[kept], self.log_odds[kept], self.has_words[kept])


class FeatureExtractor:
    """Computes the features of reviews with a trained network, of which it has a copy.

    It can be pickled.

    Args:
        checkpoint: a classifier: weights, vocabulary and settings.
        device: device to compute on.
        precision: see `SentimentClassifier.from_pretrained`.

    Raises:
        InputError: if the precision is not available.
    """

    def __init__(self, checkpoint: Checkpoint, device: torch.device, precision: Precision = "auto") -> None:
        self.text, calibration = checkpoint.text, checkpoint.calibration
        self.temperature = Temperature(calibration["temperature"], calibration.get("temperature_slope", 0.0))
        self.device, self.precision = device, precision
        model = checkpoint.build().to(device)
        assert isinstance(model, SentimentRNN)
        # without a head, the network returns what its head would get
        self.model, self.head, model.head = model, model.head, nn.Sequential()
        inference_network(model, precision, device)  # raises if it is not available

    def __call__(self, texts: Sequence[str], on_batch: OnBatch | None = None) -> Features:
        """Features of the texts, which take the same path as in a prediction; for `on_batch` see `compute_logits`.

        Raises:
            Stopped: if a stop was requested.
        """
        encoded = encode_texts(self.text, texts)
        pooled = np.empty((len(texts), self._head_inputs()), dtype=np.float32)
        network = inference_network(self.model, self.precision, self.device)
        on_cpu = self.device.type == "cpu"

        def compute_batch(reviews: EncodedReviews, rows: np.ndarray) -> np.ndarray:
            if on_cpu:
                torch.set_num_threads(1)
            with torch.inference_mode(), torch.autocast(self.device.type, enabled=False):
                batch = reviews.batch(rows).to(self.device)
                found = network(batch.input_ids, batch.lengths).float().reshape(len(rows), -1)
                pooled[rows] = found.cpu().numpy()
                logits: np.ndarray = self.head(found).squeeze(1).cpu().numpy()
                return logits

        large = not on_cpu or (isinstance(network, InferenceLSTM) and network.dtype == torch.bfloat16)
        threads = partial(cpu_threads, None, torch.get_num_threads()) if on_cpu else lambda: 1
        with one_thread() if on_cpu else nullcontext():
            batch_tokens = LARGE_BATCH_TOKENS if large else None
            logits = compute_logits(compute_batch, encoded.reviews, threads, batch_tokens, on_batch)
        return Features(pooled, logits, logits / self.temperature.of(encoded.tokens), encoded.has_words)

    def _head_inputs(self) -> int:
        first = next(layer for layer in self.head if isinstance(layer, nn.Linear))
        return first.in_features
