"""Language model with the encoder of the classifier: predicts the next word, to pretrain the encoder.

- The softmax uses the word vectors of the embedding (tied weights, Press & Wolf 2017).
- Training uses a sampled softmax (Jean et al. 2015), validation the whole vocabulary.
"""

import math

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from sentiment.models.lstm import LSTMEncoder, State

ROWS_AT_ONCE = 256
"""Positions per step of the softmax over the whole vocabulary: 30 MB, three times as fast as 120 MB."""


class LanguageModel(nn.Module):
    """LSTM encoder and tied softmax over the vocabulary.

    Args:
        vocab_size: number of words; ids are sorted by falling frequency.
        embedding_dim: size of a word vector.
        hidden_dim: units per LSTM layer.
        num_layers: number of LSTM layers.
        output_dropout: dropout before the softmax.
        negatives: negative words drawn per training step; 0 uses the whole vocabulary.
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
            targets: [batch, time] int64, the next word at each position.
            state: LSTM state after the previous chunk; None for zeros.
        """
        outputs, state = self.encoder(input_ids, state)
        loss = self.softmax(self.dropout(outputs).flatten(0, 1), targets.flatten(), self.encoder.embedding.weight)
        return loss, [(h.detach(), c.detach()) for h, c in state]


class TiedSoftmax(nn.Module):
    """Softmax over the vocabulary: LSTM output → linear layer → product with each word vector, plus a bias.

    Args:
        vocab_size: number of words; ids are sorted by falling frequency.
        embedding_dim: size of a word vector.
        hidden_dim: size of an LSTM output.
        negatives: negative words drawn per training step; 0 uses the whole vocabulary.
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
            return self._sampled_loss(queries, targets, vectors)
        total = outputs.new_zeros((), dtype=torch.float32)
        for part, words in zip(queries.split(ROWS_AT_ONCE), targets.split(ROWS_AT_ONCE), strict=True):
            # in float32 also under bf16 autocast, since bf16 has only three digits
            total = total + F.cross_entropy((part @ vectors.T).float() + self.bias, words, reduction="sum")
        return total / len(targets)

    def _sampled_loss(self, queries: Tensor, targets: Tensor, vectors: Tensor) -> Tensor:
        """Loss against negative words drawn by Zipf's law; scores are corrected by the log of their expected draws."""
        drawn = draw_zipf(self.negatives, len(vectors), queries.device).unique()
        others = (queries @ F.embedding(drawn, vectors).T).float() + self.bias[drawn]
        others = others - log_expected_draws(drawn, self.negatives, len(vectors))
        others = others.masked_fill(drawn == targets[:, None], float("-inf"))
        target = (queries.float() * F.embedding(targets, vectors)).sum(1) + self.bias[targets]
        target = target - log_expected_draws(targets, self.negatives, len(vectors))
        return (torch.logaddexp(others.logsumexp(1), target) - target).mean()


def draw_zipf(count: int, vocab_size: int, device: torch.device) -> Tensor:
    """Draw ids by Zipf's law: [count] int64."""
    uniform = torch.rand(count, dtype=torch.float64, device=device)
    return ((uniform * math.log(vocab_size + 1)).exp().long() - 1).clamp(0, vocab_size - 1)


def log_zipf(ids: Tensor, vocab_size: int) -> Tensor:
    """Log of the probability of each id under `draw_zipf`, log((id + 2) / (id + 1)) / log(vocab_size + 1): float32."""
    return torch.log(torch.log((ids + 2.0) / (ids + 1.0)) / math.log(vocab_size + 1))


def log_expected_draws(ids: Tensor, count: int, vocab_size: int) -> Tensor:
    """Log of the probability that `count` draws by `draw_zipf` contain each id: float32."""
    return torch.log(-torch.expm1(count * torch.log1p(-log_zipf(ids, vocab_size).exp())))


def perplexity(loss: float) -> float:
    """Perplexity for a mean negative log likelihood in nats: exp(loss)."""
    return float(torch.tensor(loss, dtype=torch.float64).exp())
