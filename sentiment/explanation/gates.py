"""Gates and memories of the LSTM layers at each word."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from sentiment.errors import InputError
from sentiment.models.lstm import SentimentRNN
from sentiment.models.lstm_cell import LSTMStep, LSTMUnit


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
        steps.append(LSTMUnit.from_lstm(layer)(values))
        values = steps[-1].updated_short_memory
    return steps
