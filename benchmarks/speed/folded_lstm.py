"""The first layer's input product as a lookup: table[word] = W_ih @ vector(word) + biases, computed once.

torch has no kernel for an LSTM whose input products are given, so the recurrence is a loop over the words, in which
reviews that have ended drop out of the batch (which must come longest first). tanh(x) = 2 sigmoid(2x) - 1, which torch
computes seven times as fast on a CPU; the doubling of x is in the weights.
"""

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from sentiment.models.lstm import SentimentRNN, pool


class FoldedRNN(nn.Module):
    """The logits of a `SentimentRNN`, its layers as loops over given input products.

    Args:
        model: whose weights are copied.
        dtype: of the recurrent products; gates and memories are float32.
        only_first: run the other layers by torch's own LSTM, in float32.
    """

    def __init__(self, model: SentimentRNN, dtype: torch.dtype, only_first: bool) -> None:
        super().__init__()
        self.model, self.dtype, self.only_first = model, dtype, only_first
        self.weights = [_prepared(layer) for layer in model.encoder.layers]
        inputs, _, bias = self.weights[0]
        self.table = F.linear(model.encoder.embedding.weight.detach(), inputs, bias)
        """[vocab_size, 4 hidden_dim] float32."""

    def forward(self, input_ids: Tensor, lengths: Tensor) -> Tensor:
        """[batch, time] int64, longest first, [batch] int64 → [batch] float32."""
        time = input_ids.shape[1]
        reading = (lengths[:, None] > torch.arange(time)).sum(0).tolist()
        outputs = self._loop(self.table[input_ids.T], self.weights[0][1], reading)
        for depth, layer in enumerate(self.model.encoder.layers):
            if depth and self.only_first:
                outputs = layer(outputs.transpose(0, 1))[0].transpose(0, 1)
            elif depth:
                inputs, recurrent, bias = self.weights[depth]
                products = F.linear(outputs.to(self.dtype), inputs.to(self.dtype)).float() + bias
                outputs = self._loop(products, recurrent, reading)
        return self.model.head(pool(outputs.transpose(0, 1), lengths, self.model.pooling)).squeeze(1)

    def _loop(self, products: Tensor, recurrent: Tensor, reading: list[int]) -> Tensor:
        """[time, batch, 4 hidden_dim] float32 → [time, batch, hidden_dim] float32."""
        weight = recurrent.T.to(self.dtype)
        hidden_dim = weight.shape[0]
        outputs = products.new_zeros(*products.shape[:2], hidden_dim)
        short, long = outputs.new_zeros(products.shape[1], hidden_dim), outputs.new_zeros(products.shape[1], hidden_dim)
        for step, count in enumerate(reading):
            if not count:
                break
            recurrence = short[:count].to(self.dtype) @ weight
            enter, forget, candidate, leave = (products[step, :count] + recurrence).sigmoid_().chunk(4, 1)
            long = forget * long[:count] + enter * (2 * candidate - 1)
            short = leave * ((2 * long).sigmoid_() * 2 - 1)
            outputs[step, :count] = short
        return outputs


def _prepared(layer: nn.Module) -> tuple[Tensor, Tensor, Tensor]:
    """Input and recurrent weights and the sum of biases, the candidate's doubled for its tanh."""
    hidden_dim = layer.get_parameter("weight_hh_l0").shape[1]
    scale = torch.ones(4 * hidden_dim, 1)
    scale[2 * hidden_dim : 3 * hidden_dim] = 2
    inputs, recurrent = (layer.get_parameter(name).detach() * scale for name in ("weight_ih_l0", "weight_hh_l0"))
    biases = [layer.get_parameter(name).detach() for name in ("bias_ih_l0", "bias_hh_l0")]
    return inputs, recurrent, (biases[0] + biases[1]) * scale[:, 0]
