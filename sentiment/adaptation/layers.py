"""Changes of the upper layers of a network, trained on other reviews by the `Trainer`.

Each fold is trained for all epochs, and after each its network answers the held-out reviews. The epoch at which these
answers have the lowest log loss, over all folds, is the one whose network counts, also in the training on all reviews.
Of the word vectors, only those of words in the reviews are trained.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from sentiment.adaptation.cross_validation import MANY, Fold
from sentiment.config import AdaptConfig
from sentiment.data.batching import EncodedReviews
from sentiment.inference.postprocessing import probability
from sentiment.inference.torch_network import predict_logits
from sentiment.io.files import atomic_file
from sentiment.models.lstm import SentimentRNN
from sentiment.models.surgery import EMBEDDING, with_words
from sentiment.persistence.checkpoint import Checkpoint
from sentiment.text.vocabulary import SPECIALS
from sentiment.training.hardware import Hardware
from sentiment.training.objective import SentimentObjective
from sentiment.training.trainer import Trainer


class LayersObjective(SentimentObjective):
    """The objective of a classifier whose lower layers stay; writes the network and its answers after each epoch.

    Args:
        train: reviews to learn, with their targets.
        rest: held-out reviews; may be empty.
        depth: number of layers that are trained, from the top; head and embedding are layers, too. None for all.
        config: batches and seed.
        device: device of the batches.
        directory: for the files.
    """

    def __init__(
        self,
        train: EncodedReviews,
        rest: EncodedReviews,
        depth: int | None,
        config: AdaptConfig,
        device: torch.device,
        directory: Path,
    ) -> None:
        super().__init__(train, rest, config.batch_tokens, config.run.seed, device, batch_reviews=config.batch_reviews)
        self.depth, self.directory, self.epoch = depth, directory, 0

    def start_epoch(self, epoch: int) -> Sequence[int]:
        """Shuffle the reviews; returns the number of tokens of each batch."""
        self.epoch = epoch
        return super().start_epoch(epoch)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Accuracy and log loss (nats) on the held-out reviews; without such, both are 0."""
        metrics = super().validate(model) if len(self.validation) else {"accuracy": 0.0, "log_loss": 0.0}
        with atomic_file(answers_file(self.directory, self.epoch)) as temporary, temporary.open("wb") as file:
            np.save(file, self.validation_logits)
        with atomic_file(network_file(self.directory, self.epoch)) as temporary:
            save_file({name: tensor.cpu().contiguous() for name, tensor in model.state_dict().items()}, temporary)
        return metrics

    def layers(self, model: nn.Module) -> list[nn.Module]:
        """The layers that are trained, from bottom to top."""
        layers = super().layers(model)
        return layers if self.depth is None else layers[-self.depth :]


def named(folds: Sequence[Fold]) -> dict[str, Fold]:
    """The folds by the names of their directories."""
    return {f"fold-{number}": fold for number, fold in enumerate(folds)}


def answers_file(directory: Path, epoch: int) -> Path:
    """File of the answers after an epoch: logits of the held-out reviews."""
    return directory / f"answers-{epoch}.npy"


def network_file(directory: Path, epoch: int) -> Path:
    """File of the network after an epoch."""
    return directory / f"network-{epoch}.safetensors"


@dataclass(frozen=True)
class Training:
    """What all changes of layers share."""

    start: Checkpoint
    """The model."""
    reviews: EncodedReviews
    """n reviews with their labels."""
    movies: EncodedReviews
    """Texts with the model's own answers, to practice on meanwhile; may be empty."""
    unlabeled: EncodedReviews
    """Unlabeled reviews of the same kind; may be empty."""
    config: AdaptConfig
    hardware: Hardware
    directory: Path
    """For states and results."""
    bar: Any
    """Bar of tqdm that counts the tokens of all changes."""


