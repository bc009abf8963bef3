"""The ways of training that are measured side by side: each reads the same reviews, and each learns."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate.state import AcceleratorState

from benchmarks import tutorial_training
from benchmarks.training import AS_CONFIGURED as WAY
from benchmarks.training import TUTORIAL, change_table, in_pieces, speed_table
from benchmarks.training_ways import AS_CONFIGURED, CHANGES, Job, PackedSentimentRNN, Pass, Way, new_trainer, train_once
from sentiment.batching import EncodedReviews
from sentiment.config import ModelConfig, OptimisationConfig, RunConfig, TrainConfig
from sentiment.model import SentimentRNN
from sentiment.supervised import SentimentObjective


@pytest.fixture(autouse=True)
def every_precision() -> Iterator[None]:
    yield
    AcceleratorState._reset_state(reset_partial_state=True)


@pytest.fixture
def job() -> Job:
    generator = np.random.default_rng(0)
    ids = [generator.integers(3, 30, generator.integers(1, 12)) for _ in range(24)]
    reviews = EncodedReviews(ids, generator.integers(0, 2, 24))
    config = TrainConfig(
        run=RunConfig(device="cpu", precision="fp32"),
        model=ModelConfig(embedding_dim=6, hidden_dim=5, embedding_dropout=0.1),
        optimisation=OptimisationConfig(learning_rate=0.01, ema_decay=0.9),
        batch_tokens=60,
    )
    return Job(config, 30, reviews, reviews)


@pytest.mark.parametrize("way", [AS_CONFIGURED, *CHANGES], ids=lambda way: way.name)
def test_each_way_trains_on_every_review(job: Job, way: Way, tmp_path: Path) -> None:
    measured = train_once(job, way)
    assert measured.reviews == 24 and measured.tokens == job.train.lengths.sum() <= measured.positions
    assert 0 < measured.waited < measured.seconds
    trainer = new_trainer(job, way, tmp_path, 1)
    before = {name: tensor.clone() for name, tensor in trainer.plain_model.state_dict().items()}
    trainer.fit()
    after = trainer.plain_model.state_dict()
    assert all(torch.isfinite(tensor).all() for tensor in after.values())
    for name in ("encoder.embedding.weight", "encoder.layers.0.weight_hh_l0", "head.1.weight"):
        assert not torch.equal(before[name], after[name]), name


def test_packed_sequences_give_the_same_answers() -> None:
    model = SentimentRNN(20, 6, 5, pooling="last_max_mean").eval()
    ids, lengths = torch.randint(3, 20, (4, 7)), torch.tensor([7, 1, 0, 4])
    with torch.no_grad():
        expected = model(ids, lengths)
        model.__class__ = PackedSentimentRNN
        assert torch.allclose(model(ids, lengths), expected, atol=1e-6)


def test_pieces_of_an_epoch_are_the_epoch(job: Job) -> None:
    whole = SentimentObjective(job.train, job.validation, 30, 1, torch.device("cpu"))
    parts = in_pieces(3)(job.train, job.validation, 30, 1, torch.device("cpu"))
    tokens = whole.start_epoch(1)
    assert [count for piece in range(3, 6) for count in parts.start_epoch(piece)] == tokens


def test_the_tutorial_reads_the_first_200_words_padded_on_the_left() -> None:
    rows = tutorial_training.fixed_length([[5, 6], list(range(300)), []])
    assert (
        rows[0].tolist() == [1] * 198 + [5, 6] and rows[1].tolist() == list(range(200)) and set(rows[2].tolist()) == {1}
    )


def test_the_tutorial_learns() -> None:
    torch.manual_seed(0)
    words = [[3 + label] * 5 for label in (0, 1) for _ in range(100)]
    ids, labels = tutorial_training.fixed_length(words), torch.tensor([0.0] * 100 + [1.0] * 100)
    network, cpu = tutorial_training.TutorialRNN(10, 8, 8), torch.device("cpu")
    before = tutorial_training.log_loss(network, ids, labels, cpu)
    steps = [step for _ in range(8) for step in tutorial_training.train(network, ids, labels, cpu)]
    assert [step.reviews for step in steps] == [50] * 32 and all(0 < step.waited < step.seconds for step in steps)
    assert tutorial_training.log_loss(network, ids, labels, cpu) < before - 0.02


def test_the_tables_compare_round_by_round() -> None:
    ours, theirs = [Pass(1, 0.01, 100, 20_000, 22_000)] * 2, [Pass(4, 0.4, 100, 16_000, 20_000)] * 2
    passes = {TUTORIAL: theirs, WAY.name: ours, "fp32": [Pass(2, 0.01, 100, 20_000, 22_000)] * 2}
    table = speed_table(passes)
    assert "| tutorial way | 25.0 | 4,000 | 5,000 | 10.0 |" in table
    assert "| times as fast, round by round | | 5.00 | 4.40 | |" in table
    assert "| fp32 | 10,000 | 2.00 |" in change_table(passes)
