"""Change a trained network: cut a smaller one out of it, add a linear function to its head, or change its words.

The smaller network has shorter word vectors and the most used units of each layer. It does not predict like the larger
one. But its units have learned useful features, so it is a good start for training (warm start).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

EMBEDDING = "encoder.embedding.weight"
_GATED = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")


def principal_axes(vectors: Tensor, count: int) -> Tensor:
    """The axes on which word vectors differ most (Eckart & Young): [words, size] → [size, count]."""
    _, _, axes = torch.linalg.svd(vectors.float(), full_matrices=False)
    return axes[:count].T


def shrink(weights: Mapping[str, Tensor], embedding_dim: int, hidden_dim: int) -> dict[str, Tensor]:
    """Cut the weights of a smaller `SentimentRNN` out of those of a larger one.

    Word vectors are projected on their principal axes, and the input weights of the first layer with them. Each layer
    keeps the units with the largest weights in the next layer, or in the head.

    Args:
        weights: state dict of the larger network.
        embedding_dim: size of a word vector in the smaller network; at most that of the larger one.
        hidden_dim: units per layer in the smaller network; at most those of the larger one.
    """
    part = {name: tensor.float() for name, tensor in weights.items()}
    layers = [f"encoder.layers.{depth}." for depth in range(sum(name.endswith("weight_hh_l0") for name in part))]
    axes = principal_axes(part[EMBEDDING], embedding_dim)
    for name in (EMBEDDING, layers[0] + "weight_ih_l0"):
        part[name] = part[name] @ axes
    for layer, above in zip(layers, [*(name + "weight_ih_l0" for name in layers[1:]), "head.1.weight"], strict=True):
        units = part[layer + "weight_hh_l0"].shape[1]
        used = part[above].unflatten(1, (-1, units))  # the head uses each unit once per kind of pooling
        kept = used.norm(dim=(0, 1)).topk(hidden_dim).indices.sort().values
        part[above] = used[:, :, kept].flatten(1)
        part[layer + "weight_hh_l0"] = part[layer + "weight_hh_l0"][:, kept]
        for name in _GATED:
            part[layer + name] = part[layer + name].unflatten(0, (4, units))[:, kept].flatten(0, 1)
    return part


def with_linear(
    weights: Mapping[str, Tensor], settings: Mapping[str, Any], scale: float, slopes: np.ndarray, bias: float
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Give a `SentimentRNN` the logit: scale · its logit + slopes · features + bias, where the head gets the features.

    A head with a hidden layer gets two more units: x = ReLU(x) - ReLU(-x).

    Args:
        weights: state dict of the network.
        settings: keyword arguments of the network.
        scale: factor of the present logit.
        slopes: [width of the features].
        bias: added to the logit.

    Returns:
        State dict and keyword arguments of the changed network.
    """
    changed = {name: tensor.float() for name, tensor in weights.items()}
    row = torch.from_numpy(np.asarray(slopes, dtype=np.float32))[None].to(changed["head.1.weight"].device)
    shift = torch.tensor([bias], dtype=torch.float32, device=row.device)
    if not settings.get("head_dim"):
        changed["head.1.weight"] = scale * changed["head.1.weight"] + row
        changed["head.1.bias"] = scale * changed["head.1.bias"] + shift
        return changed, dict(settings)
    changed["head.1.weight"] = torch.cat([changed["head.1.weight"], row, -row])
    changed["head.1.bias"] = torch.cat([changed["head.1.bias"], shift, -shift])
    signs = torch.tensor([[1.0, -1.0]], device=row.device)
    changed["head.4.weight"] = torch.cat([scale * changed["head.4.weight"], signs], dim=1)
    changed["head.4.bias"] = scale * changed["head.4.bias"]
    return changed, {**settings, "head_dim": settings["head_dim"] + 2}


def with_words(
    weights: Mapping[str, Tensor], settings: Mapping[str, Any], vectors: Tensor
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Give a `SentimentRNN` other word vectors [words, embedding_dim]; returns its state dict and keyword arguments."""
    return {**weights, EMBEDDING: vectors}, {**settings, "vocab_size": len(vectors)}
