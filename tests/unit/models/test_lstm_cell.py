"""`LSTMUnit` is compared with `nn.LSTM`, and with the equations for a unit of size 1."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from sentiment.errors import InputError
from sentiment.models.lstm_cell import Gate, LSTMStep, LSTMUnit

TOLERANCE = {torch.float32: 1e-6, torch.float64: 1e-12}

networks = st.fixed_dictionaries(
    {
        "input_size": st.integers(1, 7),
        "hidden_size": st.integers(1, 9),
        "num_layers": st.integers(1, 3),
        "bias": st.booleans(),
    }
)


def gradients_as_lstm(units: list[LSTMUnit], lstm: nn.LSTM) -> dict[str, Tensor]:
    """The units' gradients under the names and in the layout of `nn.LSTM`."""
    gradients = {}
    for layer, unit in enumerate(units):
        gates: list[Gate] = [unit.input, unit.forget, unit.candidate, unit.output]
        gradients[f"weight_ih_l{layer}"] = torch.cat([gate.input_weight.grad.T for gate in gates])
        gradients[f"weight_hh_l{layer}"] = torch.cat([gate.short_weight.grad.T for gate in gates])
        if lstm.bias:
            gradients[f"bias_ih_l{layer}"] = torch.cat([gate.bias.grad for gate in gates])
            gradients[f"bias_hh_l{layer}"] = gradients[f"bias_ih_l{layer}"]
    return gradients


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@given(network=networks, batch=st.integers(1, 4), time=st.integers(1, 20), seed=st.integers(0, 2**31))
@settings(max_examples=40, deadline=None)
def test_equals_nn_lstm_in_outputs_states_and_gradients(dtype, network, batch, time, seed):
    torch.manual_seed(seed)
    lstm = nn.LSTM(batch_first=True, **network).to(dtype)
    units = [LSTMUnit.from_lstm(lstm, layer) for layer in range(lstm.num_layers)]
    inputs = torch.randn(batch, time, lstm.input_size, dtype=dtype)
    start = [torch.randn(lstm.num_layers, batch, lstm.hidden_size, dtype=dtype) for _ in range(2)]
    fast_inputs, read_inputs = inputs.clone().requires_grad_(), inputs.clone().requires_grad_()

    outputs, (short, long) = lstm(fast_inputs, (start[0], start[1]))
    values, finals = read_inputs, []
    for layer, unit in enumerate(units):
        steps = unit(values, long_memory=start[1][layer], short_memory=start[0][layer])
        values = steps.updated_short_memory
        finals.append((steps.updated_short_memory[:, -1], steps.updated_long_memory[:, -1]))

    weight = torch.randn_like(outputs) / outputs.numel()
    ((outputs * weight).sum() + long.mean()).backward()
    ((values * weight).sum() + torch.stack([final[1] for final in finals]).mean()).backward()
    near = {"atol": TOLERANCE[dtype], "rtol": 0}
    torch.testing.assert_close(values, outputs, **near)
    torch.testing.assert_close(torch.stack([final[0] for final in finals]), short, **near)
    torch.testing.assert_close(torch.stack([final[1] for final in finals]), long, **near)
    torch.testing.assert_close(read_inputs.grad, fast_inputs.grad, **near)
    found = gradients_as_lstm(units, lstm)
    for name, parameter in lstm.named_parameters():
        torch.testing.assert_close(found[name], parameter.grad, **near, msg=lambda m, name=name: f"{name}: {m}")


def test_reads_the_backward_direction_of_a_bidirectional_lstm():
    torch.manual_seed(0)
    lstm = nn.LSTM(3, 4, num_layers=2, bidirectional=True, batch_first=True).double()
    inputs = torch.randn(2, 5, 3, dtype=torch.float64)
    values = inputs
    for layer in range(2):
        forward = LSTMUnit.from_lstm(lstm, layer)(values).updated_short_memory
        backward = LSTMUnit.from_lstm(lstm, layer, reverse=True)(values.flip(1)).updated_short_memory.flip(1)
        values = torch.cat([forward, backward], 2)
    torch.testing.assert_close(values, lstm(inputs)[0], atol=1e-12, rtol=0)


