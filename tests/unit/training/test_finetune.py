"""Supervised training: its batches, and what is said of a model that has learned nothing."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sentiment.config import ModelConfig, OptimizationConfig, RunConfig, TrainConfig
from sentiment.data.batching import Batch, EncodedReviews
from sentiment.data.splitting import Parts
from sentiment.training.finetune import train_on
from sentiment.training.hardware import Hardware
from sentiment.training.objective import SentimentObjective, cut_to_random_prefixes


def batch(lengths: list[int]) -> Batch:
    ids = torch.arange(len(lengths) * 50).reshape(len(lengths), 50)
    return Batch(ids, torch.tensor(lengths, dtype=torch.int64), torch.arange(len(lengths)) % 2)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=40), st.floats(0, 1), st.integers(0, 2**32))
def test_a_cut_review_keeps_at_least_one_word(lengths: list[int], share: float, seed: int) -> None:
    torch.manual_seed(seed)
    whole = batch(lengths)
    found = cut_to_random_prefixes(whole, share)
    assert found.input_ids is whole.input_ids and found.labels is whole.labels
    assert bool((found.lengths <= whole.lengths).all())
    assert bool((found.lengths >= whole.lengths.clamp(max=1)).all())


def test_the_share_of_cut_reviews_and_their_lengths() -> None:
    torch.manual_seed(0)
    found = cut_to_random_prefixes(batch([50] * 20_000), 0.3).lengths
    assert abs(float((found < 50).float().mean()) - 0.3 * 49 / 50) < 0.02
    assert set(found.tolist()) == set(range(1, 51))


def test_a_share_of_zero_cuts_nothing() -> None:
    whole = batch([3, 4])
    assert cut_to_random_prefixes(whole, 0.0) is whole


def test_the_network_reads_the_cut_reviews() -> None:
    class Recorder(torch.nn.Module):
        def forward(self, input_ids: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
            self.lengths = lengths
            return torch.zeros(len(lengths))

    reviews = EncodedReviews([[5] * 40] * 8, [0, 1] * 4)
    for share, expected in ((0.0, False), (1.0, True)):
        torch.manual_seed(0)
        objective = SentimentObjective(reviews, reviews, 1000, 1, torch.device("cpu"), prefix_fraction=share)
        objective.start_epoch(0)
        recorder = Recorder()
        objective.loss(recorder, 0, slice(0, 8))
        assert bool((recorder.lengths < 40).any()) is expected


def test_batch_reviews_limits_the_batches_of_short_texts() -> None:
    reviews = EncodedReviews([[5] * 8] * 640, [0, 1] * 320)
    for limit, steps in ((0, 1), (64, 10)):
        objective = SentimentObjective(
            reviews, reviews, 8192, 1, torch.device("cpu"), unlabeled=reviews, batch_reviews=limit
        )
        assert objective.start_epoch(0) == [8 * 640 // steps] * steps
        assert objective.size(0) == 640 // steps


@pytest.mark.parametrize(("rate", "warned"), [(1e-9, True), (0.05, False)])
def test_a_model_that_has_learned_nothing_ends_with_a_warning(
    rate: float, warned: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    reviews, labels = ["a warm film", "a cold film"] * 40, np.tile([1.0, 0.0], 40)
    config = TrainConfig(
        run=RunConfig(output_dir=str(tmp_path / "run"), device="cpu", precision="fp32", threads=1),
        model=ModelConfig(embedding_dim=4, hidden_dim=4, dropout=0.0, embedding_dropout=0.0, head_dropout=0.0),
        optimization=OptimizationConfig(epochs=6, learning_rate=rate),
        batch_tokens=64,
    )
    parts = Parts(reviews, labels, reviews[:20], labels[:20])
    train_on(config, Hardware.choose("cpu", "fp32"), parts, [], None)
    assert ("the model has learned nothing: it is right on 50.0%" in caplog.text) is warned
