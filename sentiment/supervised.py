"""Supervised training: labelled reviews in, a model directory out."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from sentiment.adversarial import adversarial_loss, virtual_adversarial_loss
from sentiment.batching import Batch, EncodedReviews, shuffled_batches
from sentiment.calibration import fit as fit_calibration
from sentiment.card import model_card
from sentiment.checkpoint import Checkpoint, save_checkpoint
from sentiment.config import AdversarialConfig, DistilConfig, TrainConfig
from sentiment.data import Parts, read_parts, read_unlabelled
from sentiment.decision import probability
from sentiment.evaluation import classification_metrics
from sentiment.hardware import Hardware
from sentiment.inference import predict_logits
from sentiment.model import SentimentRNN
from sentiment.run_directory import open_run
from sentiment.sizes import build
from sentiment.start import load_start, read_start
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
        adversarial: training against the worst shift of the word vectors.
        unlabelled: reviews whose answers are to hold under such a shift.
        beginnings: share of the labelled reviews that are read up to a random word only.
        batch_reviews: reviews per batch at most; 0 sets no limit.
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
        *,
        adversarial: AdversarialConfig = AdversarialConfig(),  # noqa: B008  # frozen
        unlabelled: EncodedReviews | None = None,
        beginnings: float = 0.0,
        batch_reviews: int = 0,
    ) -> None:
        self.train, self.validation, self.unlabelled = train, validation, unlabelled
        self.batch_tokens, self.seed, self.device, self.adversarial = batch_tokens, seed, device, adversarial
        self.beginnings, self.batch_reviews = beginnings, batch_reviews
        self._batches: list[np.ndarray] = []
        self._unlabelled_batches: list[np.ndarray] = []
        self.validation_logits = np.zeros(len(validation), np.float32)
        """Of the network that was validated last; what its calibration is fitted on."""

    def start_epoch(self, epoch: int) -> Sequence[int]:
        """Shuffle; tokens of each batch."""
        self._batches = self._shuffled(self.train, epoch)
        if self.unlabelled is not None:
            self._unlabelled_batches = self._shuffled(self.unlabelled, epoch)
        return [int(self.train.lengths[rows].sum()) for rows in self._batches]

    def _shuffled(self, reviews: EncodedReviews, epoch: int) -> list[np.ndarray]:
        return shuffled_batches(reviews.lengths, self.batch_tokens, self.seed, epoch, self.batch_reviews)

    def size(self, batch: int) -> int:
        """Reviews in a batch."""
        return len(self._batches[batch])

    def loss(self, model: nn.Module, batch: int, rows: slice) -> Tensor:
        """Binary cross-entropy in nats, summed over the rows and divided by the reviews of the whole batch.

        With adversarial training it is the plain and the adversarial loss; the plain one's gradient is then already
        in the parameters. An unlabelled batch, where there are any, comes with each labelled one.
        """
        reviews = some_unfinished(self.train.batch(self._batches[batch][rows]).to(self.device), self.beginnings)
        share = len(reviews) / self.size(batch)
        if self.adversarial.weight:
            loss = adversarial_loss(model, reviews, self.adversarial, share)
        else:
            logits = model(reviews.input_ids, reviews.lengths)
            loss = share * F.binary_cross_entropy_with_logits(logits, reviews.labels)
        if self.unlabelled is None:
            return loss
        beside = self._unlabelled_batches[batch % len(self._unlabelled_batches)]
        part = beside[len(beside) * rows.start // self.size(batch) : len(beside) * rows.stop // self.size(batch)]
        if not len(part):
            return loss
        unlabelled = self.unlabelled.batch(part).to(self.device)
        return loss + len(part) / len(beside) * virtual_adversarial_loss(model, unlabelled, self.adversarial)

    def commit(self) -> None:
        """Nothing passes from batch to batch."""

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Accuracy and log loss of the validation part."""
        self.validation_logits = logits = predict_logits(model, self.validation, self.device)
        metrics = classification_metrics(self.validation.labels, probability(logits, 1.0))
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


def objective_of(
    config: TrainConfig | DistilConfig,
    train: EncodedReviews,
    validation: EncodedReviews,
    device: torch.device,
    unlabelled: EncodedReviews | None = None,
) -> SentimentObjective:
    """What a run's settings make of its reviews."""
    return SentimentObjective(
        train,
        validation,
        config.batch_tokens,
        config.run.seed,
        device,
        adversarial=config.adversarial,
        unlabelled=unlabelled,
        beginnings=config.beginnings,
        batch_reviews=config.batch_reviews,
    )


