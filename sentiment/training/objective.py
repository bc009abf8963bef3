"""Objectives: what the `Trainer` optimizes. The protocol, and the objective of a sentiment classifier."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from sentiment.config import AdversarialConfig, ClassifierConfig
from sentiment.data.batching import Batch, EncodedReviews, shuffled_batches
from sentiment.evaluation.metrics import classification_metrics
from sentiment.inference.postprocessing import probability
from sentiment.inference.torch_network import predict_logits
from sentiment.models.lstm import SentimentRNN
from sentiment.training.losses import adversarial_loss, virtual_adversarial_loss


class Objective(Protocol):
    """What the `Trainer` optimizes. `batch` is the number of a batch in the epoch; `rows` selects part of it."""

    metric: str
    """Validation metric that selects the best epoch."""
    higher_is_better: bool
    """Whether a higher value of `metric` is better."""

    def start_epoch(self, epoch: int) -> Sequence[int]:
        """Prepare the batches of an epoch; returns the number of tokens of each."""

    def size(self, batch: int) -> int:
        """Number of rows of a batch: reviews, or streams of text."""

    def loss(self, model: nn.Module, batch: int, rows: slice) -> Tensor:
        """Differentiable loss of some rows, scaled so that the parts of a batch add up to its mean loss."""

    def commit(self) -> None:
        """Called after the optimizer step on a batch: keep what the next batch needs."""

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Metrics of the validation part, including `metric`."""

    def layers(self, model: nn.Module) -> list[nn.Module]:
        """Layers of the network from bottom to top, for learning rates by depth."""

    def carried(self) -> dict[str, Tensor]:
        """Tensors carried from batch to batch, to save in a training state; zero for rows of other processes."""

    def carry(self, tensors: dict[str, Tensor]) -> None:
        """Restore the result of `carried`."""


class SentimentObjective:
    """Binary cross-entropy on labeled reviews, optionally with adversarial losses.

    Args:
        train: training reviews with labels, 0 to 1.
        validation: validation reviews with labels, 0 or 1.
        batch_tokens: maximum tokens per batch, including padding.
        seed: for the order of reviews.
        device: device of the batches.
        adversarial: settings of adversarial training.
        unlabeled: reviews for virtual adversarial training and entropy minimization.
        prefix_fraction: share of the labeled reviews that are cut off after a random word, 0 to 1.
        batch_reviews: maximum reviews per batch; 0 for no limit.
    """

    metric = "log_loss"  # of two epochs with equal accuracy, one can be far surer of what is right
    higher_is_better = False

    def __init__(
        self,
        train: EncodedReviews,
        validation: EncodedReviews,
        batch_tokens: int,
        seed: int,
        device: torch.device,
        *,
        adversarial: AdversarialConfig = AdversarialConfig(),  # noqa: B008  # frozen
        unlabeled: EncodedReviews | None = None,
        prefix_fraction: float = 0.0,
        batch_reviews: int = 0,
    ) -> None:
        self.train, self.validation, self.unlabeled = train, validation, unlabeled
        self.batch_tokens, self.seed, self.device, self.adversarial = batch_tokens, seed, device, adversarial
        self.prefix_fraction, self.batch_reviews = prefix_fraction, batch_reviews
        self._batches: list[np.ndarray] = []
        self._unlabeled_batches: list[np.ndarray] = []
        self.validation_logits = np.zeros(len(validation), np.float32)
        """Logits [n] of the last validated network, for fitting its calibration."""

    def start_epoch(self, epoch: int) -> Sequence[int]:
        """Shuffle the reviews; returns the number of tokens of each batch."""
        self._batches = self._shuffled(self.train, epoch)
        if self.unlabeled is not None:
            self._unlabeled_batches = self._shuffled(self.unlabeled, epoch)
        return [int(self.train.lengths[rows].sum()) for rows in self._batches]

    def _shuffled(self, reviews: EncodedReviews, epoch: int) -> list[np.ndarray]:
        return shuffled_batches(reviews.lengths, self.batch_tokens, self.seed, epoch, self.batch_reviews)

    def size(self, batch: int) -> int:
        """Number of reviews in a batch."""
        return len(self._batches[batch])

    def loss(self, model: nn.Module, batch: int, rows: slice) -> Tensor:
        """Binary cross-entropy in nats, summed over the rows and divided by the reviews of the whole batch.

        With adversarial training, the result includes the adversarial loss, and the gradient of the plain loss is
        already in the parameters (`adversarial_loss`). If there are unlabeled reviews, each labeled batch is combined
        with an unlabeled one.
        """
        reviews = cut_to_random_prefixes(
            self.train.batch(self._batches[batch][rows]).to(self.device), self.prefix_fraction
        )
        share = len(reviews) / self.size(batch)
        if self.adversarial.weight:
            loss = adversarial_loss(model, reviews, self.adversarial, share)
        else:
            logits = model(reviews.input_ids, reviews.lengths)
            loss = share * F.binary_cross_entropy_with_logits(logits, reviews.labels)
        if self.unlabeled is None:
            return loss
        chosen = self._unlabeled_batches[batch % len(self._unlabeled_batches)]
        part = chosen[len(chosen) * rows.start // self.size(batch) : len(chosen) * rows.stop // self.size(batch)]
        if not len(part):
            return loss
        unlabeled = self.unlabeled.batch(part).to(self.device)
        return loss + len(part) / len(chosen) * virtual_adversarial_loss(model, unlabeled, self.adversarial)

    def commit(self) -> None:
        """Nothing is carried from batch to batch."""

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Accuracy and log loss (nats) on the validation part."""
        self.validation_logits = logits = predict_logits(model, self.validation, self.device)
        metrics = classification_metrics(self.validation.labels, probability(logits, 1.0))
        return {"accuracy": metrics["accuracy"], "log_loss": metrics["log_loss"]}

    def layers(self, model: nn.Module) -> list[nn.Module]:
        """Embedding, LSTM layers and head."""
        assert isinstance(model, SentimentRNN)
        return [model.encoder.embedding, *model.encoder.layers, model.head]

    def carried(self) -> dict[str, Tensor]:
        """Nothing is carried from batch to batch."""
        return {}

    def carry(self, tensors: dict[str, Tensor]) -> None:
        """Nothing to restore."""


def build_objective(
    config: ClassifierConfig,
    train: EncodedReviews,
    validation: EncodedReviews,
    device: torch.device,
    unlabeled: EncodedReviews | None = None,
) -> SentimentObjective:
    """The objective of a classifier, from the settings of a run and its encoded reviews."""
    return SentimentObjective(
        train,
        validation,
        config.batch_tokens,
        config.run.seed,
        device,
        adversarial=config.adversarial,
        unlabeled=unlabeled,
        prefix_fraction=config.prefix_fraction,
        batch_reviews=config.batch_reviews,
    )


def cut_to_random_prefixes(reviews: Batch, share: float) -> Batch:
    """Cut off a random share of the reviews (0 to 1) after a random word; at least one word is kept.

    So the network learns to predict a review's label from its beginning: the running probability.
    """
    if not share:
        return reviews
    device = reviews.lengths.device
    drawn = 1 + (torch.rand(len(reviews), device=device) * reviews.lengths).long()
    is_cut = torch.rand(len(reviews), device=device) < share
    return replace(reviews, lengths=torch.where(is_cut, drawn.minimum(reviews.lengths), reviews.lengths))
