"""Shapley values compared with their definition, an average over all orders."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment.explanation import shapley
from sentiment.explanation.shapley import shapley_values


def game(words: int, seed: int):
    """A function from masks to random numbers, the same for equal masks."""
    values = np.random.default_rng(seed).normal(size=2**words)
    return lambda masks: values[masks @ (1 << np.arange(words))]


@given(words=st.integers(1, 6), seed=st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_exact_values_are_the_mean_over_all_orders(words, seed):
    value, expected = game(words, seed), np.zeros(words)
    orders = list(permutations(range(words)))
    for order in orders:
        mask = np.zeros(words, bool)
        for word in order:
            before = value(mask[None])[0]
            mask[word] = True
            expected[word] += (value(mask[None])[0] - before) / len(orders)
    np.testing.assert_allclose(shapley_values(value, words), expected, atol=1e-9)


@given(words=st.integers(11, 45), seed=st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_sampled_values_are_exact_where_words_do_not_interact_and_always_sum_to_the_change(words, seed):
    effects = np.random.default_rng(seed).normal(size=words)
    np.testing.assert_allclose(shapley_values(lambda masks: masks @ effects, words), effects, atol=1e-9)

    def value(masks):
        return np.tanh(masks @ effects) + masks[:, 0] * masks[:, 1] + 3

    change = value(np.ones((1, words), bool)) - value(np.zeros((1, words), bool))
    assert shapley_values(value, words).sum() == pytest.approx(change[0])


def test_sampled_values_come_close_to_exact_ones(monkeypatch):
    effects = np.random.default_rng(0).normal(size=9)

    def value(masks):
        return np.tanh(masks @ effects) + masks[:, 2] * masks[:, 5]

    exact = shapley_values(value, 9)
    monkeypatch.setattr(shapley, "EXACT", 0)
    np.testing.assert_allclose(shapley_values(value, 9), exact, atol=0.1)


@pytest.mark.parametrize("words", [11, 25, 40, 60])
def test_a_longer_text_is_read_in_fewer_orders(words):
    read = []
    shapley_values(lambda masks: read.append(masks.sum()) or masks.sum(1), words)
    assert sum(read) < 1.5 * max(shapley.WORDS_READ, shapley.ORDERS[0] * words**2 / 2)
