"""Gates and memories of the LSTM layers at each word."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from sentiment.errors import InputError
from sentiment.models.lstm import SentimentRNN
from sentiment.models.lstm_cell import LSTMStep


@dataclass(frozen=True)
class LayerTrace:
    """Gates and memories of one layer at each word; each [time, hidden] float32, in reading order."""

    long_remember_percent: np.ndarray
    potential_remember_percent: np.ndarray
    potential_memory: np.ndarray
    updated_long_memory: np.ndarray
    output_percent: np.ndarray
    updated_short_memory: np.ndarray

    @property
    def long_memory_change(self) -> np.ndarray:
        """[time]: change of the norm of the long-term memory (cell state) at each word."""
        return np.diff(np.linalg.norm(self.updated_long_memory, axis=1), prepend=0)


def lstm_layers(model: SentimentRNN) -> list[nn.LSTM]:
    """The encoder's layers, bottom to top.

    Raises:
        InputError: if a layer is anything but a one-layer, one-directional `nn.LSTM`.
    """
    for depth, layer in enumerate(model.encoder.layers):
        if not isinstance(layer, nn.LSTM) or layer.num_layers != 1 or layer.bidirectional or layer.proj_size:
            raise InputError(
                f"explain needs a stack of one-layer LSTMs; layer {depth} of this {type(model).__name__} is {layer}."
            )
    return list(model.encoder.layers)  # type: ignore[arg-type]  # checked above


@torch.inference_mode()
def trace(model: SentimentRNN, input_ids: Tensor) -> list[LSTMStep]:
    """All gates and memories, per layer [time, hidden], for input ids [time] int64, at least one."""
    model.eval()
    values, steps = model.encoder.embed(input_ids), []
    for layer in lstm_layers(model):
        steps.append(_trace_layer(layer, values))
        values = steps[-1].updated_short_memory
    return steps


def _trace_layer(layer: nn.LSTM, inputs: Tensor) -> LSTMStep:
    """Gates and memories of one layer: [time, input] → each [time, hidden]."""
    short = layer(inputs[None])[0][0]
    # once the short-term memories are known, the gates of all words are one product
    input_weight, short_weight, *biases = layer.all_weights[0]
    gates = F.linear(inputs, input_weight, *biases[:1]) + F.linear(before(short), short_weight, *biases[1:])
    # torch stacks the gates in the order input, forget, candidate, output
    added, kept, potential, exposed = gates.chunk(4, 1)
    added, kept, potential, exposed = added.sigmoid(), kept.sigmoid(), potential.tanh(), exposed.sigmoid()
    long = added * potential
    for share, old, new in zip(kept[1:], long[:-1], long[1:], strict=True):
        new.addcmul_(share, old)
    return LSTMStep(kept, added, potential, long, exposed, short)


def before(memories: Tensor, first: float = 0.0) -> Tensor:
    """The values before each word instead of after it; `first` before the first word: [time, hidden], same shape."""
    return F.pad(memories[:-1], (0, 0, 1, 0), value=first)
