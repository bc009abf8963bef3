"""The ways that the benchmark of prediction compares compute the same thing, and floors are counted right."""

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks.early_stopping import choose_bound, early_logits
from benchmarks.folded_lstm import FoldedRNN
from benchmarks.limits import distance, work_of
from benchmarks.prediction import Row, table
from benchmarks.prediction_ways import plain_batches, sorted_batches
from benchmarks.text_by_patterns import tokens_by_patterns
from sentiment.batching import EncodedReviews
from sentiment.model import POOLINGS, SentimentRNN
from sentiment.prediction_network import PredictionNetwork
from sentiment.text import normalise, tokenise


@pytest.fixture
def reviews() -> EncodedReviews:
    generator = np.random.default_rng(0)
    return EncodedReviews([generator.integers(2, 30, length) for length in (150, 3, 0, 64, 65, 128, 1)])


def model_of(pooling: str) -> SentimentRNN:
    torch.manual_seed(0)
    model = SentimentRNN(30, 5, 6, 2, pooling=pooling).eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.7)
    return model


@pytest.mark.parametrize("pooling", sorted(POOLINGS))
def test_all_ways_give_the_same_logits(pooling: str, reviews: EncodedReviews) -> None:
    model = model_of(pooling)
    expected = plain_batches(model, reviews)
    for only_first in (False, True):
        found = sorted_batches(FoldedRNN(model, torch.float32, only_first), reviews, 300)
        np.testing.assert_allclose(found, expected, atol=1e-4)
    found, share = early_logits(model, reviews, 300, float("inf"))
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert share == 1


def test_stopping_early_reads_less_and_gives_the_running_logit(reviews: EncodedReviews) -> None:
    model = model_of("last_max_mean")
    found, share = early_logits(model, reviews, 300, 0.0)
    first = EncodedReviews([reviews[row][:64] for row in range(len(reviews))])
    np.testing.assert_allclose(found, plain_batches(model, first), atol=1e-4)
    assert share == pytest.approx(first.lengths.sum() / reviews.lengths.sum())
    labels = (plain_batches(model, reviews) >= 0).astype(int)
    bound = choose_bound(PredictionNetwork(model, torch.float32), reviews, labels)
    assert ((early_logits(model, reviews, 300, bound)[0] >= 0) == (labels == 1)).all()


def test_patterns_give_the_same_words() -> None:
    for text in ("It isn’t <b>bad</b> &amp; N'T -- «so»…", "plain words, isn't it?"):
        assert tokens_by_patterns(text) == tokenise(normalise(text))


def test_floors() -> None:
    work = work_of(model_of("last"), tokens=10, bytes_a_number=2)
    assert work.flops == 10 * 2 * 4 * 6 * (5 + 6 + 6 + 6)
    assert work.bytes_moved == 10 * 2 * 2 * (5 + 6 + 6)
    by_products = distance("", work, 100.0, rate=10.0, bandwidth=1e9, seconds=[20.0])
    assert (by_products.floor, by_products.times, by_products.bound_by) == (10.0, 2.0, "products")
    by_memory = distance("", work, 100.0, rate=1e9, bandwidth=680.0, seconds=[4.0])
    assert (by_memory.bound_by, by_memory.share) == ("memory", 0.25)


def test_a_gain_is_within_its_round() -> None:
    rows = [Row("a", "a", [2.0, 4.0, 3.0]), Row("b", "a", [1.0, 1.0, 1.0], changed=2, changed_outside=1)]
    last = table(rows, 12).splitlines()[-1]
    assert "3.00 (2.00–4.00) | a" in last and "2 (1 not within 0.01 of one half)" in last
