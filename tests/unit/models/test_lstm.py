import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from sentiment.models.lstm import POOLINGS, SentimentRNN, pool, pool_prefixes


def network(pooling: str = "last", **settings: float) -> SentimentRNN:
    torch.manual_seed(0)
    return SentimentRNN(50, 8, 6, 2, 0.0, pooling, **settings).eval()


@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_logit_does_not_depend_on_padding_or_other_reviews(pooling: str) -> None:
    model = network(pooling)
    alone = model(torch.tensor([[5, 6, 7]]), torch.tensor([3]))
    padded = model(torch.tensor([[5, 6, 7, 1, 1, 1, 1]]), torch.tensor([3]))
    neighbors = model(torch.tensor([[9, 9, 9, 9, 9], [5, 6, 7, 1, 1], [4, 1, 1, 1, 1]]), torch.tensor([5, 3, 1]))
    torch.testing.assert_close(padded, alone, rtol=0, atol=1e-6)
    torch.testing.assert_close(neighbors[1:2], alone, rtol=0, atol=1e-6)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_an_empty_review_gives_the_bias(pooling: str) -> None:
    model = network(pooling)
    logits = model(torch.tensor([[1, 1], [5, 6]]), torch.tensor([0, 2]))
    torch.testing.assert_close(logits[0], model.head[-1].bias[0])
    logits.sum().backward()
    assert all(torch.isfinite(parameter.grad).all() for parameter in model.parameters())


@pytest.mark.parametrize("pooling", POOLINGS)
def test_prefix_pooling_equals_pooling_of_each_prefix(pooling: str) -> None:
    outputs = torch.randn(3, 7, 4)
    for time in range(7):
        expected = pool(outputs[:, : time + 1], torch.full((3,), time + 1), pooling)
        torch.testing.assert_close(pool_prefixes(outputs, pooling)[:, time], expected)


@pytest.mark.parametrize("settings", [{}, {"variational": True, "weight_dropout": 0.3, "word_dropout": 0.1}])
def test_overfits_eight_reviews(settings: dict[str, float]) -> None:
    torch.manual_seed(1)
    ids, labels = torch.randint(3, 50, (8, 12)), torch.tensor([0.0, 1, 0, 1, 1, 0, 0, 1])
    lengths = torch.tensor([12, 3, 7, 12, 5, 9, 1, 2])
    model = SentimentRNN(50, 16, 16, 2, 0.1, "last_max_mean", **settings)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(150):
        optimizer.zero_grad()
        F.binary_cross_entropy_with_logits(model(ids, lengths), labels).backward()
        optimizer.step()
    assert ((model.eval()(ids, lengths) > 0) == labels.bool()).all()


def test_dropout_is_active_in_training_only() -> None:
    model = SentimentRNN(
        50, 8, 6, 2, 0.5, embedding_dropout=0.3, word_dropout=0.2, weight_dropout=0.3, variational=True
    )
    ids, lengths = torch.tensor([[5, 6, 7]]), torch.tensor([3])
    assert model.train()(ids, lengths) != model(ids, lengths)
    assert model.eval()(ids, lengths) == model(ids, lengths)


def test_variational_dropout_uses_the_same_mask_at_all_time_steps() -> None:
    model = SentimentRNN(50, 8, 6, 2, 0.5, variational=True).train()
    dropped = model.encoder._apply_dropout(torch.ones(4, 9, 6)) == 0
    assert (dropped == dropped[:, :1]).all()
    assert 0 < dropped.float().mean() < 1


def test_forget_gate_starts_open() -> None:
    for layer in network(forget_gate_bias=2.0).encoder.layers:
        assert (layer.bias_ih_l0[6:12] == 2).all()
        assert layer.bias_ih_l0.abs().sum() + layer.bias_hh_l0.abs().sum() == 12


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"hidden_dim": 0}, "hidden_dim is 0"),
        ({"vocab_size": -1}, "vocab_size is -1"),
        ({"num_layers": 0}, "num_layers is 0"),
        ({"dropout": 1.5}, "dropout is 1.5"),
        ({"dropout": float("nan")}, "dropout is nan"),
        ({"pooling": "first"}, "pooling is 'first'"),
    ],
)
def test_impossible_settings_are_rejected_by_name(settings: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        SentimentRNN(**{"vocab_size": 50, "embedding_dim": 8, "hidden_dim": 6, **settings})
