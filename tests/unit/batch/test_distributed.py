"""Shares of several processes: each row in exactly one share."""

from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from sentiment.batch.distributed import predict_distributed
from sentiment.data.batching import share


@given(rows=st.integers(0, 500), count=st.integers(1, 40))
def test_shares_contain_all_rows_once_and_in_order(rows: int, count: int) -> None:
    everything = list(range(rows))
    shares = [everything[share(rows, index, count)] for index in range(count)]
    assert list(chain.from_iterable(shares)) == everything
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_one_process_predicts_everything_itself(tiny_classifier) -> None:
    texts = ["a wonderful film", "", "dull"]
    assert predict_distributed(tiny_classifier, texts).rows() == tiny_classifier.predict(texts)
