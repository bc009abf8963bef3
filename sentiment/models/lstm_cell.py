"""An LSTM unit, written out step by step for readers; tests/unit/models/test_lstm_cell.py compares it with `nn.LSTM`.

The unit has two memories. At each step, three gates, each a share between 0 and 1, decide how the memories change.

Each quantity has several names: in papers and PyTorch, in articles about long-term and short-term memory, and in
courses with learn, forget, remember and use gates.

| here                         |     | papers, PyTorch | articles on memories             | courses on four gates |
| ---------------------------- | --- | --------------- | -------------------------------- | --------------------- |
| `long_remember_percent`      | f_t | forget gate     | % long-term memory to remember   | forget factor         |
| `potential_remember_percent` | i_t | input gate      | % potential memory to remember   | ignore factor         |
| `potential_memory`           | g_t | candidate       | potential memory                 | N of the learn gate   |
| `updated_long_memory`        | c_t | cell state      | long-term memory                 | long-term memory      |
| `output_percent`             | o_t | output gate     | % potential short-term memory    | V of the use gate     |
| `updated_short_memory`       | h_t | hidden state    | short-term memory, the output    | short-term memory     |

    f_t = sigmoid(h_{t-1} W_f + x_t U_f + b_f)      stage 1
    i_t = sigmoid(h_{t-1} W_i + x_t U_i + b_i)      stage 2
    g_t = tanh(h_{t-1} W_g + x_t U_g + b_g)
    c_t = f_t c_{t-1} + i_t g_t
    o_t = sigmoid(h_{t-1} W_o + x_t U_o + b_o)      stage 3
    h_t = o_t tanh(c_t)

Sources: Hochreiter & Schmidhuber 1997, "Long Short-Term Memory"; for the forget gate Gers, Schmidhuber & Cummins 2000,
"Learning to Forget".
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from sentiment.errors import InputError


class LSTMStep(NamedTuple):
    """All quantities of one step: each [..., hidden], or a scalar without dimensions for a unit of size 1."""

    long_remember_percent: Tensor
    """Share of the long-term memory that is kept, 0 to 1."""
    potential_remember_percent: Tensor
    """Share of the potential memory that is added, 0 to 1."""
    potential_memory: Tensor
    """New memory from this input, -1 to 1."""
    updated_long_memory: Tensor
    """Long-term memory after the step, unbounded."""
    output_percent: Tensor
    """Share of tanh(long-term memory) that becomes the output, 0 to 1."""
    updated_short_memory: Tensor
    """Short-term memory after the step, -1 to 1; also the output of the unit."""


class Gate(nn.Module):
    """The linear part of a gate, before its sigmoid or tanh: short_memory·W + input·U + b."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.short_weight = nn.Parameter(torch.randn(hidden_size, hidden_size) / hidden_size**0.5)
        """W: [hidden, hidden]."""
        self.input_weight = nn.Parameter(torch.randn(input_size, hidden_size) / input_size**0.5)
        """U: [input, hidden]."""
        self.bias = nn.Parameter(torch.zeros(hidden_size))
        """b: [hidden]."""

    def forward(self, short_memory: Tensor, input_value: Tensor) -> Tensor:
        """[..., hidden], [..., input] → [..., hidden]."""
        return short_memory @ self.short_weight + input_value @ self.input_weight + self.bias


