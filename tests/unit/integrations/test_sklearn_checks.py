"""scikit-learn's own checks of an estimator, with words in place of their numbers.

They know no estimator of texts: as soon as its tags say that it takes no table of numbers, they skip all of it. So the
class below puts a word in place of each number, and all that the checks ask of a classifier is asked of ours. What they
ask about a table of numbers (NaN, sparse or complex numbers, the number of columns) has no meaning for texts; there
scikit-learn's own `validate_data` answers, and test_sklearn.py has the like for texts.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import validate_data

from sentiment.models.lstm import SentimentRNN
from sentiment.persistence.checkpoint import Checkpoint, save_checkpoint
from sentiment.sklearn import SentimentEstimator
from sentiment.text.vocabulary import TextEncoder, Vocabulary

COLUMNS = "abcdefghij"
STEPS = "abcdefghijklmnopq"


def word(column: int, value: float) -> str:
    """A word for a number from -2 to 2, in quarters, of one of the first ten columns."""
    step = int(np.clip(round(4 * value), -8, 8))
    return f"{COLUMNS[column % len(COLUMNS)]}x{STEPS[step + 8]}"


NOT_FOR_TEXTS = {
    "check_methods_subset_invariance": "float32: the last digits depend on the other reviews of a batch",
    "check_methods_sample_order_invariance": "float32: the last digits depend on the other reviews of a batch",
}
"""Checks that it cannot pass everywhere, and why; test_sklearn.py asks the same with the precision of float32."""


class RowsAsReviews(SentimentEstimator):
    """The estimator for rows of numbers: each row becomes a review of a word for each number."""

    def fit(self, X, y):
        return super().fit(reviews(validate_data(self, X)), y)

    def _answer(self, method, X):
        return super()._answer(method, reviews(validate_data(self, X, reset=False)))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = tags.input_tags.string = False
        tags.input_tags.two_d_array = True
        return tags


def reviews(rows: np.ndarray) -> list[str]:
    return [" ".join(word(*cell) for cell in enumerate(row)) for row in rows]


@pytest.fixture(scope="module")
def model_of_numbers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained network that knows a word for each number."""
    torch.manual_seed(0)
    words = [word(column, step / 4) for column in range(len(COLUMNS)) for step in range(-8, 9)]
    vocabulary = Vocabulary(dict.fromkeys(words, 1))
    settings = {"vocab_size": len(vocabulary), "embedding_dim": 8, "hidden_dim": 16, "pooling": "last_max_mean"}
    model = SentimentRNN(**settings)
    for parameter in model.parameters():
        torch.nn.init.uniform_(parameter, -1, 1)
    directory = tmp_path_factory.mktemp("models") / "numbers"
    save_checkpoint(Checkpoint("sentiment-rnn", settings, TextEncoder(vocabulary, 40), model.state_dict()), directory)
    return directory


@parametrize_with_checks([RowsAsReviews(C=1000.0)], expected_failed_checks=lambda _: NOT_FOR_TEXTS)
def test_sklearn_check(estimator, check, model_of_numbers: Path) -> None:
    check(estimator.set_params(model=str(model_of_numbers)))
