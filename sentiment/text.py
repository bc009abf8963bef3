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
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
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
_DASHES = "‒–—―"
_HYPHENS = re.compile(r"--+")
_NEGATED_VERB = re.compile(r"(?<=\w)n't\b", re.IGNORECASE)
# the same in lower-case ASCII; a pattern that begins with plain letters is looked up ten times as fast
_NEGATED_VERB_ASCII = re.compile(r"n't(?<=\wn't)\b")


def _basic_english() -> list[tuple[str, str]]:
    """What torchtext's tokeniser replaces by what, before it splits at white space.

    From its own file, `torchtext/data/utils.py`, which needs nothing else of torchtext. It writes them as patterns;
    all but the last are plain strings, which `str.replace` does four times as fast, and the last makes white space
    single, which `str.split` does not ask for.
    """
    package = importlib.util.find_spec("torchtext")  # finds it without running it
    if package is None or package.origin is None:
        raise ModuleNotFoundError("torchtext 0.6.0 is missing; install it as this package asks for it.")
    file = Path(package.origin).parent / "data" / "utils.py"
    spec = importlib.util.spec_from_file_location("sentiment._torchtext_data_utils", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    plain = [re.sub(r"\\(.)", r"\1", pattern) for pattern in module._patterns[:-1]]
    return list(zip(plain, module._replacements, strict=False))


_REPLACEMENTS = _basic_english()


def normalise(text: str) -> str:
    """One spelling for what readers see as the same text.

    Entities are resolved, tags dropped, compatibility characters unified (NFKC), invisible and control
    characters removed, quotes and dashes made plain, white space made single. Linear in the text's length.
    """
    text = _TAG.sub(" ", html.unescape(text))
    text = _CONTROL.sub(" ", text)
    if text.isascii():  # as most reviews are; nothing else below could change them
        text = text.replace("`", "'")
    else:
        text = _INVISIBLE.sub("", text).translate(_QUOTES)
        text = unicodedata.normalize("NFKC", text).translate(_QUOTES)
        for dash in _DASHES:
            text = text.replace(dash, " - ")
    return " ".join(_HYPHENS.sub(" - ", text).split())


def tokenise(text: str) -> list[str]:
    """Lower-case words and punctuation of a normalised text, by torchtext's `basic_english`.

    `n't` stays with its verb ("isn't" is one token, "isnt"): split at the apostrophe, a negation would be three
    tokens of which none is negative by itself.
    """
    if text.isascii():
        return _split(_NEGATED_VERB_ASCII.sub("nt", text.lower()))
    # a letter's lower case can be two characters, of which the second is no letter
    return _split(_NEGATED_VERB.sub("nt", text).lower())


def _split(text: str) -> list[str]:
    for old, new in _REPLACEMENTS:
        text = text.replace(old, new)
    return text.split()


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
        self._ids = {word: index for index, word in enumerate(counts, len(SPECIALS))}

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: str) -> bool:
        return word in self._ids or word in SPECIALS

    def encode(self, tokens: Iterable[str]) -> list[int]:
        """Id of each token; unknown words, and words spelled like a special token, give `UNKNOWN_ID`."""
        return list(map(self._ids.get, tokens, repeat(UNKNOWN_ID)))


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

    def encode_document(self, document: str) -> list[int]:
        """`encode` of a review given as its tokens joined by spaces."""
        return self.encode(document.split())
