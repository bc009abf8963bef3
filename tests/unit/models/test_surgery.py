"""Cut a smaller network out of a larger one."""

import copy

import pytest
import torch
from torch import Tensor

from sentiment.models.lstm import SentimentRNN
from sentiment.models.surgery import EMBEDDING, principal_axes, shrink
from sentiment.persistence.checkpoint import Checkpoint
from sentiment.text.vocabulary import Direction, TextEncoder, Vocabulary
from sentiment.training.warm_start import warm_start

WORDS, WIDTH, UNITS = 30, 6, 8
TEXT = TextEncoder(Vocabulary({f"word{number}": 1 for number in range(WORDS - 3)}), 100)
IDS, LENGTHS = torch.arange(20).reshape(2, 10), torch.tensor([10, 7])


def network(embedding_dim: int, hidden_dim: int, head_dim: int = 4, num_layers: int = 2, seed: int = 0) -> SentimentRNN:
    torch.manual_seed(seed)
    sizes = (WORDS, embedding_dim, hidden_dim, num_layers)
    return SentimentRNN(*sizes, pooling="last_max_mean", head_dim=head_dim).eval()


def checkpoint(model: SentimentRNN, kind: str = "sentiment-rnn", direction: Direction = "forward") -> Checkpoint:
    settings = {"num_layers": len(model.encoder.layers), "hidden_dim": model.encoder.layers[0].hidden_size}
    text = TextEncoder(TEXT.vocabulary, TEXT.max_length, direction=direction)
    return Checkpoint(kind, settings, text, copy.deepcopy(model.state_dict()))


def without(model: SentimentRNN, units: list[list[int]]) -> SentimentRNN:
    """The same network, but some units of each layer and some axes of the word vectors have no effect."""
    first, second = model.encoder.layers
    heard_by = ((first.weight_hh_l0, second.weight_ih_l0), (second.weight_hh_l0, model.head[1].weight))
    with torch.no_grad():
        for silent, readers in zip(units, heard_by, strict=True):
            for reader in readers:
                reader.unflatten(1, (-1, UNITS))[:, :, silent] = 0
        vectors = model.encoder.embedding.weight
        vectors.copy_(torch.randn(WORDS, 3) @ torch.randn(3, WIDTH))  # rank 3
    return model


def test_removing_unused_units_does_not_change_predictions() -> None:
    large = without(network(WIDTH, UNITS), [[0, 5, 6], [1, 2, 7]])
    small = network(3, UNITS - 3, seed=1)
    warm_start(small, checkpoint(large), "forward")
    torch.testing.assert_close(small(IDS, LENGTHS), large(IDS, LENGTHS), atol=1e-5, rtol=1e-4)


def test_principal_axes_keep_the_products_of_word_vectors() -> None:
    vectors = torch.randn(WORDS, 3) @ torch.randn(3, WIDTH)  # rank 3: nothing is lost
    narrow = vectors @ principal_axes(vectors, 3)
    torch.testing.assert_close(narrow @ narrow.T, vectors @ vectors.T, atol=1e-4, rtol=1e-4)


def test_the_order_of_tensors_in_the_file_does_not_matter() -> None:
    weights = network(WIDTH, UNITS, num_layers=11).state_dict()  # sorted by name, layer 10 comes before layer 2
    part, by_name = shrink(weights, 3, 5), shrink(dict(sorted(weights.items())), 3, 5)
    assert all(torch.equal(value, by_name[name]) for name, value in part.items())


def test_a_head_of_another_size_is_initialized_randomly() -> None:
    large, small = network(WIDTH, UNITS), network(3, 5, head_dim=2, seed=1)
    before = small.head[1].weight.clone()
    warm_start(small, checkpoint(large), "forward")
    part = shrink(large.state_dict(), 3, 5)
    assert torch.equal(small.head[1].weight, before)
    assert torch.equal(small.encoder.layers[1].weight_hh_l0, part["encoder.layers.1.weight_hh_l0"])


@pytest.mark.parametrize(
    ("start", "small"),
    [
        (checkpoint(network(WIDTH, UNITS), direction="backward"), network(3, 5, seed=1)),
        (checkpoint(network(WIDTH, UNITS), kind="language-model"), network(3, 5, seed=1)),
        (checkpoint(network(WIDTH, UNITS)), network(3, 5, num_layers=1, seed=1)),
        (checkpoint(network(WIDTH, 4)), network(3, 5, seed=1)),
    ],
    ids=["reads the other way", "language model", "other layers", "fewer units"],
)
def test_otherwise_only_word_vectors_are_copied(start: Checkpoint, small: SentimentRNN) -> None:
    before: dict[str, Tensor] = copy.deepcopy(small.state_dict())
    warm_start(small, start, "forward")
    changed = {name for name, value in small.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {EMBEDDING}
