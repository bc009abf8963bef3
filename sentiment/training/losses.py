"""Adversarial training on small shifts of the word vectors (Miyato et al. 2017), with and without labels.

The size of a shift is its L2 norm over the whole review, in standard deviations of the embedding's entries.
"""

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from sentiment.config import AdversarialConfig
from sentiment.data.batching import Batch
from sentiment.models.lstm import real_positions

PROBE = 0.5
"""Norm of the random shift whose gradient gives the worst direction; small, but larger than bf16 rounding errors."""


def adversarial_loss(model: nn.Module, batch: Batch, config: AdversarialConfig, share: float = 1.0) -> Tensor:
    """Loss of a batch plus its weighted loss under the shift that increases it most (eq. 4); both times `share`.

    This runs the backward pass of the plain loss: it gives the shift, and its gradient stays in the parameters. Call
    `backward` on the returned loss to add the gradient of the adversarial loss.
    """
    shift, deviation = _no_shift(model, batch)
    shift.requires_grad_()

    def loss_under(shift: Tensor) -> Tensor:
        return share * F.binary_cross_entropy_with_logits(model(batch.input_ids, batch.lengths, shift), batch.labels)

    plain = loss_under(shift)
    plain.backward()
    assert shift.grad is not None
    return plain.detach() + config.weight * loss_under(_of_norm(shift.grad, config.epsilon * deviation))


def virtual_adversarial_loss(model: nn.Module, batch: Batch, config: AdversarialConfig) -> Tensor:
    """Loss of an unlabeled batch, in nats: weighted divergence under the worst shift, plus weighted entropy.

    The worst shift is the one that changes the network's own predictions most (eq. 6), found by one step of the power
    method. Minimizing the entropy makes predictions more confident (Grandvalet & Bengio 2005).
    """
    logits = model(batch.input_ids, batch.lengths)
    predicted = torch.sigmoid(logits.detach())
    loss = config.entropy_weight * F.binary_cross_entropy_with_logits(logits, torch.sigmoid(logits))
    if not config.virtual_weight:
        return loss
    shift, deviation = _no_shift(model, batch)
    real = real_positions(batch.lengths, shift.shape[1])
    probe = _of_norm(torch.randn_like(shift) * real, PROBE * deviation).requires_grad_()
    (gradient,) = torch.autograd.grad(_divergence(predicted, model(batch.input_ids, batch.lengths, probe)), probe)
    worst = _of_norm(gradient, config.epsilon * deviation)
    return loss + config.virtual_weight * _divergence(predicted, model(batch.input_ids, batch.lengths, worst))


def _divergence(predicted: Tensor, logits: Tensor) -> Tensor:
    """Kullback-Leibler divergence KL(predicted ‖ sigmoid(logits)) in nats, mean over the batch."""
    entropy = F.binary_cross_entropy(predicted, predicted)
    return F.binary_cross_entropy_with_logits(logits, predicted) - entropy


def _no_shift(model: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
    """Zeros [batch, time, embedding_dim], and the standard deviation of the embedding's entries."""
    embedding = next(module for module in model.modules() if isinstance(module, nn.Embedding))
    shape = (*batch.input_ids.shape, embedding.embedding_dim)
    return torch.zeros(shape, device=batch.input_ids.device), embedding.weight.detach().std()


def _of_norm(shift: Tensor, norm: Tensor) -> Tensor:
    """The shift of each review, scaled to the given L2 norm."""
    return shift / shift.flatten(1).norm(dim=1).clamp(min=1e-12)[:, None, None] * norm
