"""Supervised training: labelled reviews in, a model directory out."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from sentiment.batching import Batch, EncodedReviews, shuffled_batches
from sentiment.calibration import fit as fit_calibration
from sentiment.card import model_card
from sentiment.checkpoint import KINDS, Checkpoint, load_checkpoint, save_checkpoint
from sentiment.config import AdversarialConfig, DistilConfig, TrainConfig
from sentiment.data import Parts, read_parts
from sentiment.errors import InputError
from sentiment.evaluation import classification_metrics
from sentiment.hardware import Hardware
from sentiment.inference import predict_logits
from sentiment.model import SentimentRNN, probability
from sentiment.run_directory import open_run
from sentiment.sizes import build
from sentiment.text import TextEncoder, build_vocabulary
from sentiment.training import Trainer


class SentimentObjective:
    """Binary cross-entropy on labelled reviews, as the `Trainer` sees it.

    Args:
        train: reviews with labels.
        validation: reviews held out.
        batch_tokens: tokens per batch, padding included.
        seed: of the order of reviews.
        device: where the batches go.
        adversarial: weight and size of the worst shift of the word vectors.
    """

    metric = "accuracy"
    higher_is_better = True

    def __init__(
        self,
        train: EncodedReviews,
        validation: EncodedReviews,
        batch_tokens: int,
        seed: int,
        device: torch.device,
        adversarial: AdversarialConfig = AdversarialConfig(),  # noqa: B008  # frozen
    ) -> None:
        self.train, self.validation = train, validation
        self.batch_tokens, self.seed, self.device, self.adversarial = batch_tokens, seed, device, adversarial
        self._batches: list[np.ndarray] = []
        self.validation_logits = np.zeros(len(validation), np.float32)
        """Of the network that was validated last; what its calibration is fitted on."""

    def start_epoch(self, epoch: int) -> Sequence[int]:
        """Shuffle; tokens of each batch."""
        self._batches = shuffled_batches(self.train.lengths, self.batch_tokens, self.seed, epoch)
        return [int(self.train.lengths[rows].sum()) for rows in self._batches]

    def size(self, batch: int) -> int:
        """Reviews in a batch."""
        return len(self._batches[batch])

    def loss(self, model: nn.Module, batch: int, rows: slice) -> Tensor:
        """Binary cross-entropy in nats, summed over the rows and divided by the reviews of the whole batch.

        With adversarial training it is the plain and the adversarial loss; the plain one's gradient is then already
        in the parameters.
        """
        reviews = self.train.batch(self._batches[batch][rows]).to(self.device)
        share = len(reviews) / self.size(batch)
        if self.adversarial.weight:
            return adversarial_loss(model, reviews, self.adversarial, share)
        return share * F.binary_cross_entropy_with_logits(model(reviews.input_ids, reviews.lengths), reviews.labels)

    def commit(self) -> None:
        """Nothing passes from batch to batch."""

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Accuracy and log loss of the validation part."""
        self.validation_logits = logits = predict_logits(model, self.validation, self.device)
        metrics = classification_metrics(self.validation.labels, probability(torch.from_numpy(logits)).numpy())
        return {"accuracy": metrics["accuracy"], "log_loss": metrics["log_loss"]}

    def layers(self, model: nn.Module) -> list[nn.Module]:
        """Bottom to top."""
        assert isinstance(model, SentimentRNN)
        return [model.encoder.embedding, *model.encoder.layers, model.head]

    def carried(self) -> dict[str, Tensor]:
        """Nothing passes from batch to batch."""
        return {}

    def carry(self, tensors: dict[str, Tensor]) -> None:
        """Nothing to take back."""


def adversarial_loss(model: nn.Module, batch: Batch, config: AdversarialConfig, share: float = 1.0) -> Tensor:
    """Loss of a batch plus its weighted loss under the shift of the word vectors that hurts most; both times `share`.

    The shift is the plain loss's gradient with respect to the word vectors, scaled per review to an L2 norm of
    `config.epsilon` standard deviations of the embedding's entries (Miyato et al. 2017, eq. 4).

    One backward pass gives that gradient and the plain loss's gradient of the parameters, which stays there; the
    returned loss adds the adversarial one's.
    """
    embedding = next(module for module in model.modules() if isinstance(module, nn.Embedding))
    shape = (*batch.input_ids.shape, embedding.embedding_dim)
    shift = torch.zeros(shape, device=batch.input_ids.device, requires_grad=True)

    def loss_under(shift: Tensor) -> Tensor:
        return share * F.binary_cross_entropy_with_logits(model(batch.input_ids, batch.lengths, shift), batch.labels)

    plain = loss_under(shift)
    plain.backward()
    assert shift.grad is not None
    norms = shift.grad.flatten(1).norm(dim=1).clamp(min=1e-12)[:, None, None]
    worst = shift.grad / norms * (config.epsilon * embedding.weight.detach().std())
    return plain.detach() + config.weight * loss_under(worst)


