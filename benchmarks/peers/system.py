"""A system that labels reviews: how it learns, how it is loaded, and what the table says of it.

Every process that is measured imports this module, so it imports the standard library alone.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

Predict = Callable[[Sequence[str]], list[int]]
"""Reviews in, as many labels out: 1 positive, 0 negative."""


@dataclass(frozen=True)
class TrainingData:
    """The training split."""

    texts: list[str]
    labels: list[int]

    def fingerprint(self) -> str:
        """SHA-256 of reviews and labels."""
        digest = hashlib.sha256()
        for text, label in zip(self.texts, self.labels, strict=True):
            digest.update(f"{label}{text}\0".encode())
        return digest.hexdigest()


@dataclass(frozen=True)
class System:
    """One way to label reviews.

    It learns once: `prepare` writes its directory. Every process that measures it loads it from there. Both functions
    import their libraries themselves, so that a cold start holds the imports of one system and no other's.
    """

    name: str
    description: str
    """How it is run, for the notes below the table."""
    directory: Path
    """Where its files lie; their size is its size on disk."""
    load: Callable[[Path], Predict]
    """At the top level of a module: another process finds it by its name."""
    prepare: Callable[[TrainingData, Path], None] | None = None
    """None where the directory is there already. Systems that share a directory share this."""
    packages: tuple[str, ...] = ()
    """Modules without which the system is left out."""
    most_reviews: int | None = None
    """A slow system reads this many of the reviews, evenly spaced by length."""
    quoted_accuracy: float | None = None
    """0 to 1, for a system with random weights, of which only the speed is measured."""
    quoted_from: str | None = None
    """Where that accuracy stands."""
    ours: bool = False

    def missing_packages(self) -> list[str]:
        """Modules that are not installed; with any, the system cannot be measured."""
        return [module for module in self.packages if find_spec(module) is None]

    def size_on_disk(self) -> int:
        """Bytes of its files; libraries are not counted."""
        return sum(file.stat().st_size for file in self.directory.rglob("*") if file.is_file())
