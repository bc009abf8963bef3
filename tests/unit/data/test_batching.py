from itertools import chain

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sentiment.data.batching import EncodedReviews, length_batches, share, shuffled_batches
from sentiment.text.vocabulary import PADDING_ID

lengths_lists = st.lists(st.integers(0, 60), max_size=80).map(lambda values: np.array(values, dtype=np.int64))


@given(lengths_lists, st.integers(1, 200), st.integers(0, 20))
def test_every_review_is_in_one_batch_and_no_batch_is_too_large(
    lengths: np.ndarray, batch_tokens: int, batch_reviews: int
) -> None:
    shuffled = shuffled_batches(lengths, batch_tokens, seed=1, epoch=2, batch_reviews=batch_reviews)
    for batches in (length_batches(lengths, batch_tokens), shuffled):
        rows = np.concatenate([*batches, np.empty(0, int)])
        assert sorted(rows) == list(range(len(lengths)))
        for batch in batches:
            assert len(batch) == 1 or len(batch) * lengths[batch].max() <= batch_tokens
    assert not batch_reviews or all(len(batch) <= batch_reviews for batch in shuffled)


def test_a_limit_of_reviews_does_not_change_batches_of_long_reviews() -> None:
    short, long = np.full(640, 8), np.full(64, 400)
    lengths = np.concatenate([short, long])
    free, limited = (shuffled_batches(lengths, 8000, 1, 0, batch_reviews) for batch_reviews in (0, 64))
    assert sum(lengths[batch].max() == 8 for batch in free) == 1
    assert sum(lengths[batch].max() == 8 for batch in limited) == 10
    assert sum(lengths[batch].max() == 400 for batch in limited) == sum(lengths[batch].max() == 400 for batch in free)


def test_the_order_depends_only_on_seed_and_epoch() -> None:
    lengths = np.arange(1, 200)

    def order(seed: int, epoch: int) -> list[int]:
        return [int(row) for batch in shuffled_batches(lengths, 500, seed, epoch) for row in batch]

    assert order(1, 0) == order(1, 0)
    assert order(1, 0) != order(1, 1)
    assert order(1, 0) != order(2, 0)


def test_batches_contain_reviews_of_similar_length() -> None:
    lengths = np.random.default_rng(0).integers(10, 1000, 5000)
    batches = shuffled_batches(lengths, 8192, seed=1, epoch=0)
    padded = sum(len(batch) * lengths[batch].max() for batch in batches)
    assert padded < 1.2 * lengths.sum()


def test_batch_is_right_padded() -> None:
    reviews = EncodedReviews([[5, 6, 7], [], [8]], labels=[1, 0, 1])
    batch = reviews.batch([2, 0, 1])
    assert batch.input_ids.tolist() == [[8, PADDING_ID, PADDING_ID], [5, 6, 7], [PADDING_ID] * 3]
    assert batch.lengths.tolist() == [1, 3, 0]
    assert batch.labels.tolist() == [1, 1, 0]
    assert reviews.batch([1]).input_ids.shape == (1, 1)


@given(rows=st.integers(0, 500), count=st.integers(1, 40))
def test_shares_contain_all_rows_once_and_in_order(rows: int, count: int) -> None:
    everything = list(range(rows))
    shares = [everything[share(rows, index, count)] for index in range(count)]
    assert list(chain.from_iterable(shares)) == everything
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


reviews_lists = st.lists(st.lists(st.integers(0, 30), max_size=6), max_size=8)


@given(reviews_lists, reviews_lists, st.randoms())
def test_reviews_are_joined_chosen_and_labeled_anew(first: list[list[int]], second: list[list[int]], random) -> None:
    labels = [random.random() for _ in (*first, *second)]
    joined = EncodedReviews.joined(
        [EncodedReviews(first, labels[: len(first)]), EncodedReviews(second, labels[len(first) :])]
    )
    assert [joined[row].tolist() for row in range(len(joined))] == [*first, *second]
    np.testing.assert_array_equal(joined.labels, np.array(labels, np.float32))
    chosen = random.sample(range(len(joined)), len(joined) // 2)
    part = joined.rows(np.array(chosen, dtype=int))
    assert [part[row].tolist() for row in range(len(part))] == [[*first, *second][row] for row in chosen]
    assert part.labels.tolist() == [joined.labels[row] for row in chosen]
    again = part.labeled(np.ones(len(part)))
    assert again.labels.tolist() == [1.0] * len(part) and part.labels.tolist() == [joined.labels[row] for row in chosen]


@given(reviews_lists)
def test_ids_are_replaced_by_their_positions(reviews: list[list[int]]) -> None:
    ids = np.unique([30, *(word for review in reviews for word in review)])
    found = EncodedReviews(reviews).renumbered(ids)
    assert [ids[found[row]].tolist() for row in range(len(reviews))] == reviews