def train(config: TrainConfig, resume: bool = False) -> list[dict[str, Any]]:
    """Train a classifier; its best epoch lies in `run.output_dir/model` afterwards.

    Args:
        config: all settings.
        resume: go on from the last saved state of the run directory.

    Returns:
        The history, one row per epoch.

    Raises:
        InputError: for settings, reviews or a run directory that cannot be used.
        RunError: if the work fails on the way.
        Stopped: after SIGINT or SIGTERM, with the state saved.
    """
    hardware = Hardware.choose(config.run.device, config.run.precision)
    pretrained = None if config.pretrained is None else load_checkpoint(Path(config.pretrained), *KINDS)
    with hardware.accelerator.main_process_first():
        parts = read_parts(config.data)
    if pretrained is None:
        words = map(str.split, parts.train)
        vocabulary = build_vocabulary(words, config.text.vocab_size, config.text.min_frequency)
    else:
        vocabulary = pretrained.text.vocabulary
    text = TextEncoder(vocabulary, config.text.max_length, config.text.keep, config.text.direction)
    train = EncodedReviews(map(text.encode, map(str.split, parts.train)), parts.train_labels)
    with open_run(config, hardware, resume) as directory:
        return fit_classifier(config, hardware, directory, text, train, parts, pretrained)


def fit_classifier(
    config: TrainConfig | DistilConfig,
    hardware: Hardware,
    directory: Path,
    text: TextEncoder,
    train: EncodedReviews,
    parts: Parts,
    pretrained: Checkpoint | None,
) -> list[dict[str, Any]]:
    """Train a network on encoded reviews; its best epoch, calibrated on the validation part, lies in directory/model.

    Args:
        config: settings of the network and its optimisation.
        hardware: device and precision.
        directory: of the run.
        text: how the validation part is read, and what is saved with the network.
        train: reviews with their targets, 0 to 1.
        parts: whose validation part chooses the epoch.
        pretrained: language model whose encoder, or classifier whose every weight, is the start.

    Returns:
        The history, one row per epoch.
    """
    validation = EncodedReviews(map(text.encode, map(str.split, parts.validation)), parts.validation_labels)
    device = hardware.accelerator.device
    objective = SentimentObjective(train, validation, config.batch_tokens, config.run.seed, device, config.adversarial)
    settings = {"vocab_size": len(text.vocabulary), **asdict(config.model)}
    torch.manual_seed(config.run.seed)
    model = build(SentimentRNN, settings)
    assert isinstance(model, SentimentRNN)
    if pretrained is not None:
        load_start(model, pretrained)

    def keep_best(best: nn.Module, metrics: dict[str, Any]) -> None:
        calibration = fit_calibration(objective.validation_logits, validation.labels)
        probabilities = probability(torch.from_numpy(objective.validation_logits), calibration["temperature"])
        figures = classification_metrics(validation.labels, probabilities.numpy())
        figures |= {"data": config.data.source, "split": "validation part of train", "training": asdict(config)}
        checkpoint = Checkpoint("sentiment-rnn", settings, text, best.state_dict(), calibration, figures)
        save_checkpoint(checkpoint.with_card(model_card(checkpoint)), directory / "model")

    return Trainer(model, objective, config.optimisation, config.run, hardware, keep_best).fit()


def load_start(model: SentimentRNN, pretrained: Checkpoint) -> None:
    """Take embedding and LSTM layers from a language model, or all weights from a classifier.

    Raises:
        InputError: if its shapes differ from the classifier's.
    """
    part: nn.Module = model if pretrained.kind == "sentiment-rnn" else model.encoder
    prefix = "" if part is model else "encoder."
    weights = {
        name.removeprefix(prefix): tensor for name, tensor in pretrained.weights.items() if name.startswith(prefix)
    }
    expected = {name: list(tensor.shape) for name, tensor in part.state_dict().items()}
    found = {name: list(tensor.shape) for name, tensor in weights.items()}
    if expected != found:
        raise InputError(f"the pretrained network has shapes {found}, but the settings under `model` give {expected}.")
    part.load_state_dict(weights)
