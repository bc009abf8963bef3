"""A review is read only as far as needed: until its running logit is sure enough.

Every `PIECE` words the read-out gives its logit so far. A review whose logit is beyond a bound is answered with it and
leaves the batch. The bound is chosen on validation reviews: the smallest that costs no right answer there.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from benchmarks.harness.reviews import encode
from sentiment.classifier import SentimentClassifier
from sentiment.config import DataConfig
from sentiment.data.batching import EncodedReviews, length_batches
from sentiment.data.loading import load_reviews
from sentiment.data.splitting import split_validation
from sentiment.inference.engine import BATCH_TOKENS
from sentiment.models.inference_lstm import InferenceLSTM
from sentiment.models.lstm import SentimentRNN, State

PIECE = 64
BOUNDS = np.linspace(0.5, 12, 47)
"""Of the logit's size; 12 is a probability of 0.999994."""
VALIDATION_REVIEWS = 1000
"""That choose the bound."""


class PartialReading:
    """A batch of reviews, read up to some word: the layers' state, and what pooling needs of the words so far."""

    def __init__(self, model: SentimentRNN, batch: int) -> None:
        hidden_dim = int(model.encoder.layers[0].get_parameter("weight_hh_l0").shape[1])
        self.model = model
        self.state: State | None = None
        self.last, self.total = torch.zeros(batch, hidden_dim), torch.zeros(batch, hidden_dim)
        self.largest = torch.full((batch, hidden_dim), float("-inf"))

    def read(self, input_ids: Tensor, lengths: Tensor, done: int) -> Tensor:
        """Read on: [batch, up to PIECE] ids from word `done` on → [batch], the logit after all words so far."""
        outputs, self.state = self.model.encoder(input_ids, self.state)
        real = (torch.arange(done, done + outputs.shape[1]) < lengths[:, None])[:, :, None]
        self.largest = torch.maximum(self.largest, outputs.masked_fill(~real, float("-inf")).amax(1))
        self.total = self.total + outputs.masked_fill(~real, 0).sum(1)
        at = (lengths - 1 - done).clamp(0, outputs.shape[1] - 1)
        self.last = torch.where((lengths > done)[:, None], outputs[torch.arange(len(outputs)), at], self.last)
        features = [self.last]
        if self.model.pooling == "last_max_mean":
            counts = lengths.clamp(min=1, max=done + outputs.shape[1])
            features += [self.largest, self.total / counts[:, None]]
        return self.model.head(torch.where(lengths[:, None] > 0, torch.cat(features, 1), 0)).squeeze(1)

    def keep(self, rows: Tensor) -> None:
        """Go on with some of the reviews."""
        assert self.state is not None
        self.state = [(short[:, rows].contiguous(), long[:, rows].contiguous()) for short, long in self.state]
        self.largest, self.total, self.last = self.largest[rows], self.total[rows], self.last[rows]


@torch.inference_mode()
def early_logits(
    model: SentimentRNN, reviews: EncodedReviews, bound: float, batch_tokens: int = BATCH_TOKENS
) -> tuple[np.ndarray, float]:
    """Logit of each review, read no further than `bound` asks for; and the share of the words that was read."""
    logits, words = np.zeros(len(reviews), dtype=np.float32), 0
    for rows in length_batches(reviews.lengths, batch_tokens):
        batch, left = reviews.batch(rows), torch.from_numpy(rows)
        input_ids, lengths = batch.input_ids, batch.lengths
        reading = PartialReading(model, len(rows))
        for done in range(0, input_ids.shape[1], PIECE):
            found = reading.read(input_ids[:, done : done + PIECE], lengths, done)
            words += int((lengths - done).clamp(0, PIECE).sum())
            logits[left.numpy()] = found.numpy()
            going_on = ((found.abs() <= bound) & (lengths > done + PIECE)).nonzero()[:, 0]
            if not len(going_on):
                break
            if len(going_on) < len(left):
                reading.keep(going_on)
                input_ids, lengths, left = input_ids[going_on], lengths[going_on], left[going_on]
    return logits, words / max(1, int(reviews.lengths.sum()))


def choose_bound(classifier: SentimentClassifier, data: str, groups_file: str | None) -> float | None:
    """The bound for reviews like those of the validation part; None where the source is one file, without that part."""
    if Path(data).is_file():
        return None
    config = DataConfig(source=data, groups_file=groups_file)
    train = load_reviews(config, "train")
    _, rows = split_validation(train, config.validation_fraction, config.validation_seed)
    part = train.select(np.random.default_rng(0).permutation(rows)[:VALIDATION_REVIEWS])
    return smallest_bound(classifier.model, encode(classifier.text, part["text"]), np.asarray(part["label"]))


def smallest_bound(model: SentimentRNN, reviews: EncodedReviews, labels: np.ndarray) -> float:
    """The smallest of `BOUNDS` with which no fewer reviews are answered right than read whole."""
    network, steps = InferenceLSTM(model, torch.float32), []
    for row in range(len(reviews)):
        ids = torch.from_numpy(reviews[row]).long()
        running = network.running_logits(ids).numpy() if len(ids) else np.zeros(1, np.float32)
        steps.append(np.append(running[PIECE - 1 : -1 : PIECE], running[-1]))

    def right(bound: float) -> int:
        answers = [next((logit for logit in logits if abs(logit) > bound), logits[-1]) for logits in steps]
        return int(((np.array(answers) >= 0) == (labels == 1)).sum())

    whole = right(float("inf"))
    return next((float(bound) for bound in BOUNDS if right(float(bound)) >= whole), float("inf"))
