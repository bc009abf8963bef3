import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment.models.language_model import (
    LanguageModel,
    TiedSoftmax,
    draw_zipf,
    log_expected_draws,
    log_zipf,
    perplexity,
)

CPU = torch.device("cpu")


@given(st.integers(2, 50_000))
@settings(max_examples=30, deadline=None)
def test_probabilities_of_all_words_add_up_to_one(vocab_size: int) -> None:
    assert float(log_zipf(torch.arange(vocab_size), vocab_size).double().exp().sum()) == pytest.approx(1, abs=1e-3)


def test_words_are_drawn_with_their_probability() -> None:
    torch.manual_seed(0)
    drawn = torch.bincount(draw_zipf(200_000, 100, CPU), minlength=100) / 200_000
    torch.testing.assert_close(drawn, log_zipf(torch.arange(100), 100).exp(), atol=3e-3, rtol=0)
    present = torch.stack([torch.bincount(draw_zipf(20, 100, CPU), minlength=100) > 0 for _ in range(3000)])
    expected = log_expected_draws(torch.arange(100), 20, 100).exp()
    torch.testing.assert_close(present.float().mean(0), expected, atol=0.04, rtol=0)


def test_a_sample_of_all_words_gives_the_full_softmax() -> None:
    torch.manual_seed(0)
    softmax = TiedSoftmax(40, 6, 5, negatives=5000)
    outputs, targets, vectors = torch.randn(12, 5), torch.randint(3, 40, (12,)), torch.randn(40, 6)
    sampled = softmax.train()(outputs, targets, vectors)
    whole = softmax.eval()(outputs, targets, vectors)
    torch.testing.assert_close(sampled, whole, atol=1e-4, rtol=1e-4)


def test_training_with_sampled_softmax_reduces_the_full_loss() -> None:
    torch.manual_seed(0)
    model = LanguageModel(200, 16, 16, negatives=20)
    ids = torch.arange(180).reshape(6, 30) % 31 + 3  # each word is followed by the next id
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    before = model.eval()(ids[:, :-1], ids[:, 1:])[0].item()
    for _ in range(60):
        optimizer.zero_grad()
        model.train()(ids[:, :-1], ids[:, 1:])[0].backward()
        optimizer.step()
    after = model.eval()(ids[:, :-1], ids[:, 1:])[0].item()
    assert after < before - 1
    assert perplexity(after) == pytest.approx(torch.tensor(after, dtype=torch.float64).exp().item())


def test_splitting_long_inputs_does_not_change_the_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    softmax = TiedSoftmax(40, 6, 5)
    outputs, targets, vectors = torch.randn(12, 5), torch.randint(3, 40, (12,)), torch.randn(40, 6)
    whole = softmax(outputs, targets, vectors)
    monkeypatch.setattr("sentiment.models.language_model.ROWS_AT_ONCE", 5)
    torch.testing.assert_close(softmax(outputs, targets, vectors), whole)
