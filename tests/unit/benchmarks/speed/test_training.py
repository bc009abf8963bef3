"""The loops that are measured side by side: each reads the same reviews, and each learns."""

from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.peers.tutorial_rnn import TutorialRNN
from benchmarks.speed.time_to_loss import PIECES, Course, PiecewiseObjective, our_course, tutorial_course
from benchmarks.speed.training import CONFIGS, OURS, TUTORIAL, loss_table, speed_table
from benchmarks.speed.training_job import (
    Epoch,
    Job,
    fixed_length,
    read_jobs,
    train_tutorial,
    tutorial_epoch,
    tutorial_log_loss,
)
from benchmarks.speed.training_variants import CHANGES, PackedSentimentRNN, Variant, new_trainer, train_variant
from sentiment.config import ModelConfig, OptimizationConfig, RunConfig, TrainConfig
from sentiment.data.batching import EncodedReviews
from sentiment.models.lstm import SentimentRNN
from sentiment.training.objective import SentimentObjective

VARIANTS = {OURS: Variant(), **CHANGES}


@pytest.fixture
def job() -> Job:
    generator = np.random.default_rng(0)
    ids = [generator.integers(3, 30, generator.integers(1, 12)) for _ in range(24)]
    reviews, fixed = EncodedReviews(ids, generator.integers(0, 2, 24)), fixed_length(ids)
    config = TrainConfig(
        run=RunConfig(device="cpu", precision="fp32"),
        model=ModelConfig(embedding_dim=6, hidden_dim=5, embedding_dropout=0.1),
        optimization=OptimizationConfig(learning_rate=0.01, ema_decay=0.9),
        batch_tokens=60,
    )
    return Job("tiny", config, 30, reviews, reviews, fixed, fixed)


@pytest.mark.parametrize("name", VARIANTS)
def test_each_variant_trains_on_every_review(job: Job, name: str, tmp_path: Path) -> None:
    measured = train_variant(job, VARIANTS[name])
    assert measured.tokens == job.train.lengths.sum() and 0 < measured.waited < measured.seconds
    trainer = new_trainer(job, VARIANTS[name], tmp_path, 1)
    before = {name: tensor.clone() for name, tensor in trainer.plain_model.state_dict().items()}
    trainer.fit()
    after = trainer.plain_model.state_dict()
    assert all(torch.isfinite(tensor).all() for tensor in after.values())
    for weight in ("encoder.embedding.weight", "encoder.layers.0.weight_hh_l0", "head.1.weight"):
        assert not torch.equal(before[weight], after[weight]), weight


def test_packed_sequences_give_the_same_answers() -> None:
    model = SentimentRNN(20, 6, 5, pooling="last_max_mean").eval()
    ids, lengths = torch.randint(3, 20, (4, 7)), torch.tensor([7, 1, 0, 4])
    with torch.no_grad():
        expected = model(ids, lengths)
        model.__class__ = PackedSentimentRNN
        assert torch.allclose(model(ids, lengths), expected, atol=1e-6)


def test_pieces_of_an_epoch_are_the_epoch(job: Job) -> None:
    whole = SentimentObjective(job.train, job.validation, 10, 1, torch.device("cpu"))
    pieces = PiecewiseObjective(job.train, job.validation, 10, 1, torch.device("cpu"))
    tokens = whole.start_epoch(1)
    assert [count for piece in range(PIECES, 2 * PIECES) for count in pieces.start_epoch(piece)] == tokens


@pytest.mark.parametrize("course_of", [our_course, tutorial_course])
def test_a_training_ends_at_the_goal_or_at_the_limit(job: Job, course_of: object) -> None:
    reached = course_of(job, 10.0, 60.0)  # type: ignore[operator]
    assert reached.reached and 0 < reached.loss < 10 and 0 < reached.seconds < 60
    missed = course_of(job, 0.0, 0.0)  # type: ignore[operator]
    assert not missed.reached and missed.loss > 0
    table = loss_table({"tiny": {OURS: Course(12.3, 0.45, True), TUTORIAL: Course(5, 0.6, False)}}, 0.5)
    assert f"| tiny, {OURS} | 12 (loss 0.450) |" in table and "| not in 5 (loss 0.600) |" in table


def test_jobs_hold_the_same_reviews_for_both_loops(reviews_file: Path) -> None:
    root = Path(__file__).parents[4]
    files = [root / file for file in CONFIGS]
    (drawn, _), (whole, _) = (read_jobs(str(reviews_file), files, count) for count in (10, None))
    assert len(drawn.train) == len(drawn.fixed) == 10 < len(whole.train) == len(whole.fixed)
    assert len(drawn.validation) == len(drawn.fixed_validation) == len(whole.validation)
    last = drawn.fixed[0][-int(drawn.train.lengths[0]) :]
    assert last.tolist() == drawn.train[0].tolist()


def test_the_tutorial_reads_the_first_200_words_padded_on_the_left() -> None:
    rows = fixed_length([[5, 6], list(range(300)), []])
    assert rows[0].tolist() == [1] * 198 + [5, 6]
    assert rows[1].tolist() == list(range(200)) and set(rows[2].tolist()) == {1}


def test_the_tutorial_learns(job: Job) -> None:
    measured = train_tutorial(job)
    assert 0 < measured.waited < measured.seconds and measured.tokens == job.train.lengths.sum()
    torch.manual_seed(0)
    words = [[3 + label] * 5 for label in (0, 1) for _ in range(100)]
    ids, labels = fixed_length(words), torch.tensor([0.0] * 100 + [1.0] * 100)
    network = TutorialRNN(10, 8, 8)
    before = tutorial_log_loss(network, ids, labels)
    steps = [step for _ in range(8) for step in tutorial_epoch(network, ids, labels)]
    assert len(steps) == 32 and all(0 < waited < seconds for seconds, waited in steps)
    assert tutorial_log_loss(network, ids, labels) < before - 0.02


def test_the_table_compares_round_by_round() -> None:
    epochs = {TUTORIAL: [Epoch(4, 0.4, 16_000)] * 2, OURS: [Epoch(1, 0.01, 20_000)] * 2}
    lines = speed_table(epochs | {"fp32": [Epoch(2, 0.01, 20_000)] * 2}).splitlines()[2:]
    assert lines == [
        f"| {TUTORIAL} | 4,000 | 10.0 | 1.00 |  |",
        f"| {OURS} | 20,000 | 1.00 | 5.00 | 1.00 |",
        "| fp32 | 10,000 | 0.500 | 2.50 | 2.00 |",
    ]
