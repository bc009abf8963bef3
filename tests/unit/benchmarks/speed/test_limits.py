import numpy as np
import torch

from benchmarks.speed.limits import ONE_REVIEW, rate_table, stage_table
from benchmarks.speed.operations import (
    forward_operations,
    product_rates,
    reading_rate,
    recurrent_bytes,
    training_step,
)
from sentiment.data.batching import EncodedReviews
from sentiment.models.lstm import SentimentRNN
from sentiment.text.normalization import normalize
from sentiment.text.tokenizer import tokenize


def test_operations_are_those_of_the_layers_products() -> None:
    # four gates; a multiplication and an addition each
    assert forward_operations(SentimentRNN(30, 5, 6, 2)) == 2 * 4 * 6 * (5 + 6 + 6 + 6)


def test_products_have_a_rate() -> None:
    for name, rate in product_rates(torch.float32).items():
        assert name.startswith("float32 products, 2048 square") and rate() > 1e8


def test_a_training_step_leaves_the_model_as_it_was() -> None:
    model = SentimentRNN(30, 5, 6, 2).eval()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    step, words = training_step(model, EncodedReviews([np.arange(2, 9), np.arange(2, 6)]), False, 100)
    step()
    assert words == 11 and not model.training
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_the_share_is_of_the_machines_best_rate() -> None:
    rates = {"slow products": [4e9, 4e9], "products": [10e9, 10e9]}
    table = rate_table(rates, {"the model": 2e9}, {"the model": [0.4, 0.4]})
    assert table.splitlines()[-1] == "| the model | 400 | 5.00 | 50% |"
    assert "| products |  | 10.0 |  |" in table
    assert stage_table({"read": [0.1], "network": [0.3]}).splitlines()[-1] == "| network | 300 | 75.0% |"


def test_the_recurrent_weights_are_read_for_each_word() -> None:
    model = SentimentRNN(30, 5, 6, 2)
    assert recurrent_bytes(model, torch.float32) == 2 * recurrent_bytes(model, torch.bfloat16) == 2 * 4 * 6 * 6 * 4
    assert reading_rate(model, torch.float32) > 1e6
    assert len(tokenize(normalize(ONE_REVIEW))) == 260
