"""Features of reviews: what the frozen network hands to its head, for another head on the same network."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from sentiment.data.batching import EncodedReviews
from sentiment.inference.engine import compute_logits
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
    log_odds: np.ndarray
    """[n] float64, calibrated log-odds of positive: logit / temperature."""
    has_words: np.ndarray
    """[n] bool, False for a text of white space, punctuation or markup only."""


class FeatureExtractor:
    """Computes the features of reviews with a trained network.

    It can be pickled: the network travels as its checkpoint and is built again where it is needed.

    Args:
        checkpoint: a classifier: weights, vocabulary and settings.
        device: device to compute on.
        precision: see `SentimentClassifier.from_pretrained`.

    Raises:
        InputError: if the precision is not available.
    """

    def __init__(self, checkpoint: Checkpoint, device: torch.device, precision: Precision = "auto") -> None:
        self.checkpoint, self.device, self.precision = checkpoint, device, precision
        self._build()

    def _build(self) -> None:
        model = self.checkpoint.build()
        assert isinstance(model, SentimentRNN)
        self._head = model.head.to(self.device)
        model.head = nn.Sequential()  # without a head, the network returns what its head would get
        self._network = inference_network(model.to(self.device), self.precision, self.device)

    def __call__(self, texts: Sequence[str]) -> Features:
        """Features of the texts, which take the same path as in a prediction.

        Raises:
            Stopped: if a stop was requested.
        """
        text = self.checkpoint.text
        kept = [text.tokens_read(text.tokenize(review)) for review in texts]
        reviews = EncodedReviews.from_flat(*text.vocabulary.encode_all(kept))
        pooled = np.empty((len(reviews), self._head_inputs()), dtype=np.float32)
        on_cpu = self.device.type == "cpu"

        def compute_batch(reviews: EncodedReviews, rows: np.ndarray) -> np.ndarray:
            if on_cpu:
                torch.set_num_threads(1)
            with torch.inference_mode(), torch.autocast(self.device.type, enabled=False):
                batch = reviews.batch(rows).to(self.device)
                found = self._network(batch.input_ids, batch.lengths).float().reshape(len(rows), -1)
                pooled[rows] = found.cpu().numpy()
                logits: np.ndarray = self._head(found).squeeze(1).cpu().numpy()
                return logits

        bf16 = isinstance(self._network, InferenceLSTM) and self._network.dtype == torch.bfloat16
        threads = partial(cpu_threads, None, torch.get_num_threads()) if on_cpu else lambda: 1
        with one_thread() if on_cpu else nullcontext():
            logits = compute_logits(compute_batch, reviews, threads, LARGE_BATCH_TOKENS if bf16 or not on_cpu else None)
        log_odds = logits.astype(np.float64) / self.checkpoint.calibration["temperature"]
        has_words = np.array([any(any(map(str.isalnum, token)) for token in review) for review in kept], dtype=bool)
        return Features(pooled, log_odds, has_words)

    def _head_inputs(self) -> int:
        first = next(layer for layer in self._head if isinstance(layer, nn.Linear))
        return first.in_features

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if not name.startswith("_")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._build()