def some_unfinished(reviews: Batch, share: float) -> Batch:
    """The same reviews, a random share of them only up to a random word: at least one word, at most all.

    What a whole review says is then learnt as what its beginning makes likely: the running probability.
    """
    if not share:
        return reviews
    device = reviews.lengths.device
    drawn = 1 + (torch.rand(len(reviews), device=device) * reviews.lengths).long()
    unfinished = torch.rand(len(reviews), device=device) < share
    return replace(reviews, lengths=torch.where(unfinished, drawn.minimum(reviews.lengths), reviews.lengths))


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
    pretrained = None
    if config.pretrained is not None:
        pretrained = read_start(config.pretrained, config.model, config.text.direction)
    with hardware.accelerator.main_process_first():
        parts = read_parts(config.data)
        wanted = config.adversarial.wants_unlabelled
        unlabelled = read_unlabelled(config.data, config.unlabelled_split, parts) if wanted else []
    return train_on(config, hardware, parts, unlabelled, pretrained, resume)


def train_on(
    config: TrainConfig,
    hardware: Hardware,
    parts: Parts,
    unlabelled: list[str],
    pretrained: Checkpoint | None,
    resume: bool = False,
) -> list[dict[str, Any]]:
    """Train a classifier on reviews that are read already; `train` says the rest.

    Args:
        config: all settings; those under `data` are on record only.
        hardware: device and precision.
        parts: reviews with labels.
        unlabelled: tokenised reviews for virtual adversarial training and entropy minimisation, looked at if the
            settings want them.
        pretrained: language model or classifier to start from, whose vocabulary is taken; None builds one.
        resume: go on from the last saved state of the run directory.
    """
    if pretrained is None:
        words = map(str.split, parts.train)
        vocabulary = build_vocabulary(words, config.text.vocab_size, config.text.min_frequency)
    else:
        vocabulary = pretrained.text.vocabulary
    text = TextEncoder(vocabulary, config.text.max_length, config.text.keep, config.text.direction)
    train = EncodedReviews(map(text.encode_document, parts.train), parts.train_labels)
    beside = None
    if config.adversarial.wants_unlabelled:
        beside = EncodedReviews(map(text.encode_document, parts.train + unlabelled))
    with open_run(config, hardware, resume) as directory:
        return fit_classifier(config, hardware, directory, text, train, parts, pretrained, beside)


def fit_classifier(
    config: TrainConfig | DistilConfig,
    hardware: Hardware,
    directory: Path,
    text: TextEncoder,
    train: EncodedReviews,
    parts: Parts,
    pretrained: Checkpoint | None,
    unlabelled: EncodedReviews | None = None,
) -> list[dict[str, Any]]:
    """Train a network on encoded reviews; its best epoch, calibrated on the validation part, lies in directory/model.

    Args:
        config: settings of the network and its optimisation.
        hardware: device and precision.
        directory: of the run.
        text: how the validation part is read, and what is saved with the network.
        train: reviews with their targets, 0 to 1.
        parts: whose validation part chooses the epoch.
        pretrained: language model or classifier to start from (`load_start`).
        unlabelled: reviews for virtual adversarial training and entropy minimisation.

    Returns:
        The history, one row per epoch.
    """
    validation = EncodedReviews(map(text.encode_document, parts.validation), parts.validation_labels)
    device = hardware.accelerator.device
    objective = objective_of(config, train, validation, device, unlabelled)
    settings = {"vocab_size": len(text.vocabulary), **asdict(config.model)}
    torch.manual_seed(config.run.seed)
    model = build(SentimentRNN, settings)
    assert isinstance(model, SentimentRNN)
    if pretrained is not None:
        load_start(model, pretrained, text.direction)

    def keep_best(best: nn.Module, metrics: dict[str, Any]) -> None:
        calibration = fit_calibration(objective.validation_logits, validation.labels)
        probabilities = probability(objective.validation_logits, calibration["temperature"])
        figures = classification_metrics(validation.labels, probabilities)
        figures |= {"data": config.data.source, "split": "validation part of train", "training": asdict(config)}
        checkpoint = Checkpoint("sentiment-rnn", settings, text, best.state_dict(), calibration, figures)
        save_checkpoint(checkpoint.with_card(model_card(checkpoint)), directory / "model")

    return Trainer(model, objective, config.optimisation, config.run, hardware, keep_best).fit()
