"""Layer-wise relevance propagation for LSTMs (Arras et al. 2017, "Explaining Recurrent Neural Network Predictions in
Sentiment Analysis"; Arras et al. 2019).

It divides the logit among what it was computed from, layer by layer, down to the words. A sum passes each summand its
own share. Where a gate multiplies a value, the value gets everything: the gate only lets it through. tanh and ReLU pass
on what they get, and a maximum passes it to the largest. So each value has a coefficient, and its relevance is the
value times the coefficient. The gates come from `sentiment.explanation.gates`, so one pass backward is all there is to
compute.

What the biases add belongs to no word; it is missing from the sum.
"""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from sentiment.explanation.gates import before, lstm_layers
from sentiment.models.lstm import SentimentRNN
from sentiment.models.lstm_cell import LSTMStep


@torch.inference_mode()
def relevance(model: SentimentRNN, input_ids: Tensor, traces: Sequence[LSTMStep]) -> np.ndarray:
    """Relevance of each word for the logit: [time] float64, in logits of positive.

    Args:
        model: the network.
        input_ids: [time] int64, at least one.
        traces: result of `trace` for these ids.
    """
    embedded = model.encoder.embed(input_ids)
    inputs = [embedded, *(layer.updated_short_memory for layer in traces)]
    coefficients = _output_coefficients(model, inputs.pop())
    for layer, layer_inputs, steps in zip(lstm_layers(model)[::-1], inputs[::-1], traces[::-1], strict=True):
        coefficients = _input_coefficients(layer, layer_inputs, steps, coefficients)
    return (coefficients * embedded).sum(1).double().cpu().numpy()


def _output_coefficients(model: SentimentRNN, outputs: Tensor) -> Tensor:
    """Coefficients of the last layer's outputs, both [time, hidden]: back through the head and the pooling."""
    time, hidden = outputs.shape
    largest, places = outputs.max(0)
    values = [torch.cat([outputs[-1], largest, outputs.mean(0)]) if model.pooling == "last_max_mean" else outputs[-1]]
    layers = [layer for layer in model.head if not isinstance(layer, nn.Dropout)]
    for layer in layers:
        values.append(layer(values[-1]))
    coefficients = torch.ones_like(values[-1])
    for layer, value in zip(layers[::-1], values[-2::-1], strict=True):
        coefficients = coefficients @ layer.weight if isinstance(layer, nn.Linear) else coefficients * (value > 0)
    found = torch.zeros_like(outputs)
    found[-1] = coefficients[:hidden]
    if model.pooling == "last_max_mean":
        found[places, torch.arange(hidden, device=places.device)] += coefficients[hidden : 2 * hidden]
        found += coefficients[2 * hidden :] / time
    return found


def _input_coefficients(layer: nn.LSTM, inputs: Tensor, steps: LSTMStep, outputs: Tensor) -> Tensor:
    """Coefficients of a layer's inputs [time, input], from those of its outputs [time, hidden]."""
    input_weight, short_weight, *biases = (weight.chunk(4)[2] for weight in layer.all_weights[0])  # of the candidate
    short = before(steps.updated_short_memory)
    potential = F.linear(inputs, input_weight, *biases[:1]) + F.linear(short, short_weight, *biases[1:])
    shown = steps.output_percent * _passed_on(steps.updated_long_memory)
    added = steps.potential_remember_percent * _passed_on(potential)
    potentials = torch.empty_like(outputs)
    long, short_before, back = torch.zeros_like(outputs[0]), torch.zeros_like(outputs[0]), short_weight.T.contiguous()
    rows = [values.unbind(0) for values in (outputs, shown, added, potentials, steps.long_remember_percent)]
    for output, shown_now, added_now, potential_now, kept in zip(*map(reversed, rows), strict=True):
        long.addcmul_(short_before.add_(output), shown_now)
        torch.mul(long, added_now, out=potential_now)
        torch.mv(back, potential_now, out=short_before)
        long.mul_(kept)
    return potentials @ input_weight


def _passed_on(values: Tensor) -> Tensor:
    """tanh(x) / x: the factor by which a coefficient changes on its way back through tanh; 1 at zero."""
    return torch.where(values.abs() < 1e-6, 1.0, values.tanh() / values)
