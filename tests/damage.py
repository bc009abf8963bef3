"""What damage to a model directory may do: be refused in one sentence, or change nothing."""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import torch

from sentiment.errors import InputError
from sentiment.persistence.checkpoint import Checkpoint, load_checkpoint

JSON_FILES = ("config.json", "vocab.json", "metrics.json")


def same(one: Checkpoint, other: Checkpoint) -> bool:
    """Whether two checkpoints answer alike and say the same of themselves."""
    return (
        one.digest() == other.digest()
        and one.metrics == other.metrics
        and all(torch.equal(tensor, other.weights[name]) for name, tensor in one.weights.items())
    )


def truncated(data: bytes, step: int) -> Iterator[bytes]:
    """The file's prefix_fraction, a step apart; never the whole."""
    return (data[:length] for length in range(0, len(data), step))


def flipped(data: bytes, places: int, seed: int) -> Iterator[bytes]:
    """The file with one byte changed, at random places."""
    chance = random.Random(seed)
    for _ in range(places):
        damaged = bytearray(data)
        damaged[chance.randrange(len(data))] ^= chance.randrange(1, 256)
        yield bytes(damaged)


def refusals(directory: Path, name: str, damages: Iterator[bytes], scratch: Path) -> tuple[int, int]:
    """Put each damaged content in place of a file and load; returns how many were refused, and how many were tried.

    Raises:
        AssertionError: for a model that loads and differs, or a refusal that is not one line naming a file.
    """
    intact = load_checkpoint(directory, "sentiment-rnn")
    shutil.copytree(directory, scratch)
    refused = tried = 0
    for damaged in damages:
        tried += 1
        (scratch / name).write_bytes(damaged)
        try:
            assert same(load_checkpoint(scratch, "sentiment-rnn"), intact), f"{name}: another model loads"
        except InputError as error:
            refused += 1
            assert str(scratch) in str(error) and "\n" not in str(error), error
    return refused, tried
