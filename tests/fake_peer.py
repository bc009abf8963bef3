"""A system that costs nothing, for the processes that the tests of benchmarks start: it imports nothing heavy."""

from pathlib import Path
from typing import Any


def load_good(directory: Path) -> Any:
    """Looks for one word."""
    print("a library that talks")
    word = (directory / "word").read_text()
    return lambda texts: [int(word in text) for text in texts]


def load_short(directory: Path) -> Any:
    """Always gives one label."""
    return lambda texts: [1]


def load_broken(directory: Path) -> Any:
    """Does not load."""
    raise ValueError("no such lexicon")


def prepare_good(data: Any, directory: Path) -> None:
    """Learns its word: the first review."""
    (directory / "word").write_text(data.texts[0])