def test_a_step_follows_the_equations():
    unit = LSTMUnit().double()
    numbers = iter([0.3, -0.4, 0.1, 0.5, 0.6, -0.2, -0.7, 0.8, 0.05, 0.9, -0.1, 0.4])
    with torch.no_grad():
        for parameter in unit.parameters():
            parameter.fill_(next(numbers))

    def sigmoid(value):
        return 1 / (1 + np.exp(-value))

    x, long, short = 0.7, 1.5, -0.25
    kept = sigmoid(short * 0.3 + x * -0.4 + 0.1)
    share = sigmoid(short * 0.5 + x * 0.6 - 0.2)
    potential = np.tanh(short * -0.7 + x * 0.8 + 0.05)
    exposed = sigmoid(short * 0.9 + x * -0.1 + 0.4)
    memory = long * kept + share * potential
    expected = LSTMStep(kept, share, potential, memory, exposed, exposed * np.tanh(memory))

    found = unit.lstm_unit(x, long, short)
    assert [value.shape for value in found] == [torch.Size([])] * 6
    assert [float(value.detach()) for value in found] == pytest.approx(list(expected), abs=1e-15)


@given(shape=st.lists(st.integers(1, 3), max_size=2), seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_leading_batch_dimensions_are_independent(shape, seed):
    torch.manual_seed(seed)
    unit = LSTMUnit(2, 3)
    inputs, long, short = torch.randn(*shape, 2), torch.randn(*shape, 3), torch.randn(*shape, 3)
    together = unit.lstm_unit(inputs.numpy(), long.numpy(), short.numpy())
    for index in np.ndindex(*shape):
        alone = unit.lstm_unit(inputs[index], long[index], short[index])
        for whole, part in zip(together, alone, strict=True):
            assert whole.shape == (*shape, 3)
            torch.testing.assert_close(whole[index], part)


def test_a_strong_negative_input_makes_it_forget():
    unit = LSTMUnit()
    with torch.no_grad():
        unit.forget.input_weight.fill_(1.0)
    step = unit.lstm_unit(input_value=-10, long_memory=5.0, short_memory=0.0)
    assert float(step.long_remember_percent.detach()) < 0.001
    added = step.potential_remember_percent * step.potential_memory
    assert abs(float((step.updated_long_memory - added).detach())) < 0.005


@given(
    values=st.tuples(*[st.floats(-1e6, 1e6) for _ in range(3)]),
    weights=st.lists(st.floats(-50, 50), min_size=12, max_size=12),
)
@settings(max_examples=60, deadline=None)
def test_shares_stay_between_0_and_1_for_any_weights(values, weights):
    unit = LSTMUnit().double()
    with torch.no_grad():
        for parameter, weight in zip(unit.parameters(), weights, strict=True):
            parameter.fill_(weight)
    step = unit.lstm_unit(*values)
    for share in (step.long_remember_percent, step.potential_remember_percent, step.output_percent):
        assert 0 <= float(share.detach()) <= 1
    assert -1 <= float(step.potential_memory.detach()) <= 1
    assert -1 <= float(step.updated_short_memory.detach()) <= 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: LSTMUnit.from_lstm(nn.GRU(2, 2)), "an nn.LSTM, not a GRU"),
        (lambda: LSTMUnit.from_lstm(nn.LSTM(2, 3, proj_size=2)), "proj_size 2"),
        (lambda: LSTMUnit.from_lstm(nn.LSTM(2, 3), layer=1), "no layer 1"),
        (lambda: LSTMUnit.from_lstm(nn.LSTM(2, 3), reverse=True), "in reverse"),
        (lambda: LSTMUnit(0, 3), "input_size is 0"),
        (lambda: LSTMUnit(2, 3).lstm_unit([1, 2, 3], [0, 0, 0], [0, 0, 0]), "input_value has 3 values"),
        (lambda: LSTMUnit(2, 3).lstm_unit([1, 2], 0.0, [0, 0, 0]), "long_memory has 1 values"),
        (lambda: LSTMUnit(2, 3)(torch.zeros(1, 0, 2)), "no steps"),
    ],
)
def test_bad_input_is_rejected(call, message):
    with pytest.raises(InputError, match=message):
        call()