class LSTMUnit(nn.Module):
    """An LSTM unit. With size 1, it also takes and returns scalars.

    Args:
        input_size: size of an input vector.
        hidden_size: size of each memory.

    Raises:
        InputError: if a size is below 1.

    Examples:
        >>> unit = LSTMUnit()
        >>> step = unit.lstm_unit(input_value=0.5, long_memory=2.0, short_memory=1.0)
        >>> 0 < float(step.long_remember_percent) < 1
        True
    """

    def __init__(self, input_size: int = 1, hidden_size: int = 1) -> None:
        super().__init__()
        if input_size < 1 or hidden_size < 1:
            raise InputError(f"input_size is {input_size} and hidden_size {hidden_size}; both must be at least 1.")
        self.input_size, self.hidden_size = input_size, hidden_size
        self.forget = Gate(input_size, hidden_size)
        self.input = Gate(input_size, hidden_size)
        self.candidate = Gate(input_size, hidden_size)
        self.output = Gate(input_size, hidden_size)

    @classmethod
    def from_lstm(cls, lstm: nn.LSTM, layer: int = 0, reverse: bool = False) -> "LSTMUnit":
        """Create a unit with a copy of the weights of one layer of an `nn.LSTM`.

        Args:
            lstm: an LSTM without projections (`proj_size` 0).
            layer: index of the layer, from 0.
            reverse: whether to copy the backward direction of a bidirectional LSTM.

        Raises:
            InputError: if `lstm` is another kind of module, has projections, or does not have this layer or direction.
        """
        if not isinstance(lstm, nn.LSTM):
            raise InputError(f"from_lstm needs an nn.LSTM, not a {type(lstm).__name__}.")
        if lstm.proj_size:
            raise InputError(f"an nn.LSTM with proj_size {lstm.proj_size} has no plain short-term memory; use 0.")
        if not 0 <= layer < lstm.num_layers or (reverse and not lstm.bidirectional):
            raise InputError(
                f"there is no layer {layer}{' in reverse' if reverse else ''}: this nn.LSTM has {lstm.num_layers} "
                f"layer(s){'' if lstm.bidirectional else ' and only the forward direction'}."
            )
        suffix = f"l{layer}" + ("_reverse" if reverse else "")
        input_weights, short_weights = getattr(lstm, f"weight_ih_{suffix}"), getattr(lstm, f"weight_hh_{suffix}")
        unit = cls(input_weights.shape[1], lstm.hidden_size).to(input_weights)
        biases = input_weights.new_zeros(4 * lstm.hidden_size)
        if lstm.bias:
            # PyTorch has two biases, because cuDNN does; their sum is the b of the papers
            biases = getattr(lstm, f"bias_ih_{suffix}") + getattr(lstm, f"bias_hh_{suffix}")
        # PyTorch stacks the gates in the order input, forget, candidate, output
        gates = (unit.input, unit.forget, unit.candidate, unit.output)
        with torch.no_grad():
            for gate, w, u, b in zip(
                gates, short_weights.chunk(4), input_weights.chunk(4), biases.chunk(4), strict=True
            ):
                gate.short_weight.copy_(w.T)
                gate.input_weight.copy_(u.T)
                gate.bias.copy_(b)
        return unit

    def lstm_unit(self, input_value: ArrayLike, long_memory: ArrayLike, short_memory: ArrayLike) -> LSTMStep:
        """Compute one step.

        Args:
            input_value: [..., input]; or a number, if the input size is 1.
            long_memory: [..., hidden]; or a number, if the hidden size is 1.
            short_memory: [..., hidden]; or a number, if the hidden size is 1.

        Raises:
            InputError: if the last dimension of an argument has the wrong size.
        """
        x = self._vector("input_value", input_value, self.input_size)
        long = self._vector("long_memory", long_memory, self.hidden_size)
        short = self._vector("short_memory", short_memory, self.hidden_size)

        # stage 1, forget gate: how much of the long-term memory is kept
        long_remember_percent = torch.sigmoid(self.forget(short, x))

        # stage 2, input gate and candidate: new memory, and how much of it is added
        potential_remember_percent = torch.sigmoid(self.input(short, x))
        potential_memory = torch.tanh(self.candidate(short, x))
        updated_long_memory = long * long_remember_percent + potential_remember_percent * potential_memory

        # stage 3, output gate: how much of the long-term memory becomes the output
        output_percent = torch.sigmoid(self.output(short, x))
        updated_short_memory = output_percent * torch.tanh(updated_long_memory)

        step = LSTMStep(
            long_remember_percent,
            potential_remember_percent,
            potential_memory,
            updated_long_memory,
            output_percent,
            updated_short_memory,
        )
        scalar = self.hidden_size == 1 and all(torch.as_tensor(v).dim() == 0 for v in (long_memory, short_memory))
        return LSTMStep(*(value.squeeze(-1) for value in step)) if scalar else step

    def _vector(self, name: str, value: ArrayLike, size: int) -> Tensor:
        tensor = torch.as_tensor(value, dtype=self.forget.bias.dtype, device=self.forget.bias.device)
        tensor = tensor.reshape(1) if tensor.dim() == 0 else tensor
        if tensor.shape[-1] != size:
            raise InputError(f"{name} has {tensor.shape[-1]} values in its last dimension; this unit takes {size}.")
        return tensor

    def steps(
        self, inputs: Tensor, long_memory: Tensor | None = None, short_memory: Tensor | None = None
    ) -> Iterator[LSTMStep]:
        """Yield each step over a sequence.

        Args:
            inputs: [..., time, input].
            long_memory: [..., hidden] before the first step; None for zeros.
            short_memory: [..., hidden] before the first step; None for zeros.
        """
        zeros = inputs.new_zeros(*inputs.shape[:-2], self.hidden_size)
        long = zeros if long_memory is None else long_memory
        short = zeros if short_memory is None else short_memory
        for input_value in inputs.unbind(-2):
            step = self.lstm_unit(input_value, long, short)
            long, short = step.updated_long_memory, step.updated_short_memory
            yield step

    def forward(
        self, inputs: Tensor, long_memory: Tensor | None = None, short_memory: Tensor | None = None
    ) -> LSTMStep:
        """Run over a sequence: [..., time, input] → an `LSTMStep` whose fields are [..., time, hidden].

        Raises:
            InputError: if the sequence is empty.
        """
        steps = list(self.steps(inputs, long_memory, short_memory))
        if not steps:
            raise InputError("the sequence has no steps; it must have at least one.")
        return LSTMStep(*(torch.stack(values, -2) for values in zip(*steps, strict=True)))
