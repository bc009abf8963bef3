"""Changes of the upper layers, with the tiny model."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tqdm import tqdm

from sentiment.adaptation.cross_validation import Fold, make_folds
from sentiment.adaptation.layers import LayersChange, Training, named, network_file
from sentiment.config import AdaptConfig, OptimizationConfig, RunConfig
from sentiment.data.batching import EncodedReviews
from sentiment.inference.torch_network import predict_logits
from sentiment.io.signals import Stopped
from sentiment.models.surgery import EMBEDDING
from sentiment.persistence.checkpoint import Checkpoint
from sentiment.training import trainer
from sentiment.training.hardware import Hardware

EPOCHS = 3
COUNT = 24


@pytest.fixture
def shared(tiny_checkpoint: Checkpoint, tmp_path: Path) -> Training:
    """Reviews of the words 5 to 9 and 12 to 16, by label."""
    random = np.random.default_rng(0)
    reviews = [random.integers(5 + 7 * (row % 2), 10 + 7 * (row % 2), random.integers(2, 9)) for row in range(COUNT)]
    config = AdaptConfig(
        run=RunConfig(str(tmp_path / "model"), device="cpu"),
        optimization=OptimizationConfig(epochs=EPOCHS, learning_rate=0.1, layer_decay=0.6),
        batch_reviews=4,
    )
    nothing = EncodedReviews([])
    encoded = EncodedReviews(reviews, np.arange(COUNT) % 2)
    hardware, bar = Hardware.choose("cpu", "fp32"), tqdm(disable=True)
    return Training(tiny_checkpoint, encoded, nothing, nothing, config, hardware, tmp_path / "state", bar)


@pytest.fixture
def folds(shared: Training) -> list[Fold]:
    return make_folds(shared.reviews.labels.astype(int), np.arange(COUNT))


def changed_names(before: Checkpoint, after: Checkpoint) -> set[str]:
    return {name for name, tensor in after.weights.items() if not torch.equal(tensor, before.weights[name])}


def test_the_lower_layers_stay(shared: Training, folds: list[Fold]) -> None:
    found = LayersChange("last", 2, shared).changed(folds)
    assert found.weights.keys() == shared.start.weights.keys()
    changed = changed_names(shared.start, found)
    assert changed and all(name.startswith(("head.", "encoder.layers.1.")) for name in changed)


def test_words_that_are_in_no_review_keep_their_vectors(shared: Training, folds: list[Fold]) -> None:
    found = LayersChange("all", None, shared).changed(folds)
    assert any(name.startswith("encoder.layers.0.") for name in changed_names(shared.start, found))
    before, after = shared.start.weights[EMBEDDING], found.weights[EMBEDDING]
    moved = set(torch.nonzero((before != after).any(dim=1)).flatten().tolist())
    used = {int(word) for row in range(COUNT) for word in shared.reviews[row]}
    assert moved == used


def test_reviews_are_answered_by_networks_that_have_not_seen_them(shared: Training, folds: list[Fold]) -> None:
    change = LayersChange("all", None, shared)
    logits = change.out_of_fold(folds[1:])
    assert np.isnan(logits[folds[0].held_out]).all() and np.isfinite(np.delete(logits, folds[0].held_out)).all()
    told = np.where(shared.reviews.labels == 1, logits, -logits)[~np.isnan(logits)]
    assert (told > 0).mean() > 0.9  # these reviews are easy


def test_the_epoch_of_the_lowest_log_loss_counts(shared: Training, folds: list[Fold]) -> None:
    """With a rate as high as this, the first epoch is not the worst of all."""
    config = replace(shared.config, optimization=replace(shared.config.optimization, learning_rate=0.5))
    wild = LayersChange("wild", None, replace(shared, config=config))
    logits = wild.out_of_fold(folds)
    signs, losses = np.where(shared.reviews.labels == 1, -1, 1), []
    for epoch in range(EPOCHS):
        answers = np.zeros(COUNT)
        for number, fold in enumerate(folds):
            answers[fold.held_out] = np.load(wild.directory / f"fold-{number}" / f"answers-{epoch}.npy")
        losses.append(np.logaddexp(0, signs * answers).mean())
    assert wild.epoch == int(np.argmin(losses)) and np.logaddexp(0, signs * logits).mean() == min(losses)


def test_a_stopped_change_goes_on_bit_for_bit(
    shared: Training, folds: list[Fold], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = LayersChange("whole", None, shared)
    expected = whole.out_of_fold(folds)
    stopped = LayersChange("stopped", None, shared)
    requests = iter([0] * 40 + [2] * 1000)
    monkeypatch.setattr(trainer, "stop_requested", lambda: next(requests))
    with pytest.raises(Stopped, match="--resume"):
        stopped.out_of_fold(folds)
    monkeypatch.undo()
    assert list((stopped.directory).glob("*/state/step-*.safetensors"))
    again = LayersChange("stopped", None, shared)
    assert 0 < again.tokens(named(folds)) < LayersChange("new", None, shared).tokens(named(folds))
    np.testing.assert_array_equal(again.out_of_fold(folds), expected)


def test_what_is_done_is_not_done_again(shared: Training, folds: list[Fold]) -> None:
    change = LayersChange("all", None, shared)
    first = change.out_of_fold(folds)
    times = [network_file(change.directory / f"fold-{n}", EPOCHS - 1).stat().st_mtime_ns for n in range(len(folds))]
    np.testing.assert_array_equal(LayersChange("all", None, shared).out_of_fold(folds), first)
    assert times == [
        network_file(change.directory / f"fold-{n}", EPOCHS - 1).stat().st_mtime_ns for n in range(len(folds))
    ]


def test_unlabeled_reviews_teach_what_the_teacher_says_of_them(shared: Training, folds: list[Fold]) -> None:
    """Half of the unlabeled reviews add a word that the labeled ones lack; its vector moves."""
    new = 20
    unlabeled = EncodedReviews([[5, 6, new], [12, 13]] * 6)
    shared = replace(shared, unlabeled=unlabeled)
    teacher = LayersChange("all", None, shared)
    student = LayersChange("unlabeled", None, shared, teacher)
    taught = student.changed(folds)
    before, after = shared.start.weights[EMBEDDING], taught.weights[EMBEDDING]
    assert not torch.equal(before[new], after[new])
    assert torch.equal(teacher.changed(folds).weights[EMBEDDING][new], before[new])


def test_texts_about_movies_hold_what_the_network_says_of_them(shared: Training, folds: list[Fold]) -> None:
    """Words of positive reviews stand in these texts, which are to stay negative."""
    texts = EncodedReviews([[14, 25, 26, 13], [12, 26, 25], [16, 15, 25, 26]] * 4, np.zeros(12))

    def answers(movies: EncodedReviews, name: str) -> np.ndarray:
        found = LayersChange(name, None, replace(shared, movies=movies)).changed(folds).build()
        return predict_logits(found, texts, torch.device("cpu"))

    assert answers(texts, "kept").mean() < answers(EncodedReviews([]), "lost").mean() - 0.5
