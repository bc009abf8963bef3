"""Reading only as far as needed: a review is left as soon as its running probability is sure enough.

Every `PIECE` words the read-out says what it would answer. A review whose logit is beyond a bound is answered with it
and drops out of the batch. The bound is chosen on validation reviews: the smallest that costs no right answer there.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sentiment.batching import EncodedReviews, length_batches
from sentiment.model import SentimentRNN, State
from sentiment.prediction_network import PredictionNetwork

PIECE = 64
BOUNDS = np.linspace(0.5, 12, 47)
"""Of the logit's size; 12 is a probability of 0.999994."""


@dataclass
class Reading:
    """How far a batch of reviews is read."""

    state: State | None
    largest: Tensor
    """[batch, hidden_dim], maximum over the words so far."""
    total: Tensor
    """[batch, hidden_dim], sum over the words so far."""
    last: Tensor
    """[batch, hidden_dim], at the last word so far."""

    @classmethod
    def begin(cls, batch: int, hidden_dim: int) -> "Reading":
        """Before the first word."""
        zeros = torch.zeros(batch, hidden_dim)
        return cls(None, torch.full_like(zeros, float("-inf")), zeros, zeros.clone())

    def keep(self, rows: Tensor) -> None:
        """Go on with some of the reviews."""
        assert self.state is not None
        self.state = [(short[:, rows].contiguous(), long[:, rows].contiguous()) for short, long in self.state]
        self.largest, self.total, self.last = self.largest[rows], self.total[rows], self.last[rows]


def read_piece(model: SentimentRNN, reading: Reading, input_ids: Tensor, lengths: Tensor, done: int) -> Tensor:
    """Read on: [batch, up to PIECE] ids from word `done` on → [batch], the logit after as many words as there are."""
    outputs, reading.state = model.encoder(input_ids, reading.state)
    real = (torch.arange(done, done + outputs.shape[1]) < lengths[:, None])[:, :, None]
    reading.largest = torch.maximum(reading.largest, outputs.masked_fill(~real, float("-inf")).amax(1))
    reading.total = reading.total + outputs.masked_fill(~real, 0).sum(1)
    at = (lengths - 1 - done).clamp(0, outputs.shape[1] - 1)
    reading.last = torch.where((lengths > done)[:, None], outputs[torch.arange(len(outputs)), at], reading.last)
    counts = lengths.clamp(max=done + outputs.shape[1])[:, None].clamp(min=1)
    features = [reading.last]
    if model.pooling == "last_max_mean":
        features += [reading.largest, reading.total / counts]
    return model.head(torch.where(lengths[:, None] > 0, torch.cat(features, 1), 0)).squeeze(1)


@torch.inference_mode()
def early_logits(
    model: SentimentRNN, reviews: EncodedReviews, batch_tokens: int, bound: float
) -> tuple[np.ndarray, float]:
    """Logit of each review, read no further than `bound` asks for; and the share of the words that was read."""
    logits, words = np.zeros(len(reviews), dtype=np.float32), 0
    hidden_dim = int(model.encoder.layers[0].get_parameter("weight_hh_l0").shape[1])
    for rows in length_batches(reviews.lengths, batch_tokens):
        batch, left = reviews.batch(rows), torch.from_numpy(rows)
        input_ids, lengths = batch.input_ids, batch.lengths
        reading = Reading.begin(len(rows), hidden_dim)
        for done in range(0, input_ids.shape[1], PIECE):
            found = read_piece(model, reading, input_ids[:, done : done + PIECE], lengths, done)
            words += int((lengths - done).clamp(0, PIECE).sum())
            logits[left.numpy()] = found.numpy()
            going_on = ((found.abs() <= bound) & (lengths > done + PIECE)).nonzero()[:, 0]
            if not len(going_on):
                break
            if len(going_on) < len(left):
                reading.keep(going_on)
                input_ids, lengths, left = input_ids[going_on], lengths[going_on], left[going_on]
    return logits, words / max(1, int(reviews.lengths.sum()))


def choose_bound(network: PredictionNetwork, reviews: EncodedReviews, labels: np.ndarray) -> float:
    """The smallest of `BOUNDS` with which no fewer validation reviews are answered right than read whole."""
    steps = []
    for row in range(len(reviews)):
        ids = torch.from_numpy(reviews[row]).long()
        running = network.running_logits(ids).numpy() if len(ids) else np.zeros(1, np.float32)
        steps.append(np.append(running[PIECE - 1 : -1 : PIECE], running[-1]))

    def right(bound: float) -> int:
        answers = [next((logit for logit in logits if abs(logit) > bound), logits[-1]) for logits in steps]
        return int(((np.array(answers) >= 0) == (labels == 1)).sum())

    whole = right(float("inf"))
    return next((float(bound) for bound in BOUNDS if right(float(bound)) >= whole), float("inf"))
