"""Where a classifier's weights come from when they are not all drawn: a language model, or another classifier."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import torch
from torch import Tensor, nn

from sentiment.checkpoint import KINDS, Checkpoint, load_checkpoint
from sentiment.config import ModelConfig
from sentiment.errors import InputError
from sentiment.model import SentimentRNN
from sentiment.model_directory import locate_model
from sentiment.run_directory import say
from sentiment.sizes import shapes
from sentiment.text import Direction

_EMBEDDING = "encoder.embedding.weight"


def read_start(model: str, network: ModelConfig, direction: Direction) -> Checkpoint:
    """A language model or classifier that a network can start from; asked before its reviews are read.

    Args:
        model: its directory or shipped name.
        network: settings of the network, which takes its vocabulary, too.
        direction: in which the network will read.

    Raises:
        InputError: if there is no such model, or `load_start` would refuse it.
    """
    pretrained = load_checkpoint(locate_model(model), *KINDS)
    settings = {"vocab_size": len(pretrained.text.vocabulary), **asdict(network)}
    _takes_layers(shapes(SentimentRNN, settings), pretrained, direction)
    return pretrained


def load_start(model: SentimentRNN, pretrained: Checkpoint, direction: Direction) -> None:
    """Take embedding and LSTM layers from a language model, all weights from a classifier, or word vectors from either.

    A network of other sizes takes the word vectors alone, narrowed to its own width (`narrowed`); they mean the same
    in both directions.

    Args:
        model: the network, which knows the pretrained vocabulary.
        pretrained: where its weights come from.
        direction: in which the network will read.

    Raises:
        InputError: if the LSTM layers fit, but have learnt to read in the other direction; if the number of words
            differs, or the network's word vectors are wider than the pretrained ones.
    """
    if _takes_layers({name: tensor.shape for name, tensor in model.state_dict().items()}, pretrained, direction):
        part: nn.Module = model if pretrained.kind == "sentiment-rnn" else model.encoder
        prefix = _prefix(pretrained)
        weights = pretrained.weights.items()
        part.load_state_dict({name.removeprefix(prefix): value for name, value in weights if name.startswith(prefix)})
        return
    own, given = model.encoder.embedding.weight, pretrained.weights[_EMBEDDING]
    say(f"the pretrained network has other sizes: its word vectors alone are taken, {given.shape[1]} → {own.shape[1]}")
    with torch.no_grad():
        own.copy_(narrowed(given, own.shape[1]))


def _prefix(pretrained: Checkpoint) -> str:
    """Beginning of the names of the weights that can be taken: a language model's output layer is of no use."""
    return "" if pretrained.kind == "sentiment-rnn" else "encoder."


def _takes_layers(own: Mapping[str, Sequence[int]], pretrained: Checkpoint, direction: Direction) -> bool:
    """Whether a network, given by the shapes of its tensors, takes whole layers; else it takes the word vectors alone.

    Raises:
        InputError: if it can take neither.
    """
    given = {name: tensor.shape for name, tensor in pretrained.weights.items()}
    prefix = _prefix(pretrained)
    wanted, offered = (
        {name: list(shape) for name, shape in side.items() if name.startswith(prefix)} for side in (own, given)
    )
    if wanted == offered:
        if (learnt := pretrained.text.direction) != direction:
            raise InputError(
                f"the pretrained network has learnt to read {learnt}, but text.direction is {direction}; "
                f"start from one that reads {direction}."
            )
        return True
    if own[_EMBEDDING][0] != given[_EMBEDDING][0] or own[_EMBEDDING][1] > given[_EMBEDDING][1]:
        raise InputError(
            f"the pretrained network has word vectors of shape {list(given[_EMBEDDING])}, but the settings under "
            f"`model` give {list(own[_EMBEDDING])}; model.embedding_dim can be {given[_EMBEDDING][1]} or less."
        )
    return False


def narrowed(vectors: Tensor, width: int) -> Tensor:
    """The projection of word vectors on their first principal axes: [words, wide] → [words, width] (Eckart & Young)."""
    _, _, axes = torch.linalg.svd(vectors.float(), full_matrices=False)
    return vectors.float() @ axes[:width].T
