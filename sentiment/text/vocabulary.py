"""From tokens to token ids: the vocabulary of a model, and how it encodes a review."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Literal

import numpy as np

from sentiment.text.long_text import LongText, Tokens
from sentiment.text.normalization import CURRENT_STEPS, normalize
from sentiment.text.repair import repair, repair_traced
from sentiment.text.tokenizer import separate, tokenize
from sentiment.text.tracing import TracedText, split

Keep = Literal["head", "tail"]
Direction = Literal["forward", "backward"]

UNKNOWN, PADDING, END = "<unk>", "<pad>", "<eos>"
SPECIALS = (UNKNOWN, PADDING, END)
UNKNOWN_ID, PADDING_ID, END_ID = range(3)


class Vocabulary:
    """Words and their ids, chosen and sorted by torchtext; looking up an unknown word does not add it.

    Args:
        counts: count of each word in the training texts.
        max_size: maximum number of words, without special tokens; None for no limit.
        min_frequency: minimum count of a word.
    """

    def __init__(self, counts: Mapping[str, int], max_size: int | None = None, min_frequency: int = 1) -> None:
        from torchtext.vocab import Vocab

        vocab = Vocab(Counter(counts), max_size=max_size, min_freq=min_frequency, specials=list(SPECIALS))
        self._fill({word: counts[word] for word in vocab.itos[len(SPECIALS) :]})

    @classmethod
    def restored(cls, counts: Mapping[str, int]) -> "Vocabulary":
        """Restore a vocabulary from its `counts`: the same as `Vocabulary(counts)`, but without torchtext.

        Raises:
            ValueError: if the order is not that of a vocabulary, or a special token has a count.
            TypeError: if a count is not a number.
        """
        ranks = [(-count, word) for word, count in counts.items()]
        if ranks != sorted(ranks) or not counts.keys().isdisjoint(SPECIALS):
            raise ValueError("the words are not sorted by count, most frequent first, or include a special token")
        vocabulary = cls.__new__(cls)
        vocabulary._fill(dict(counts))
        return vocabulary

    def _fill(self, counts: dict[str, int]) -> None:
        self.counts = counts
        """Training count of each word, most frequent first; `restored` creates the vocabulary from it."""
        self.words: Sequence[str] = [*SPECIALS, *counts]
        """Words by id; `SPECIALS` come first."""
        self._ids = {word: index for index, word in enumerate(counts, len(SPECIALS))}

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: str) -> bool:
        return word in self._ids or word in SPECIALS

    def encode(self, tokens: Iterable[str]) -> list[int]:
        """Id of each token; `UNKNOWN_ID` for unknown words and for words spelled like a special token."""
        return list(map(self._ids.get, tokens, repeat(UNKNOWN_ID)))

    def encode_all(self, reviews: Sequence[Sequence[str]]) -> tuple[np.ndarray, np.ndarray]:
        """Ids of the tokens of all reviews, one after the other [tokens] int32, and tokens per review [n] int64."""
        lengths = np.array([len(tokens) for tokens in reviews], dtype=np.int64)
        ids = map(self._ids.get, chain.from_iterable(reviews), repeat(UNKNOWN_ID))
        return np.fromiter(ids, np.int32, int(lengths.sum())), lengths


def build_vocabulary(tokenized: Iterable[Sequence[str]], max_size: int, min_frequency: int) -> Vocabulary:
    """Count the words in the token lists of the training texts and build their vocabulary."""
    counts: Counter[str] = Counter()
    for tokens in tokenized:
        counts.update(tokens)
    return Vocabulary(counts, max_size, min_frequency)


@dataclass(frozen=True)
class TextEncoder:
    """Turns tokens into the token ids that a network gets; has the text settings that a model was trained with."""

    vocabulary: Vocabulary
    max_length: int
    keep: Keep = "tail"
    direction: Direction = "forward"
    steps: tuple[str, ...] = CURRENT_STEPS
    """Names of the steps of normalization and repair."""

    def tokenize(self, text: str) -> list[str]:
        """All tokens of a raw text: normalized, tokenized, and repaired where they are not known."""
        return self.repair(tokenize(normalize(text, self.steps)))

    def tokenize_with_offsets(self, text: str) -> tuple[list[str], np.ndarray]:
        """The tokens of a raw text, and where each stands in it.

        Returns:
            The same tokens as `tokenize`, and [tokens, 2] int64: start and end of each in the text. They are in order
            and do not overlap. Of several tokens that stand for one sign, such as the four of "★★★★☆", the first has
            its place, and the others are empty.
        """
        separated = separate(normalize(TracedText(text), self.steps))
        assert isinstance(separated, TracedText)
        return split(repair_traced(separated, self.vocabulary.counts, self.steps))

    def repair(self, tokens: list[str]) -> list[str]:
        """The tokens, with those repaired that are not known."""
        return repair(tokens, self.vocabulary.counts, self.steps)

    def tokens_read(self, tokens: Tokens, long_text: LongText | None = None) -> Tokens:
        """The tokens that the network gets, in reading direction: at most `max_length`, or all of them.

        Args:
            tokens: tokens of a review, or an array with a row for each.
            long_text: what to read of a longer review; None for `keep`.
        """
        part = long_text or self.keep
        if len(tokens) > self.max_length and part in ("head", "tail"):
            tokens = tokens[: self.max_length] if part == "head" else tokens[-self.max_length :]  # type: ignore[assignment]
        return tokens if self.direction == "forward" else tokens[::-1]  # type: ignore[return-value]  # a part has the same type

    def encode(self, tokens: Sequence[str]) -> list[int]:
        """Ids of `tokens_read(tokens)`: at most `max_length`."""
        return self.vocabulary.encode(self.tokens_read(tokens))

    def encode_document(self, document: str) -> list[int]:
        """Like `encode`, for a review given as tokens joined by spaces that are not repaired yet."""
        return self.encode(self.repair(document.split()))
