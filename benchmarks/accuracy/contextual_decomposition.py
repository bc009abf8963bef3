"""Contextual decomposition of LSTMs (Murdoch, Liu & Yu 2018), for each word of a text by itself.

Every value is a sum of two parts: what comes from the word, and what comes from the others. A nonlinear function is
divided by Shapley's rule, a product by its terms: those in which the word occurs without the others are its own.
"""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from sentiment.explanation.gates import lstm_layers
from sentiment.models.lstm import SentimentRNN


@torch.inference_mode()
def contextual_decomposition(model: SentimentRNN, input_ids: Tensor) -> np.ndarray:
    """The part of the logit that comes from each word: [time] float64.

    Args:
        model: the network.
        input_ids: [time] int64, at least one.
    """
    embedded, time = model.encoder.embed(input_ids), len(input_ids)
    own = torch.zeros(time, time, embedded.shape[1])  # [word, time, width]: one text per word that is decomposed
    own[torch.arange(time), torch.arange(time)] = embedded
    others = embedded.expand_as(own) - own
    for lstm in lstm_layers(model):
        own, others = _layer(lstm, own, others)
    own, others = _pooled(model, own, others)
    for layer in model.head:
        if isinstance(layer, nn.Linear):
            own, others = F.linear(own, layer.weight), layer(others)
        elif isinstance(layer, nn.ReLU):
            own, others = _divided(F.relu, own, others)
    return own[:, 0].double().numpy()


def _layer(layer: nn.LSTM, own: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """Own and other parts of a layer's outputs, from those of its inputs: [words, time, width] each."""
    input_weight, short_weight, *biases = layer.all_weights[0]
    bias = sum(biases, torch.zeros_like(input_weight[:, 0])).chunk(4)  # input gate, forget gate, candidate, output gate
    short = own_long, other_long = (torch.zeros(len(own), layer.hidden_size), torch.zeros(len(own), layer.hidden_size))
    found = []
    for time in range(own.shape[1]):
        mine, theirs = (
            (F.linear(inputs[:, time], input_weight) + F.linear(before, short_weight)).chunk(4, 1)
            for inputs, before in zip((own, others), short, strict=True)
        )
        added, other_added, bias_added = _with_bias(torch.sigmoid, mine[0], theirs[0], bias[0])
        kept, other_kept, bias_kept = _with_bias(torch.sigmoid, mine[1], theirs[1], bias[1])
        potential, other_potential, bias_potential = _with_bias(torch.tanh, mine[2], theirs[2], bias[2])
        whole = (kept + other_kept + bias_kept) * (own_long + other_long)
        whole = whole + (added + other_added + bias_added) * (potential + other_potential + bias_potential)
        own_long = added * (potential + bias_potential) + bias_added * potential + (kept + bias_kept) * own_long
        other_long = whole - own_long
        shown = torch.sigmoid(mine[3] + theirs[3] + bias[3])
        own_shown, other_shown = _divided(torch.tanh, own_long, other_long)
        short = shown * own_shown, shown * other_shown
        found.append(short)
    return torch.stack([part for part, _ in found], 1), torch.stack([part for _, part in found], 1)


def _divided(function: Callable[[Tensor], Tensor], own: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """Shapley's rule for a function of the sum of two parts that is 0 at 0."""
    whole, of_own, of_others = function(own + others), function(own), function(others)
    return (of_own + whole - of_others) / 2, (of_others + whole - of_own) / 2


def _with_bias(
    function: Callable[[Tensor], Tensor], own: Tensor, others: Tensor, bias: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The same with a bias, which has a part of its own."""
    alone = function(bias)
    return *_divided(lambda values: function(values + bias) - alone, own, others), alone.expand_as(own)


def _pooled(model: SentimentRNN, own: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    if model.pooling == "last":
        return own[:, -1], others[:, -1]
    places = (own + others).argmax(1, keepdim=True)
    return (
        torch.cat([own[:, -1], own.gather(1, places)[:, 0], own.mean(1)], 1),
        torch.cat([others[:, -1], others.gather(1, places)[:, 0], others.mean(1)], 1),
    )
