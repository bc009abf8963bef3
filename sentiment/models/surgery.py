"""A smaller network begins as a part of a larger one: narrower word vectors, and of each layer the units most heard.

The larger one's answers are not kept, but what its units have learned to watch for is, and training soon connects it.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

EMBEDDING = "encoder.embedding.weight"
_GATED = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")


def principal_axes(vectors: Tensor, count: int) -> Tensor:
    """The axes on which word vectors differ most: [words, width] → [width, count] (Eckart & Young)."""
    _, _, axes = torch.linalg.svd(vectors.float(), full_matrices=False)
    return axes[:count].T


def shrink(weights: Mapping[str, Tensor], embedding_dim: int, hidden_dim: int) -> dict[str, Tensor]:
    """Weights of a `SentimentRNN` with fewer units, cut from those of a larger one.

    Word vectors are projected on their principal axes, which the first layer takes into account. Of a layer those
    units stay that the next layer, or the head, reads with the largest weights.

    Args:
        weights: of the larger network, by their names in its `state_dict`.
        embedding_dim: at most the larger one's.
        hidden_dim: at most the larger one's.
    """
    part = {name: tensor.float() for name, tensor in weights.items()}
    layers = [f"encoder.layers.{depth}." for depth in range(sum(name.endswith("weight_hh_l0") for name in part))]
    axes = principal_axes(part[EMBEDDING], embedding_dim)
    for reader in (EMBEDDING, layers[0] + "weight_ih_l0"):
        part[reader] = part[reader] @ axes
    for layer, reader in zip(layers, [*(above + "weight_ih_l0" for above in layers[1:]), "head.1.weight"], strict=True):
        units = part[layer + "weight_hh_l0"].shape[1]
        read = part[reader].unflatten(1, (-1, units))  # by the head once for each kind of pooling
        kept = read.norm(dim=(0, 1)).topk(hidden_dim).indices.sort().values
        part[reader] = read[:, :, kept].flatten(1)
        part[layer + "weight_hh_l0"] = part[layer + "weight_hh_l0"][:, kept]
        for name in _GATED:
            part[layer + name] = part[layer + name].unflatten(0, (4, units))[:, kept].flatten(0, 1)
    return part
