"""Networks without memory for their weights, to check their size or to give them trained weights."""

from typing import Any

import psutil  # type: ignore[import-untyped]
import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from sentiment.errors import InputError

MOST_LAYERS = 100
"""Limit for num_layers; counting the weights of a billion layers would take hours."""

BYTES_PER_WEIGHT = 16
"""Memory during training: the weight, its gradient and the two moments of AdamW, 4 bytes each."""


def tensor_shapes(network: type[nn.Module], settings: dict[str, Any]) -> dict[str, list[int]]:
    """{name: shape} of all tensors of a network, without allocating memory for them.

    Raises:
        InputError: if no network can have these settings.
    """
    try:
        if int(settings.get("num_layers", 1)) > MOST_LAYERS:
            raise ValueError(f"num_layers is {settings['num_layers']}; at most {MOST_LAYERS} are allowed.")
        return {name: list(tensor.shape) for name, tensor in empty_network(network, settings).state_dict().items()}
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        # torch appends a trace of C++ frames
        reason = " ".join(str(error).split()).partition(" Exception raised")[0]
        raise InputError(f"no network can have these settings: {reason}") from error


def empty_network(network: type[nn.Module], settings: dict[str, Any]) -> nn.Module:
    """Build a network whose weights have shapes, but no memory and no values (torch's meta device)."""
    with torch.device("meta"), _Uninitialized():
        return network(**settings)


class _Uninitialized(TorchFunctionMode):
    """Skips the random initialization, for which torch would load its compiler: more than a second."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(function, "__name__", "") in ("normal_", "uniform_"):
            return (kwargs or {}).get("tensor", args[0] if args else None)
        return function(*args, **(kwargs or {}))


def build_network(network: type[nn.Module], settings: dict[str, Any]) -> nn.Module:
    """Build a network to train.

    Raises:
        InputError: if no network can have these settings, or its training needs more memory than this machine has.
    """
    weights = sum(torch.Size(shape).numel() for shape in tensor_shapes(network, settings).values())
    memory = psutil.virtual_memory().total
    if weights * BYTES_PER_WEIGHT > memory:
        raise InputError(
            f"a network of these sizes has {weights:,} weights and needs {weights * BYTES_PER_WEIGHT / 1e9:,.0f} GB to "
            f"train, but this machine has {memory / 1e9:,.0f} GB; reduce the sizes under model, or text.vocab_size."
        )
    return network(**settings)
