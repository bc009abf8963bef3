"""What is trained on what, by both loops; and the tutorial's loop.

The tutorial's is that of the common course notebook: fp32, every review 200 tokens, batches of 50 in random order, Adam
at 1e-3, gradients clipped at a norm of 5. The words are this project's, so both loops learn from the same ids.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.peers.tutorial_rnn import BATCH, TIME, TutorialRNN
from sentiment.config import DataConfig, TrainConfig
from sentiment.config_reader import load_config
from sentiment.data.batching import EncodedReviews
from sentiment.data.splitting import read_parts
from sentiment.text.vocabulary import PADDING_ID, TextEncoder, build_vocabulary

HELD_OUT = 1000
"""Number of validation reviews."""
LEARNING_RATE, CLIP = 1e-3, 5.0
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


@dataclass(frozen=True)
class Job:
    """One shape of network, and reviews encoded for both loops."""

    name: str
    config: TrainConfig
    vocab_size: int
    train: EncodedReviews
    validation: EncodedReviews
    fixed: Tensor
    """The training reviews as the tutorial reads them: [reviews, TIME] int64."""
    fixed_validation: Tensor

    def tutorial_network(self) -> TutorialRNN:
        """The tutorial's network in this shape, untrained."""
        torch.manual_seed(self.config.run.seed)
        return TutorialRNN(self.vocab_size, self.config.model.embedding_dim, self.config.model.hidden_dim).to(DEVICE)


@dataclass
class Epoch:
    """What one epoch took."""

    seconds: float
    waited: float
    """Seconds of these spent waiting for a batch."""
    tokens: int
    """Words read."""


def read_jobs(source: str, files: Sequence[Path], reviews: int | None) -> list[Job]:
    """A job for each configuration, on as many reviews drawn from the training part; None for all of them."""
    configs = {file.stem: load_config(TrainConfig, file) for file in files}
    parts = read_parts(DataConfig(source=source))
    text = configs[files[0].stem].text  # all configurations know as many words
    vocabulary = build_vocabulary(map(str.split, parts.train), text.vocab_size, text.min_frequency)
    head = TextEncoder(vocabulary, TIME, "head", "forward")

    def job(name: str, config: TrainConfig) -> Job:
        encoder = TextEncoder(vocabulary, config.text.max_length, config.text.keep, config.text.direction)

        def draw(texts: list[str], labels: np.ndarray, count: int | None) -> tuple[EncodedReviews, Tensor]:
            rows = np.random.default_rng(0).permutation(len(texts))[:count]
            words = [texts[row].split() for row in rows]
            return EncodedReviews(map(encoder.encode, words), labels[rows]), fixed_length(list(map(head.encode, words)))

        model = config.model
        title = f"{name}: embedding {model.embedding_dim}, {model.num_layers} × {model.hidden_dim} units"
        train, fixed = draw(parts.train, parts.train_labels, reviews)
        validation, fixed_validation = draw(parts.validation, parts.validation_labels, HELD_OUT)
        return Job(title, config, len(vocabulary), train, validation, fixed, fixed_validation)

    return [job(name, config) for name, config in configs.items()]


def fixed_length(reviews: Sequence[Sequence[int]]) -> Tensor:
    """The first `TIME` ids of each review, padding before them: [reviews, TIME] int64."""
    rows = np.full((len(reviews), TIME), PADDING_ID, dtype=np.int64)
    for row, ids in enumerate(reviews):
        if len(ids):
            rows[row, -len(ids[:TIME]) :] = ids[:TIME]
    return torch.from_numpy(rows)


def tutorial_epoch(network: TutorialRNN, input_ids: Tensor, labels: Tensor) -> Iterator[tuple[float, float]]:
    """Train one epoch; of each batch its seconds, and the seconds of these that the data loader took."""
    network.train()
    loader = DataLoader(TensorDataset(input_ids, labels), batch_size=BATCH, shuffle=True)
    criterion, optimizer = nn.BCELoss(), torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    batches = iter(loader)
    for _ in range(len(loader)):
        started = time.monotonic()
        inputs, targets = (tensor.to(DEVICE) for tensor in next(batches))
        loaded = time.monotonic()
        network.zero_grad()
        loss = criterion(network(inputs), targets)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), CLIP)
        optimizer.step()
        loss.item()  # notebooks add it up; on a GPU it also waits for the step's end
        yield time.monotonic() - started, loaded - started
        network.train()  # between two steps the caller may evaluate the network


def train_tutorial(job: Job) -> Epoch:
    """One epoch of the tutorial's loop."""
    steps = tutorial_epoch(job.tutorial_network(), job.fixed, torch.from_numpy(job.train.labels))
    seconds, waited = zip(*steps, strict=True)
    return Epoch(sum(seconds), sum(waited), int(np.minimum(job.train.lengths, TIME).sum()))


def tutorial_log_loss(network: TutorialRNN, input_ids: Tensor, labels: Tensor) -> float:
    """Mean binary cross-entropy in nats."""
    network.eval()
    with torch.no_grad():
        answers = torch.cat([network(part) for part in input_ids.to(DEVICE).split(BATCH)]).cpu()
    return float(nn.functional.binary_cross_entropy(answers, labels))
