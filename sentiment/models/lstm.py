"""SentimentRNN: embedding → stacked LSTM → pooling → dropout → linear.

- The layers are separate one-layer LSTMs, with our own dropout between them. So it can use one mask per review
  (variational dropout), and it uses torch's random number generator, which a run needs to resume exactly.
- Right-padded batches are not packed: a forward LSTM gets the padding after the last token, and pooling ignores it.
- A review of length 0 has features of zero, so its logit is the output of the head for zeros.
"""

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

State = list[tuple[Tensor, Tensor]]
"""Per layer: short-term memory h and long-term memory c, each [1, batch, hidden_dim]."""

POOLINGS = {"last": 1, "last_max_mean": 3}
"""{pooling: number of its features, in multiples of hidden_dim}."""


class LSTMEncoder(nn.Module):
    """Embedding and stacked LSTM layers, shared by the classifier and the language model.

    Args:
        vocab_size: rows of the embedding.
        embedding_dim: size of a word vector.
        hidden_dim: units per layer.
        num_layers: number of LSTM layers.
        dropout: dropout between the layers, 0 to 1.
        variational: whether `dropout` uses one mask per review instead of one per time step.
        embedding_dropout: dropout on word vectors, 0 to 1.
        word_dropout: probability that a whole word vector is set to zero.
        weight_dropout: dropout on the recurrent weight matrices, 0 to 1.
        forget_gate_bias: initial bias of the forget gates; all other biases start at 0.
        padding_id: id of the padding; its word vector is always zero.

    Raises:
        ValueError: if a size is below 1, or a dropout is outside [0, 1].
    """

    def __init__(
        self,
        vocab_size: int,
        embedding_dim: int,
        hidden_dim: int,
        num_layers: int = 2,
        *,
        dropout: float = 0.0,
        variational: bool = False,
        embedding_dropout: float = 0.0,
        word_dropout: float = 0.0,
        weight_dropout: float = 0.0,
        forget_gate_bias: float = 1.0,
        padding_id: int = 1,
    ) -> None:
        super().__init__()
        sizes = {"vocab_size": vocab_size, "embedding_dim": embedding_dim, "hidden_dim": hidden_dim}
        for name, size in {**sizes, "num_layers": num_layers}.items():
            if size < 1:
                raise ValueError(f"{name} is {size}; it must be at least 1.")
        rates = {"dropout": dropout, "embedding_dropout": embedding_dropout, "word_dropout": word_dropout}
        for name, rate in {**rates, "weight_dropout": weight_dropout}.items():
            if not 0 <= rate <= 1:
                raise ValueError(f"{name} is {rate}; it must be between 0 and 1.")
        self.dropout, self.variational = dropout, variational
        self.embedding_dropout, self.word_dropout, self.weight_dropout = embedding_dropout, word_dropout, weight_dropout
        self.embedding = nn.Embedding(vocab_size, embedding_dim, padding_idx=padding_id)
        widths = [embedding_dim] + [hidden_dim] * (num_layers - 1)
        self.layers = nn.ModuleList(nn.LSTM(width, hidden_dim, batch_first=True) for width in widths)
        self._initialize(forget_gate_bias)

    def _initialize(self, forget_gate_bias: float) -> None:
        with torch.no_grad():
            self.embedding.weight.normal_(std=0.1)
            self.embedding.weight[self.embedding.padding_idx] = 0
            for layer in self.layers:
                for name, parameter in layer.named_parameters():
                    if name.startswith("bias"):
                        parameter.zero_()
                # torch stacks the gates in the order input, forget, candidate, output
                dict(layer.named_parameters())["bias_ih_l0"].chunk(4)[1].fill_(forget_gate_bias)

    def embed(self, input_ids: Tensor) -> Tensor:
        """Word vectors, with dropout in training: [batch, time] → [batch, time, embedding_dim]."""
        embedded = self.embedding(input_ids)
        if self.training and self.word_dropout:
            embedded = embedded * F.dropout(embedded.new_ones(*input_ids.shape, 1), self.word_dropout)
        return F.dropout(embedded, self.embedding_dropout, self.training)

    def encode(self, embedded: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Run the layers: [batch, time, embedding_dim] → ([batch, time, hidden_dim], state after the last step)."""
        outputs = embedded
        final: State = []
        for depth, layer in enumerate(self.layers):
            if depth:
                outputs = self._apply_dropout(outputs)
            outputs, last = self._run_layer(layer, outputs, None if state is None else state[depth])
            final.append(last)  # type: ignore[arg-type]  # mypy infers a tensor instead of a pair
        return outputs, final

    def _apply_dropout(self, outputs: Tensor) -> Tensor:
        if not (self.training and self.dropout):
            return outputs
        if not self.variational:
            return F.dropout(outputs, self.dropout)
        return outputs * F.dropout(outputs.new_ones(len(outputs), 1, outputs.shape[2]), self.dropout)

    def _run_layer(
        self, layer: nn.Module, inputs: Tensor, state: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, Tensor]:
        if not (self.training and self.weight_dropout):
            return layer(inputs, state)
        dropped = F.dropout(layer.get_parameter("weight_hh_l0"), self.weight_dropout)
        return torch.func.functional_call(layer, {"weight_hh_l0": dropped}, (inputs, state))

    def forward(self, input_ids: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """`embed`, then `encode`."""
        return self.encode(self.embed(input_ids), state)


def real_positions(lengths: Tensor, time: int) -> Tensor:
    """Mask of tokens: lengths [batch] → [batch, time, 1] bool, True for tokens, False for padding."""
    return (torch.arange(time, device=lengths.device) < lengths[:, None])[:, :, None]


def pool(outputs: Tensor, lengths: Tensor, pooling: str) -> Tensor:
    """Pool over the tokens, without padding: [batch, time, hidden] → [batch, features]; zeros for a length of 0."""
    real = real_positions(lengths, outputs.shape[1])
    last = outputs[torch.arange(len(outputs), device=outputs.device), (lengths - 1).clamp(min=0)]
    features = [last]
    if pooling == "last_max_mean":
        features.append(outputs.masked_fill(~real, float("-inf")).amax(1))
        features.append(outputs.masked_fill(~real, 0).sum(1) / lengths.clamp(min=1)[:, None])
    return torch.where(lengths[:, None] > 0, torch.cat(features, 1), 0)


def cumulative_sum(values: Tensor, dim: int) -> Tensor:
    """`cumsum`, always with the same rounding errors: on the CPU, since torch's deterministic mode forbids CUDA's."""
    return values.cpu().cumsum(dim).to(values.device)


def pool_prefixes(outputs: Tensor, pooling: str) -> Tensor:
    """Pool over each prefix: [batch, time, hidden] → [batch, time, features]; t pools t + 1 tokens."""
    features = [outputs]
    if pooling == "last_max_mean":
        counts = torch.arange(1, outputs.shape[1] + 1, device=outputs.device)[:, None]
        features += [outputs.cummax(1).values, cumulative_sum(outputs, 1) / counts]
    return torch.cat(features, 2)


class SentimentRNN(nn.Module):
    """The classifier: embedding → stacked LSTM → pooling → head; it returns logits.

    Args:
        vocab_size: number of words.
        embedding_dim: size of a word vector.
        hidden_dim: units per LSTM layer.
        num_layers: number of LSTM layers.
        dropout: dropout between the layers, 0 to 1.
        pooling: "last" for the state at the last token, "last_max_mean" for also the maximum and mean over time.
        head_dropout: dropout before each linear layer of the head, 0 to 1.
        head_dim: units of a hidden ReLU layer in the head; 0 for no such layer.
        encoder_settings: further keyword arguments of `LSTMEncoder`.

    Raises:
        ValueError: if a size is below 1, a dropout is outside [0, 1], or the pooling is unknown.

    Examples:
        >>> model = SentimentRNN(vocab_size=100, embedding_dim=8, hidden_dim=4)
        >>> model(torch.tensor([[5, 6, 7], [8, 1, 1]]), torch.tensor([3, 1])).shape
        torch.Size([2])
    """

    def __init__(
        self,
        vocab_size: int,
        embedding_dim: int,
        hidden_dim: int,
        num_layers: int = 2,
        dropout: float = 0.5,
        pooling: str = "last",
        *,
        head_dropout: float = 0.3,
        head_dim: int = 0,
        **encoder_settings: float | bool,
    ) -> None:
        super().__init__()
        if pooling not in POOLINGS:
            raise ValueError(f"pooling is {pooling!r}; it must be one of {', '.join(POOLINGS)}.")
        if head_dim < 0 or not 0 <= head_dropout <= 1:
            raise ValueError(f"head_dim is {head_dim} and head_dropout {head_dropout}; give at least 0, and 0 to 1.")
        self.pooling = pooling
        self.encoder = LSTMEncoder(
            vocab_size,
            embedding_dim,
            hidden_dim,
            num_layers,
            dropout=dropout,
            **encoder_settings,  # type: ignore[arg-type]  # checked by LSTMEncoder
        )
        width = POOLINGS[pooling] * hidden_dim
        hidden = [nn.Linear(width, head_dim), nn.ReLU(), nn.Dropout(head_dropout)] if head_dim else []
        self.head = nn.Sequential(nn.Dropout(head_dropout), *hidden, nn.Linear(head_dim or width, 1))

    def forward(self, input_ids: Tensor, lengths: Tensor, perturbation: Tensor | None = None) -> Tensor:
        """Logits of the positive label: [batch, time] int64, [batch] int64 → [batch] float32.

        `perturbation` [batch, time, embedding_dim] is added to the word vectors (adversarial training).
        """
        embedded = self.encoder.embed(input_ids)
        return self.classify(embedded if perturbation is None else embedded + perturbation, lengths)

    def classify(self, embedded: Tensor, lengths: Tensor) -> Tensor:
        """Logits from word vectors: [batch, time, embedding_dim], [batch] → [batch] float32."""
        outputs, _ = self.encoder.encode(embedded)
        # in float32 also under bf16 autocast: sums over hundreds of tokens need its precision
        with torch.autocast(outputs.device.type, enabled=False):
            return self.head(pool(outputs.float(), lengths, self.pooling)).squeeze(1)

    def running_logits(self, outputs: Tensor) -> Tensor:
        """Logit after each word: outputs of the encoder [batch, time, hidden_dim] → [batch, time]."""
        return self.head(pool_prefixes(outputs, self.pooling)).squeeze(2)
