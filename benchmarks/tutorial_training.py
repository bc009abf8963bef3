"""Training as the common course notebook writes it: fp32, every review 200 tokens, batches of 50 in random order.

Notable: the network answers at every time step and the last answer is read, reviews are padded on the left, Adam at
1e-3, gradients clipped at a norm of 5. The words are this project's, so both learn from the same ids.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from sentiment.text import PADDING_ID

TIME = 200
BATCH = 50
LEARNING_RATE = 1e-3
CLIP = 5.0


class TutorialRNN(nn.Module):
    """Embedding → nn.LSTM of two layers → dropout → linear → sigmoid."""

    def __init__(self, vocab_size: int, embedding_dim: int, hidden_dim: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_dim)
        self.lstm = nn.LSTM(embedding_dim, hidden_dim, 2, dropout=0.5, batch_first=True)
        self.dropout = nn.Dropout(0.3)
        self.linear = nn.Linear(hidden_dim, 1)

    def forward(self, input_ids: Tensor) -> Tensor:
        """Probability of positive: [batch, TIME] int64 → [batch] float32."""
        outputs, _ = self.lstm(self.embedding(input_ids))
        return torch.sigmoid(self.linear(self.dropout(outputs))).squeeze(2)[:, -1]


def fixed_length(reviews: Sequence[Sequence[int]]) -> Tensor:
    """The first 200 ids of each review, padding before them: [reviews, 200] int64."""
    rows = np.full((len(reviews), TIME), PADDING_ID, dtype=np.int64)
    for row, ids in enumerate(reviews):
        if len(ids):
            rows[row, -len(ids[:TIME]) :] = ids[:TIME]
    return torch.from_numpy(rows)


@dataclass(frozen=True)
class TutorialStep:
    """One batch that was trained on."""

    network: TutorialRNN
    reviews: int
    seconds: float
    waited: float
    """Seconds of these that the data loader took."""


def train(network: TutorialRNN, input_ids: Tensor, labels: Tensor, device: torch.device) -> Iterator[TutorialStep]:
    """One epoch, batch by batch."""
    network.to(device).train()
    loader = DataLoader(TensorDataset(input_ids, labels), batch_size=BATCH, shuffle=True)
    criterion, optimiser = nn.BCELoss(), torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    batches = iter(loader)
    for _ in range(len(loader)):
        started = time.monotonic()
        inputs, targets = next(batches)
        inputs, targets = inputs.to(device), targets.to(device)
        loaded = time.monotonic()
        network.zero_grad()
        loss = criterion(network(inputs), targets)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), CLIP)
        optimiser.step()
        loss.item()  # notebooks add it up; on a GPU it also waits for the step's end
        yield TutorialStep(network, len(inputs), time.monotonic() - started, loaded - started)
        network.train()


def log_loss(network: TutorialRNN, input_ids: Tensor, labels: Tensor, device: torch.device) -> float:
    """Mean binary cross-entropy in nats."""
    network.eval()
    with torch.no_grad():
        parts = input_ids.to(device).split(BATCH)
        answers = torch.cat([network(part) for part in parts]).cpu()
    return float(nn.functional.binary_cross_entropy(answers, labels))
