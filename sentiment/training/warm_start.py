"""Warm start: initialize a classifier with the weights of a language model or another classifier."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from torch import nn

from sentiment.config import ModelConfig
from sentiment.errors import InputError
from sentiment.models.lstm import SentimentRNN
from sentiment.models.sizing import tensor_shapes
from sentiment.models.surgery import EMBEDDING, principal_axes, shrink
from sentiment.persistence.checkpoint import KINDS, Checkpoint, load_checkpoint
from sentiment.persistence.model_directory import locate_model
from sentiment.text.vocabulary import Direction

logger = logging.getLogger(__name__)


def load_pretrained(model: str, network: ModelConfig, direction: Direction) -> Checkpoint:
    """Load a language model or classifier and check that a new network can start from it.

    Args:
        model: a model directory or the name of a shipped model.
        network: settings of the new network, which takes over the vocabulary.
        direction: reading direction of the new network.

    Raises:
        InputError: if there is no such model, or `warm_start` cannot use it.
    """
    pretrained = load_checkpoint(locate_model(model), *KINDS)
    settings = {"vocab_size": len(pretrained.text.vocabulary), **asdict(network)}
    _takes_layers(tensor_shapes(SentimentRNN, settings), pretrained, direction)
    return pretrained


def warm_start(model: SentimentRNN, pretrained: Checkpoint, direction: Direction) -> None:
    """Copy the embedding and LSTM layers of a language model, or all weights of a classifier, into a network.

    A network with fewer units than the pretrained classifier gets a part of its units (`shrink`), and of the head only
    what fits. If that is not possible, it gets only the word vectors, reduced to its size.

    Args:
        model: the network, with the pretrained vocabulary.
        pretrained: the model to copy from.
        direction: reading direction of the network.

    Raises:
        InputError: if all layers fit, but were trained for the other reading direction; if the vocabulary sizes
            differ; or if the network's word vectors are longer than the pretrained ones.
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
        logger.info(
            "the pretrained network is larger: the %d units of each layer with the largest outgoing weights are "
            "copied, and what the other %d know is lost; model.hidden_dim=%d and model.embedding_dim=%d keep all.",
            hidden_dim,
            pretrained.model_settings["hidden_dim"] - hidden_dim,
            pretrained.model_settings["hidden_dim"],
            pretrained.weights[EMBEDDING].shape[1],
        )
        copied = shrink(pretrained.weights, embedding_dim, hidden_dim)
    else:  # word vectors mean the same in both reading directions
        logger.info("the pretrained network has other sizes: only its word vectors are copied")
        vectors = pretrained.weights[EMBEDDING].float()
        copied = {EMBEDDING: vectors @ principal_axes(vectors, embedding_dim)}
    fits = {name: value for name, value in copied.items() if name in own and value.shape == own[name].shape}
    model.load_state_dict(own | fits)


def _has_part(pretrained: Checkpoint, layers: int, hidden_dim: int, direction: Direction) -> bool:
    """Whether a network of these sizes can start from a part of the pretrained classifier's units."""
    settings = pretrained.model_settings
    same = settings.get("num_layers") == layers and pretrained.text.direction == direction
    return pretrained.kind == "sentiment-rnn" and same and int(settings["hidden_dim"]) >= hidden_dim


def _prefix(pretrained: Checkpoint) -> str:
    """Prefix of the weights that can be copied: all of a classifier, but only the encoder of a language model."""
    return "" if pretrained.kind == "sentiment-rnn" else "encoder."


def _takes_layers(own: Mapping[str, Sequence[int]], pretrained: Checkpoint, direction: Direction) -> bool:
    """Whether a network, given by its tensors' shapes, can copy whole layers; else it copies units or word vectors.

    Raises:
        InputError: if it can copy neither.
    """
    given = {name: tensor.shape for name, tensor in pretrained.weights.items()}
    prefix = _prefix(pretrained)
    wanted, offered = (
        {name: list(shape) for name, shape in side.items() if name.startswith(prefix)} for side in (own, given)
    )
    if wanted == offered:
        if (learned := pretrained.text.direction) != direction:
            raise InputError(
                f"the pretrained network has learned to read {learned}, but text.direction is {direction}; "
                f"start from one that reads {direction}."
            )
        return True
    if own[EMBEDDING][0] != given[EMBEDDING][0] or own[EMBEDDING][1] > given[EMBEDDING][1]:
        raise InputError(
            f"the pretrained network has word vectors of shape {list(given[EMBEDDING])}, but the settings under "
            f"`model` give {list(own[EMBEDDING])}; model.embedding_dim can be {given[EMBEDDING][1]} or less."
        )
    return False