class LayersChange:
    """A change of the upper layers.

    Args:
        name: of its directory.
        depth: number of layers that are trained, from the top; None for all.
        shared: what all such changes share.
        teacher: a change whose networks answer the unlabeled reviews; this one learns the answers, too.
    """

    def __init__(self, name: str, depth: int | None, shared: Training, teacher: "LayersChange | None" = None) -> None:
        self.depth, self.shared, self.teacher = depth, shared, teacher
        self.directory, self.epochs = shared.directory / name, shared.config.optimization.epochs
        self.epoch = self.epochs - 1
        """The epoch whose network counts; it is chosen by `out_of_fold`."""
        texts = (shared.reviews, shared.movies, shared.unlabeled)
        ids = [one[row] for one in texts for row in range(len(one))]
        self.words = np.unique(np.concatenate([np.arange(len(SPECIALS)), *ids]))
        """Ids of the words whose vectors are trained."""

    def tokens(self, folds: Mapping[str, Fold]) -> int:
        """Number of tokens that training on these folds takes, without those that are done."""
        shared = self.shared
        more = int(shared.movies.lengths.sum()) + (int(shared.unlabeled.lengths.sum()) if self.teacher else 0)
        todo = [fold for name, fold in folds.items() if not self._is_done(name)]
        return self.epochs * sum(int(shared.reviews.lengths[fold.train].sum()) + more for fold in todo)

    def out_of_fold(self, folds: Sequence[Fold]) -> np.ndarray:
        """Logits [n] of reviews that the network was not trained on; NaN for those that no fold predicts."""
        labels = self.shared.reviews.labels
        logits = np.full((self.epochs, len(labels)), np.nan)
        for name, fold in named(folds).items():
            place = self._trained(name, fold)
            for epoch in range(self.epochs):
                logits[epoch, fold.held_out] = np.load(answers_file(place, epoch))
        tested = ~np.isnan(logits[0])
        losses = np.logaddexp(0, (np.where(labels == 1, -1, 1) * logits)[:, tested]).mean(axis=1)
        self.epoch = int(losses.argmin())
        found: np.ndarray = logits[self.epoch]
        return found

    def tokens_of_last(self, folds: Sequence[Fold]) -> int:
        """Number of tokens that `changed` still takes."""
        teacher = self.teacher.tokens_of_last(folds) if self.teacher is not None else 0
        return self.tokens(self.last(folds)) + teacher

    def last(self, folds: Sequence[Fold]) -> dict[str, Fold]:
        """The fold whose network `changed` returns, by name: all reviews, or a single fold."""
        everything = Fold(np.arange(len(self.shared.reviews)), np.zeros(0, dtype=np.int64))
        return named(folds) if len(folds) == 1 else {"all": everything}

    def changed(self, folds: Sequence[Fold]) -> Checkpoint:
        """The model that is trained on all reviews; if there is a single fold, that on its nine tenths of them."""
        (name, fold), *_ = self.last(folds).items()
        place = self._trained(name, fold)
        learned, start = load_file(network_file(place, self.epoch)), self.shared.start
        vectors = start.weights[EMBEDDING].detach().float().cpu().clone()
        vectors[torch.from_numpy(self.words)] = learned[EMBEDDING]
        return replace(start, weights=learned | {EMBEDDING: vectors})

    def _trained(self, name: str, fold: Fold) -> Path:
        """Train on the rows of a fold, if that is not done; returns the directory with the results."""
        shared, place = self.shared, self.directory / name
        if self._is_done(name):
            return place
        parts = [self._own_words(shared.reviews.rows(fold.train)), self._own_words(shared.movies)]
        if self.teacher is not None:
            parts.append(self.teacher._answered(name, fold))
        rest, device = self._own_words(shared.reviews.rows(fold.held_out)), shared.hardware.accelerator.device
        objective = LayersObjective(EncodedReviews.joined(parts), rest, self.depth, shared.config, device, place)
        model = self._network()
        model.requires_grad_(False)
        for layer in objective.layers(model):
            layer.requires_grad_(True)
        run = replace(shared.config.run, output_dir=str(place))
        # the files of all epochs are kept
        trainer = Trainer(
            model, objective, shared.config.optimization, run, shared.hardware, lambda *_: None, shared.bar
        )
        trainer.fit()
        return place

    def _is_done(self, name: str) -> bool:
        return network_file(self.directory / name, self.epochs - 1).exists()

    def _answered(self, name: str, fold: Fold) -> EncodedReviews:
        """The unlabeled reviews, as the network of a fold answers them."""
        place = self._trained(name, fold)
        model, device = self._network(), self.shared.hardware.accelerator.device
        model.load_state_dict(load_file(network_file(place, self.epoch)))
        reviews = self._own_words(self.shared.unlabeled)
        return reviews.labeled(probability(predict_logits(model.eval().to(device), reviews, device), 1.0))

    def _network(self) -> SentimentRNN:
        """A copy of the model that knows only the words of the reviews."""
        start = self.shared.start
        weights, settings = with_words(
            start.weights, start.model_settings, start.weights[EMBEDDING][torch.from_numpy(self.words)]
        )
        model = replace(start, weights=weights, model_settings=settings).build()
        assert isinstance(model, SentimentRNN)
        return model

    def _own_words(self, reviews: EncodedReviews) -> EncodedReviews:
        """The same reviews, with the ids of `_network`."""
        return reviews.renumbered(self.words)


def layers_changes(shared: Training) -> dict[str, LayersChange]:
    """{name: change} of the layers, from the one that changes least; many reviews justify that all change."""
    everything = LayersChange("all", None, shared)
    changes = {} if len(shared.reviews) >= MANY else {"head and last layer": LayersChange("last", 2, shared)}
    changes["all layers"] = everything
    if len(shared.unlabeled):
        changes["all layers, unlabeled"] = LayersChange("unlabeled", None, shared, everything)
    return changes
