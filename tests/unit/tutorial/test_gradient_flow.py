"""Gradients by distance, compared with the fast layers, and the whole command."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from sentiment.config import AdversarialConfig, DataConfig, TrainConfig
from sentiment.data.batching import EncodedReviews
from sentiment.errors import InputError
from sentiment.models.lstm import POOLINGS, SentimentRNN, pool
from sentiment.tutorial.gradient_flow import (
    FARTHEST,
    REVIEWS,
    compare,
    gradient_norms,
    last_words,
    render_table,
    short_memories,
    with_tanh_units,
)


def network(pooling="last", num_layers=2):
    torch.manual_seed(0)
    return SentimentRNN(30, 5, 4, num_layers, pooling=pooling).eval()


@pytest.mark.parametrize("build", [lambda model: model, with_tanh_units])
def test_short_memories_equal_those_of_the_fast_layers(build):
    model = build(network())
    inputs = torch.randn(3, 7, 5)
    for layer in model.encoder.layers:
        outputs = layer(inputs)[0]
        torch.testing.assert_close(torch.stack(short_memories(layer, inputs), 1), outputs, atol=1e-6, rtol=0)
        inputs = outputs.detach()


def test_tanh_network_has_the_same_sizes_and_works_as_a_classifier():
    model = with_tanh_units(network("last_max_mean"))
    assert [(layer.input_size, layer.hidden_size) for layer in model.encoder.layers] == [(5, 4), (4, 4)]
    assert model(torch.tensor([[3, 4, 5]]), torch.tensor([3])).shape == (1,)
    assert all(isinstance(layer, nn.RNN) and layer.nonlinearity == "tanh" for layer in model.encoder.layers)


@pytest.mark.parametrize("pooling", sorted(POOLINGS))
@pytest.mark.parametrize("build", [lambda model: model, with_tanh_units])
def test_norms_are_finite_differences_of_the_loss(build, pooling):
    """Shift h_t of the only layer, run on with the fast layer, and see how the loss moves by the last word's state."""
    model = build(network(pooling, num_layers=1)).double()
    ids, labels = torch.tensor([[3, 4, 5, 6, 7]]), torch.tensor([1.0], dtype=torch.float64)
    found = gradient_norms(model, ids, labels)
    layer, inputs = model.encoder.layers[0], model.encoder.embedding(ids).detach()

    def loss(time, unit, shift):
        _, state = layer(inputs[:, : time + 1])
        is_lstm = isinstance(state, tuple)
        short = (state[0] if is_lstm else state).clone()
        short[0, 0, unit] += shift
        state = (short, state[1]) if is_lstm else short
        last = layer(inputs[:, time + 1 :], state)[0][:, -1] if time < 4 else short[0]
        outputs = torch.cat([layer(inputs)[0][:, :-1], last[:, None]], 1)
        logits = model.head(pool(outputs, torch.tensor([5]), pooling)).squeeze(1)
        return float(F.binary_cross_entropy_with_logits(logits, labels).detach())

    for time in range(5):
        slopes = [(loss(time, unit, 1e-5) - loss(time, unit, -1e-5)) / 2e-5 for unit in range(4)]
        assert found[0, 4 - time] == pytest.approx(np.linalg.norm(slopes), rel=1e-5, abs=1e-12)


def test_reviews_do_not_influence_each_other():
    model = network("last_max_mean")
    ids, labels = torch.randint(3, 30, (4, 6)), torch.tensor([1.0, 0.0, 1.0, 0.0])
    together = gradient_norms(model, ids, labels)
    assert together.shape == (4, 6)
    alone = [gradient_norms(model, ids[row : row + 1], labels[row : row + 1])[0] for row in range(4)]
    np.testing.assert_allclose(together, alone, rtol=1e-4)


def test_only_the_last_words_of_long_reviews_are_measured():
    lengths = [10, FARTHEST + 5, *[FARTHEST] * (REVIEWS + 3)]
    ids, labels = last_words(EncodedReviews([np.arange(length) for length in lengths], np.arange(len(lengths)) % 2))
    assert ids.shape == (REVIEWS, FARTHEST)
    assert ids[0].tolist() == list(range(5, FARTHEST + 5))
    assert labels[:3].tolist() == [1, 0, 1]
    assert last_words(EncodedReviews([[3, 4], [5]]))[0].tolist() == [[3, 4]]


def test_both_networks_are_trained_and_measured(small_settings, reviews_file, tmp_path):
    config = TrainConfig(data=DataConfig(source=str(reviews_file), validation_fraction=0.2), **small_settings)
    results = compare(config)
    directory = tmp_path / "run"
    assert (directory / "gradient_flow.png").read_bytes().startswith(b"\x89PNG")
    written = json.loads((directory / "gradient_flow.json").read_text("utf-8"))
    assert written == {"reviews": written["reviews"], **results}
    assert set(results) == {"lstm", "tanh"}
    assert results["lstm"]["median_norm"] != results["tanh"]["median_norm"]
    assert all(np.isfinite(result["median_norm"]).all() for result in results.values())
    assert "words from the end" in render_table(results)
    with pytest.raises(InputError, match="resume"):
        compare(config)
    assert compare(config, resume=True) == results


def test_a_pretrained_model_is_rejected(small_settings):
    with pytest.raises(InputError, match="trains from scratch"):
        compare(replace(TrainConfig(**small_settings), pretrained="somewhere"))


@pytest.mark.parametrize("weight", ["virtual_weight", "entropy_weight"])
def test_losses_of_unlabeled_reviews_are_rejected(small_settings, weight):
    config = TrainConfig(**small_settings, adversarial=AdversarialConfig(**{weight: 0.5}))
    with pytest.raises(InputError, match=f"reads no unlabeled reviews.*{weight}"):
        compare(config)
