"""Next-word prediction with the classifier's encoder: how it learns to read before it learns to judge.

Notable:
- words are told apart by the same vectors that they are read with (Press & Wolf 2017), so that every word of every
  review pulls at the embedding twice;
- in training a word is set against a sample of the vocabulary (Jean et al. 2015), in validation against all of it.
"""

import math

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from sentiment.models.lstm import LSTMEncoder, State

ROWS_AT_ONCE = 256
"""Positions whose likelihood over the whole vocabulary is computed at once: 30 MB, three times as fast as 120."""


class LanguageModel(nn.Module):
    """Encoder and tied softmax over the vocabulary.

    Args:
        vocab_size: words known, ids by falling frequency.
        embedding_dim: width of a word vector.
        hidden_dim: units per LSTM layer.
        num_layers: stacked LSTM layers.
        output_dropout: before the softmax.
        negatives: words drawn for a training step to set its targets against; 0 takes the whole vocabulary.
        encoder_settings: further keyword arguments of `LSTMEncoder`.
    """

    def __init__(
        self,
        vocab_size: int,
        embedding_dim: int,
        hidden_dim: int,
        num_layers: int = 2,
        *,
        output_dropout: float = 0.0,
        negatives: int = 0,
        **encoder_settings: float | bool,
    ) -> None:
        super().__init__()
        self.encoder = LSTMEncoder(
            vocab_size,
            embedding_dim,
            hidden_dim,
            num_layers,
            **encoder_settings,  # type: ignore[arg-type]  # checked by LSTMEncoder
        )
        self.dropout = nn.Dropout(output_dropout)
        self.softmax = TiedSoftmax(vocab_size, embedding_dim, hidden_dim, negatives)

    def forward(self, input_ids: Tensor, targets: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Mean negative log likelihood of the targets, in nats, and the state after the last step.

        Args:
            input_ids: [batch, time] int64.
            targets: [batch, time] int64, the word that follows each.
            state: memory carried over from the chunk before.
        """
        outputs, state = self.encoder(input_ids, state)
        loss = self.softmax(self.dropout(outputs).flatten(0, 1), targets.flatten(), self.encoder.embedding.weight)
        return loss, [(h.detach(), c.detach()) for h, c in state]


class TiedSoftmax(nn.Module):
    """Likelihood of words: state → linear → product with each word's vector, plus that word's bias.

    Args:
        vocab_size: words known, ids by falling frequency.
        embedding_dim: width of a word vector.
        hidden_dim: width of a state.
        negatives: words drawn per training step; 0 takes the whole vocabulary.
    """

    def __init__(self, vocab_size: int, embedding_dim: int, hidden_dim: int, negatives: int = 0) -> None:
        super().__init__()
        self.negatives = negatives
        self.projection = nn.Linear(hidden_dim, embedding_dim)
        self.bias = nn.Parameter(log_zipf(torch.arange(vocab_size), vocab_size))

    def forward(self, outputs: Tensor, targets: Tensor, vectors: Tensor) -> Tensor:
        """Mean negative log likelihood in nats: [n, hidden_dim], [n] int64, [vocab_size, embedding_dim] → scalar."""
        queries = self.projection(outputs)
        if self.training and self.negatives:
            return self._against_sample(queries, targets, vectors)
        total = outputs.new_zeros((), dtype=torch.float32)
        for some, wanted in zip(queries.split(ROWS_AT_ONCE), targets.split(ROWS_AT_ONCE), strict=True):
            # in float32 also under bf16 autocast, where a sum of thousands keeps three digits
            total = total + F.cross_entropy((some @ vectors.T).float() + self.bias, wanted, reduction="sum")
        return total / len(targets)

    def _against_sample(self, queries: Tensor, targets: Tensor, vectors: Tensor) -> Tensor:
        """Each target against words drawn by Zipf's law, a word's score lowered by the log of its expected draws."""
        drawn = draw_zipf(self.negatives, len(vectors), queries.device).unique()
        others = (queries @ F.embedding(drawn, vectors).T).float() + self.bias[drawn]
        others = others - log_expected_draws(drawn, self.negatives, len(vectors))
        others = others.masked_fill(drawn == targets[:, None], float("-inf"))
        target = (queries.float() * F.embedding(targets, vectors)).sum(1) + self.bias[targets]
        target = target - log_expected_draws(targets, self.negatives, len(vectors))
        return (torch.logaddexp(others.logsumexp(1), target) - target).mean()


def draw_zipf(count: int, vocab_size: int, device: torch.device) -> Tensor:
    """Ids drawn by Zipf's law: [count] int64."""
    uniform = torch.rand(count, dtype=torch.float64, device=device)
    return ((uniform * math.log(vocab_size + 1)).exp().long() - 1).clamp(0, vocab_size - 1)


def log_zipf(ids: Tensor, vocab_size: int) -> Tensor:
    """Log of the probability log((id + 2) / (id + 1)) / log(vocab_size + 1) of each id: float32."""
    return torch.log(torch.log((ids + 2.0) / (ids + 1.0)) / math.log(vocab_size + 1))


def log_expected_draws(ids: Tensor, count: int, vocab_size: int) -> Tensor:
    """Log of the chance that `count` draws by `draw_zipf` contain each id: float32."""
    return torch.log(-torch.expm1(count * torch.log1p(-log_zipf(ids, vocab_size).exp())))


def perplexity(loss: float) -> float:
    """exp of a mean negative log likelihood in nats."""
    return float(torch.tensor(loss, dtype=torch.float64).exp())
