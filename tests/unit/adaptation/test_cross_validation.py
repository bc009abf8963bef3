import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment.adaptation.cross_validation import MANY, Change, compare, make_folds
from sentiment.errors import InputError


@given(count=st.integers(8, 300), copies=st.integers(1, 3), seed=st.integers(0, 9))
def test_each_review_is_predicted_once_and_never_beside_its_copies(count: int, copies: int, seed: int) -> None:
    units = np.arange(count) // copies
    labels = np.random.default_rng(seed).permutation(np.arange(units.max() + 1) % 2)[units]
    if min(len(set(units[labels == label])) for label in (0, 1)) < 4:
        return
    folds = make_folds(labels, units)
    assert np.sort(np.concatenate([fold.held_out for fold in folds])).tolist() == list(range(count))
    for fold in folds:
        assert not set(units[fold.train]) & set(units[fold.held_out])
        assert len(fold.train) + len(fold.held_out) == count


def test_more_reviews_need_fewer_folds() -> None:
    def folds(count: int) -> int:
        return len(make_folds(np.arange(count) % 2, np.arange(count)))

    assert [folds(count) for count in (200, 202, 500, 502, MANY - 2, MANY)] == [10, 5, 5, 3, 3, 1]


def test_a_single_fold_holds_a_tenth_out() -> None:
    (fold,) = make_folds(np.arange(MANY) % 2, np.arange(MANY))
    assert len(fold.held_out) == MANY // 10 and len(fold.train) == MANY - MANY // 10


def test_too_few_different_reviews_are_refused() -> None:
    with pytest.raises(InputError, match="3 negative and 4 positive; give at least 4 of each"):
        make_folds(np.array([0, 0, 0, 0, 1, 1, 1, 1]), np.array([0, 0, 1, 2, 3, 4, 5, 6]))


def test_a_gain_is_clear_if_it_is_more_than_chance() -> None:
    def change(gain: float, reviews: int) -> Change:
        return Change("head", 0.8, (0.7, 0.9), 0.4, gain, 0.01, reviews)

    assert change(0.015, 1000).clear and not change(0.005, 1000).clear
    assert not change(0.015, 16).clear and change(0.025, 16).clear
    assert not change(0.0, 1000).clear


def test_changes_are_compared_with_the_first() -> None:
    labels = np.array([0, 1, 1, 0])
    sure, unsure = np.array([-2.0, 2.0, 2.0, -2.0]), np.array([-1.0, 1.0, -1.0, -1.0])
    first, second = compare({"nothing": unsure, "head": sure}, labels)
    assert (first.name, first.accuracy, first.gain, first.gain_error) == ("nothing", 0.75, 0.0, 0.0)
    losses = np.log1p(np.exp([-1.0, -1.0, 1.0, -1.0])), np.log1p(np.exp([-2.0] * 4))
    assert first.log_loss == pytest.approx(losses[0].mean()) and second.log_loss == pytest.approx(losses[1].mean())
    assert second.gain == pytest.approx(losses[0].mean() - losses[1].mean()) and second.accuracy == 1.0
