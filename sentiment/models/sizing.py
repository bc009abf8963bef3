"""Networks are measured before memory is taken for them."""

from typing import Any

import psutil  # type: ignore[import-untyped]
import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from sentiment.errors import InputError

MOST_LAYERS = 100
"""More than any LSTM that learns; a thousand million of them would take hours to count."""

BYTES_PER_WEIGHT = 16
"""While training: the weight, its gradient and AdamW's two moments, 4 bytes each."""


def tensor_shapes(network: type[nn.Module], settings: dict[str, Any]) -> dict[str, list[int]]:
    """Shape of every tensor of a network, without memory for one of them.

    Raises:
        InputError: if no network has these settings.
    """
    try:
        if int(settings.get("num_layers", 1)) > MOST_LAYERS:
            raise ValueError(f"num_layers is {settings['num_layers']}; at most {MOST_LAYERS} are built.")
        with torch.device("meta"), _Uninitialized():
            return {name: list(tensor.shape) for name, tensor in network(**settings).state_dict().items()}
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        # torch appends the trace of its C++ frames
        reason = " ".join(str(error).split()).partition(" Exception raised")[0]
        raise InputError(f"no network has these settings: {reason}") from error


class _Uninitialized(TorchFunctionMode):
    """Leaves out the drawing of first weights, for which torch would load its compiler: more than a second."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(function, "__name__", "") in ("normal_", "uniform_"):
            return (kwargs or {}).get("tensor", args[0] if args else None)
        return function(*args, **(kwargs or {}))


def build_network(network: type[nn.Module], settings: dict[str, Any]) -> nn.Module:
    """A network to train.

    Raises:
        InputError: if no network has these settings, or this machine's memory cannot hold it while it trains.
    """
    weights = sum(torch.Size(shape).numel() for shape in tensor_shapes(network, settings).values())
    memory = psutil.virtual_memory().total
    if weights * BYTES_PER_WEIGHT > memory:
        raise InputError(
            f"a network of these sizes has {weights:,} weights and takes {weights * BYTES_PER_WEIGHT / 1e9:,.0f} GB to "
            f"train; this machine has {memory / 1e9:,.0f} GB. Lower the sizes under model, or text.vocab_size."
        )
    return network(**settings)
