"""Fast inference for `SentimentRNN` on CPUs: time-first tensors, and bf16 if the CPU has bf16 instructions.

In bf16, only the factors of matrix products are rounded: word vectors, weights and short-term memory. Biases, long-term
memory, pooling and head stay float32, which halves the error at no cost. In float32, the results are those of
`SentimentRNN`.
"""

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from sentiment.errors import InputError
from sentiment.models.lstm import SentimentRNN, real_positions

Precision = Literal["auto", "fp32", "bf16"]

SMALLEST_BF16 = 64
"""Minimum units per layer for "auto" to choose bf16; smaller networks reach 5,000 reviews/s per core in float32."""
_LSTM = 2
"""oneDNN's number for LSTM layers."""


class InferenceLSTM:
    """Computes logits with the current weights of a `SentimentRNN`, without dropout; it ignores autocast.

    Args:
        model: the network.
        dtype: precision of matrix products: torch.float32 or, on a CPU with oneDNN, torch.bfloat16.
    """

    def __init__(self, model: SentimentRNN, dtype: torch.dtype) -> None:
        self.model, self.dtype = model.eval(), dtype
        names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
        self.layers = [[layer.get_parameter(name).detach() for name in names] for layer in model.encoder.layers]
        if dtype == torch.bfloat16:
            self.layers = [[weight.to(dtype) for weight in layer[:2]] + layer[2:] for layer in self.layers]

    @torch.inference_mode()
    def __call__(self, input_ids: Tensor, lengths: Tensor) -> Tensor:
        """Logits of the positive label: [batch, time] int64, [batch] int64 → [batch] float32."""
        with torch.autocast(input_ids.device.type, enabled=False):
            return self.read_out(self._encode(input_ids), lengths)

    @torch.inference_mode()
    def running_logits(self, input_ids: Tensor) -> Tensor:
        """Logit after each word of one review: [time] int64, time at least 1 → [time] float32."""
        with torch.autocast(input_ids.device.type, enabled=False):
            return self.model.running_logits(self._encode(input_ids[None]).transpose(0, 1))[0]

    def _encode(self, input_ids: Tensor) -> Tensor:
        # for one review torch has other kernels: in float32 they are twice as fast, and only the last digits differ; in
        # bf16 more would differ, so the review is computed twice
        alone = len(input_ids) == 1 and self.dtype == torch.bfloat16
        outputs = self.embed(input_ids.expand(2, -1) if alone else input_ids)
        for depth in range(len(self.layers)):
            outputs = self.run_layer(depth, outputs)
        return outputs[:, : len(input_ids)].float()

    def embed(self, input_ids: Tensor) -> Tensor:
        """Word vectors: [batch, time] int64 → [time, batch, embedding_dim]."""
        return self.model.encoder.embedding(input_ids.T).to(self.dtype)

    def run_layer(self, depth: int, inputs: Tensor) -> Tensor:
        """One LSTM layer: [time, batch, width] → [time, batch, hidden_dim], both of `dtype`."""
        layer = self.layers[depth]
        hidden_dim = layer[1].shape[1]
        short = inputs.new_zeros(1, inputs.shape[1], hidden_dim)
        if self.dtype == torch.float32:
            return torch.lstm(inputs, (short, short), layer, True, 1, 0.0, False, False, False)[0]
        # torch.lstm calls the same kernel, but its long-term memory is bf16: imprecise after hundreds of words
        long = torch.zeros_like(short, dtype=torch.float32)
        return torch.ops.aten.mkldnn_rnn_layer(
            inputs, *layer, short, long, False, [], _LSTM, hidden_dim, 1, True, False, False, False
        )[0]

    def read_out(self, outputs: Tensor, lengths: Tensor) -> Tensor:
        """Logits from the last layer's outputs: [time, batch, hidden_dim] float32, overwritten → [batch] float32."""
        return self.model.head(_pool(outputs, lengths, self.model.pooling)).squeeze(1)


def _pool(outputs: Tensor, lengths: Tensor, pooling: str) -> Tensor:
    """`lstm.pool` for time-first outputs: [time, batch, hidden] → [batch, features]; overwrites `outputs`."""
    features = [outputs[(lengths - 1).clamp(min=0), torch.arange(len(lengths), device=outputs.device)]]
    if pooling == "last_max_mean":
        real = real_positions(lengths, len(outputs)).transpose(0, 1).float()
        outputs *= real
        mean = outputs.sum(0) / lengths.clamp(min=1)[:, None]
        outputs += real.log()  # 0 for a word, minus infinity for padding
        features += [outputs.amax(0), mean]
    return torch.where(lengths[:, None] > 0, torch.cat(features, 1), 0)


def inference_network(model: SentimentRNN, precision: Precision, device: torch.device) -> SentimentRNN | InferenceLSTM:
    """The fastest network for the predictions of `model`; probabilities differ by up to 1e-6 in fp32, 2e-3 in bf16.

    "auto" is bf16 if the CPU has bf16 instructions and the layers are large enough, otherwise fp32. On other devices
    than CPUs, and for layers that are not plain LSTMs, the result is `model` itself.

    Raises:
        InputError: if the precision is unknown, or bf16 is not available.
    """
    if precision not in get_args(Precision):
        raise InputError(f"precision is {precision!r}; it must be one of {', '.join(get_args(Precision))}.")
    layers = list(model.encoder.layers)
    is_plain = device.type == "cpu" and all(_is_plain(layer) for layer in layers)
    if precision == "bf16" and not (is_plain and _supports_bf16()):
        raise InputError(
            "bf16 needs oneDNN on a CPU with AVX-512 or AMX, and a model with plain LSTM layers; choose auto or fp32."
        )
    if not is_plain:
        return model
    bf16 = precision == "bf16" or (precision == "auto" and _is_bf16_faster(int(layers[0].hidden_size)))  # type: ignore[arg-type]
    return InferenceLSTM(model, torch.bfloat16 if bf16 else torch.float32)


def _is_plain(layer: nn.Module) -> bool:
    return (
        type(layer) is nn.LSTM and layer.num_layers == 1 and layer.bias and not (layer.bidirectional or layer.proj_size)
    )


def _supports_bf16() -> bool:
    """Whether oneDNN has bf16 LSTM kernels for this CPU; they need AVX-512."""
    return torch.backends.mkldnn.is_available() and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def _is_bf16_faster(hidden_dim: int) -> bool:
    capabilities = torch.cpu.get_capabilities()
    in_hardware = capabilities.get("avx512_bf16") or capabilities.get("amx_bf16")
    return bool(in_hardware) and torch.backends.mkldnn.is_available() and hidden_dim >= SMALLEST_BF16
