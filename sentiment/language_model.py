"""Next-word prediction with the classifier's encoder: how it learns to read before it learns to judge."""

import torch
from torch import Tensor, nn

from sentiment.model import LSTMEncoder, State

CUTOFFS = (1_000, 4_000, 12_000)
"""Ids, most frequent first, at which the adaptive softmax starts its next, narrower cluster (Grave et al. 2017)."""


class LanguageModel(nn.Module):
    """Encoder and adaptive softmax over the vocabulary.

    Args:
        vocab_size: words known.
        embedding_dim: width of a word vector.
        hidden_dim: units per LSTM layer.
        num_layers: stacked LSTM layers.
        output_dropout: before the softmax.
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
        cutoffs = [cutoff for cutoff in CUTOFFS if cutoff < vocab_size - 1] or [vocab_size // 2]
        self.softmax = nn.AdaptiveLogSoftmaxWithLoss(hidden_dim, vocab_size, cutoffs, div_value=2.0)

    def forward(self, input_ids: Tensor, targets: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Mean negative log likelihood of the targets, in nats, and the state after the last step.

        Args:
            input_ids: [batch, time] int64.
            targets: [batch, time] int64, the word that follows each.
            state: memory carried over from the chunk before.
        """
        outputs, state = self.encoder(input_ids, state)
        likelihoods = self.softmax(self.dropout(outputs).flatten(0, 1), targets.flatten()).output
        # averaged in float32 also under bf16 autocast, where a mean of thousands keeps three digits
        return -likelihoods.float().mean(), [(h.detach(), c.detach()) for h, c in state]


def perplexity(loss: float) -> float:
    """exp of a mean negative log likelihood in nats."""
    return float(torch.tensor(loss, dtype=torch.float64).exp())
