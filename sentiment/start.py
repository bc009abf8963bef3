"""Where a classifier's weights come from when they are not all drawn: a language model, or another classifier."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from torch import nn

from sentiment.checkpoint import KINDS, Checkpoint, load_checkpoint
from sentiment.config import ModelConfig
from sentiment.errors import InputError
from sentiment.model import SentimentRNN
from sentiment.model_directory import locate_model
from sentiment.narrowing import EMBEDDING, narrowed, principal_axes
from sentiment.run_directory import say
from sentiment.sizes import shapes
from sentiment.text import Direction


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
    """Take embedding and LSTM layers from a language model, or all weights from a classifier.

    A network of fewer units takes a part of a classifier (`narrowed`), of the head what fits. Of a model that has no
    such part it takes the word vectors alone, narrowed; they mean the same in both directions.

    Args:
        model: the network, which knows the pretrained vocabulary.
        pretrained: where its weights come from.
        direction: in which the network will read.

    Raises:
        InputError: if the LSTM layers fit, but have learnt to read in the other direction; if the number of words
            differs, or the network's word vectors are wider than the pretrained ones.
    """
    own = model.state_dict()
    if _takes_layers({name: tensor.shape for name, tensor in own.items()}, pretrained, direction):
        prefix = _prefix(pretrained)
        part: nn.Module = model if pretrained.kind == "sentiment-rnn" else model.encoder
        weights = pretrained.weights.items()
        part.load_state_dict({name.removeprefix(prefix): value for name, value in weights if name.startswith(prefix)})
        return
    embedding_dim, hidden_dim = own[EMBEDDING].shape[1], own["encoder.layers.0.weight_hh_l0"].shape[1]
    if _has_part(pretrained, len(model.encoder.layers), hidden_dim, direction):
        say(f"the pretrained network is larger: the {hidden_dim} units of each layer that are most heard are taken")
        taken = narrowed(pretrained.weights, embedding_dim, hidden_dim)
    else:
        say("the pretrained network has other sizes: its word vectors alone are taken")
        vectors = pretrained.weights[EMBEDDING].float()
        taken = {EMBEDDING: vectors @ principal_axes(vectors, embedding_dim)}
    fits = {name: value for name, value in taken.items() if name in own and value.shape == own[name].shape}
    model.load_state_dict(own | fits)


def _has_part(pretrained: Checkpoint, layers: int, hidden_dim: int, direction: Direction) -> bool:
    """Whether a network of these sizes can begin as a part of the pretrained one."""
    settings = pretrained.model_settings
    same = settings.get("num_layers") == layers and pretrained.text.direction == direction
    return pretrained.kind == "sentiment-rnn" and same and int(settings["hidden_dim"]) >= hidden_dim


def _prefix(pretrained: Checkpoint) -> str:
    """Beginning of the names of the weights that can be taken: a language model's output layer is of no use."""
    return "" if pretrained.kind == "sentiment-rnn" else "encoder."


def _takes_layers(own: Mapping[str, Sequence[int]], pretrained: Checkpoint, direction: Direction) -> bool:
    """Whether a network, given by the shapes of its tensors, takes whole layers; else it takes parts or word vectors.

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
    if own[EMBEDDING][0] != given[EMBEDDING][0] or own[EMBEDDING][1] > given[EMBEDDING][1]:
        raise InputError(
            f"the pretrained network has word vectors of shape {list(given[EMBEDDING])}, but the settings under "
            f"`model` give {list(own[EMBEDDING])}; model.embedding_dim can be {given[EMBEDDING][1]} or less."
        )
    return False
