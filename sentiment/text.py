"""From raw text to token ids: normalise, tokenise, look up. The only room that knows torchtext.

Importing it imports neither torch nor all of torchtext (which imports torch): reading with a finished vocabulary takes
one file of torchtext, building one takes the rest.

>>> tokenise(normalise("<b>It isn’t</b> bad &amp; I&#39;d watch it again..."))
['it', 'isnt', 'bad', '&', 'i', "'", 'd', 'watch', 'it', 'again', '.', '.', '.']
"""

import html
import importlib.util
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Keep = Literal["head", "tail"]
Direction = Literal["forward", "backward"]

VERSION = 1
"""Raised when normalise or tokenise change their output; models and caches of another version are refused."""

UNKNOWN, PADDING, END = "<unk>", "<pad>", "<eos>"
SPECIALS = (UNKNOWN, PADDING, END)
UNKNOWN_ID, PADDING_ID, END_ID = range(3)

_TAG = re.compile(r"<[/!]?[a-zA-Z-][^<>]*>")
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffd]")
_QUOTES = str.maketrans({**dict.fromkeys("‘’‚‛′ʼ`´", "'"), **dict.fromkeys("“”„‟″«»", '"')})
_DASH = re.compile(r"[‒–—―]|-{2,}")
_SPACE = re.compile(r"\s+")
_NEGATED_VERB = re.compile(r"(?<=\w)n't\b", re.IGNORECASE)


def _basic_english() -> Callable[[str], list[str]]:
    """torchtext's tokeniser from its own file, `torchtext/data/utils.py`, which needs nothing else of torchtext."""
    package = importlib.util.find_spec("torchtext")  # finds it without running it
    if package is None or package.origin is None:
        raise ModuleNotFoundError("torchtext 0.6.0 is missing; install it as this package asks for it.")
    file = Path(package.origin).parent / "data" / "utils.py"
    spec = importlib.util.spec_from_file_location("sentiment._torchtext_data_utils", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    tokenizer: Callable[[str], list[str]] = module.get_tokenizer("basic_english")
    return tokenizer


_split = _basic_english()


def normalise(text: str) -> str:
    """One spelling for what readers see as the same text.

    Entities are resolved, tags dropped, compatibility characters unified (NFKC), invisible and control
    characters removed, quotes and dashes made plain, white space made single. Linear in the text's length.
    """
    text = _TAG.sub(" ", html.unescape(text))
    text = _INVISIBLE.sub("", _CONTROL.sub(" ", text))
    text = unicodedata.normalize("NFKC", text.translate(_QUOTES)).translate(_QUOTES)
    return _SPACE.sub(" ", _DASH.sub(" - ", text)).strip()


def tokenise(text: str) -> list[str]:
    """Lower-case words and punctuation of a normalised text, by torchtext's `basic_english`.

    `n't` stays with its verb ("isn't" is one token, "isnt"): split at the apostrophe, a negation would be three
    tokens of which none is negative by itself.
    """
    return _split(_NEGATED_VERB.sub("nt", text))


class Vocabulary:
    """Words and their ids: a torchtext vocabulary that never grows when it is asked.

    Args:
        counts: how often each word was seen in the training part.
        max_size: most words kept, special tokens not counted; None keeps all.
        min_frequency: words seen fewer times are left out.
    """

    def __init__(self, counts: Mapping[str, int], max_size: int | None = None, min_frequency: int = 1) -> None:
        from torchtext.vocab import Vocab

        vocab = Vocab(Counter(counts), max_size=max_size, min_freq=min_frequency, specials=list(SPECIALS))
        self._fill({word: counts[word] for word in vocab.itos[len(SPECIALS) :]})

    @classmethod
    def restored(cls, counts: Mapping[str, int]) -> "Vocabulary":
        """The vocabulary whose `counts` these are: `Vocabulary(counts)`, without torchtext.

        Raises:
            ValueError: if they are not `counts` of a vocabulary: in another order, or with a special token among them.
            TypeError: if they are not numbers of words.
        """
        ranks = [(-count, word) for word, count in counts.items()]
        if ranks != sorted(ranks) or not counts.keys().isdisjoint(SPECIALS):
            raise ValueError("the words are not those of a vocabulary, most frequent first")
        vocabulary = cls.__new__(cls)
        vocabulary._fill(dict(counts))
        return vocabulary

    def _fill(self, counts: dict[str, int]) -> None:
        self.counts = counts
        """Training count of each kept word, most frequent first; `restored` makes this vocabulary of it again."""
        self.words: Sequence[str] = [*SPECIALS, *counts]
        """Words by id; the first ones are `SPECIALS`."""
        self._ids = {word: index for index, word in enumerate(self.words)}

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: str) -> bool:
        return word in self._ids

    def encode(self, tokens: Iterable[str]) -> list[int]:
        """Id of each token; unknown words, and words spelled like a special token, give `UNKNOWN_ID`."""
        ids = (self._ids.get(token, UNKNOWN_ID) for token in tokens)
        return [UNKNOWN_ID if index < len(SPECIALS) else index for index in ids]


def build_vocabulary(tokenised: Iterable[Sequence[str]], max_size: int, min_frequency: int) -> Vocabulary:
    """Vocabulary of the words in `tokenised`, the training part's token lists."""
    counts: Counter[str] = Counter()
    for tokens in tokenised:
        counts.update(tokens)
    return Vocabulary(counts, max_size, min_frequency)


@dataclass(frozen=True)
class TextEncoder:
    """The way from a text to what the network reads, with the settings a model was trained with."""

    vocabulary: Vocabulary
    max_length: int
    keep: Keep = "tail"
    direction: Direction = "forward"

    def tokens_read(self, tokens: Sequence[str]) -> Sequence[str]:
        """The part of a review that is read, in the order of reading."""
        if len(tokens) > self.max_length:
            tokens = tokens[: self.max_length] if self.keep == "head" else tokens[-self.max_length :]
        return tokens if self.direction == "forward" else tokens[::-1]

    def encode(self, tokens: Sequence[str]) -> list[int]:
        """Ids of the tokens that are read, at most `max_length`."""
        return self.vocabulary.encode(self.tokens_read(tokens))
