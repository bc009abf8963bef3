"""Reviews in both forms that teachers read: as they were written, and as tokens."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from sentiment.data.loading import tokenize_texts


@dataclass(frozen=True)
class Texts:
    """The same reviews in two forms, both [n]."""

    written: Sequence[str]
    """As they were written: for transformers, which have their own tokenizers."""
    documents: Sequence[str]
    """Tokens joined by spaces: for LSTMs and n-grams."""

    @classmethod
    def tokenized(cls, written: Iterable[str]) -> Self:
        """Texts in both forms, from those that were written."""
        written = list(written)
        return cls(written, tokenize_texts(written))

    def rows(self, chosen: Iterable[int]) -> "Texts":
        """The reviews at some positions."""
        chosen = list(chosen)
        return Texts([self.written[row] for row in chosen], [self.documents[row] for row in chosen])

    def __add__(self, other: "Texts") -> "Texts":
        return Texts([*self.written, *other.written], [*self.documents, *other.documents])

    def __len__(self) -> int:
        return len(self.documents)
