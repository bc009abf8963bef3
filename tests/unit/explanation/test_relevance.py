"""Relevance compared with gradients of the network made linear, and with networks whose relevance is known."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from sentiment.explanation.gates import trace
from sentiment.explanation.relevance import relevance
from sentiment.models.lstm import POOLINGS, SentimentRNN
from sentiment.models.lstm_cell import LSTMUnit


def network(pooling: str, seed: int, head_dim: int, bias: bool = True) -> SentimentRNN:
    torch.manual_seed(seed)
    model = SentimentRNN(30, 5, 4, 2, pooling=pooling, head_dim=head_dim).eval()
    for name, parameter in model.named_parameters():
        nn.init.normal_(parameter)
        if "bias" in name and not bias:
            nn.init.zeros_(parameter)
    return model


def linear(values: Tensor, activated: Tensor) -> Tensor:
    """The activated values, as values times a constant."""
    return values * torch.where(values.abs() > 1e-6, activated / values, torch.ones_like(values)).detach()


def linear_logit(model: SentimentRNN, embedded: Tensor) -> Tensor:
    """The logit with gates and ratios as constants, word by word with the unit that is written out."""
    inputs = embedded
    for layer in model.encoder.layers:
        unit = LSTMUnit.from_lstm(layer)
        long = short = torch.zeros(unit.hidden_size)
        outputs = []
        for value in inputs:
            gates = (torch.sigmoid(gate(short, value)).detach() for gate in (unit.forget, unit.input, unit.output))
            forget, added, shown = gates
            candidate = unit.candidate(short, value)
            long = forget * long + added * linear(candidate, candidate.tanh())
            short = shown * linear(long, long.tanh())
            outputs.append(short)
        inputs = torch.stack(outputs)
    pooled = [inputs[-1]]
    if model.pooling == "last_max_mean":
        pooled += [inputs.amax(0), inputs.mean(0)]
    return model.head(torch.cat(pooled)).squeeze()


@given(
    pooling=st.sampled_from(sorted(POOLINGS)),
    head_dim=st.sampled_from([0, 3]),
    ids=st.lists(st.integers(2, 29), min_size=1, max_size=12, unique=True),  # else two words share the maximum
    seed=st.integers(0, 100),
)
@settings(max_examples=25, deadline=None, derandomize=True)
def test_relevance_is_input_times_gradient_of_the_network_made_linear(pooling, head_dim, ids, seed):
    model, ids = network(pooling, seed, head_dim), torch.tensor(ids)
    embedded = model.encoder.embed(ids).detach().requires_grad_()
    logit = linear_logit(model, embedded)
    assert logit.item() == pytest.approx(float(model(ids[None], torch.tensor([len(ids)])).detach()), abs=1e-4)
    (gradient,) = torch.autograd.grad(logit, embedded)
    expected = (gradient * embedded).sum(1).detach().numpy()
    np.testing.assert_allclose(relevance(model, ids, trace(model, ids)), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("pooling", sorted(POOLINGS))
def test_without_biases_nothing_is_missing(pooling):
    model, ids = network(pooling, 0, 3, bias=False), torch.arange(2, 14)
    logit = float(model(ids[None], torch.tensor([len(ids)])).detach())
    assert relevance(model, ids, trace(model, ids)).sum() == pytest.approx(logit, abs=1e-4)


def test_words_behind_a_closed_input_gate_have_none():
    model = network("last", 0, 0)
    with torch.no_grad():
        for layer in model.encoder.layers:
            layer.bias_ih_l0[:4] = -1000
    ids = torch.arange(2, 9)
    np.testing.assert_array_equal(relevance(model, ids, trace(model, ids)), 0)
