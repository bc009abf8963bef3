"""From raw text to token ids: normalise, tokenise, look up. The only room that knows torchtext.

>>> tokenise(normalise("<b>It isn’t</b> bad &amp; I&#39;d watch it again..."))
['it', 'isnt', 'bad', '&', 'i', "'", 'd', 'watch', 'it', 'again', '.', '.', '.']
"""

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from torchtext.data.utils import get_tokenizer
from torchtext.vocab import Vocab

from sentiment.config import Direction, Keep

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
_basic_english = get_tokenizer("basic_english")


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
    return _basic_english(_NEGATED_VERB.sub("nt", text))


class Vocabulary:
    """Words and their ids: a torchtext vocabulary that never grows when it is asked.

    Args:
        counts: how often each word was seen in the training part.
        max_size: most words kept, special tokens not counted; None keeps all.
        min_frequency: words seen fewer times are left out.
    """

    def __init__(self, counts: Mapping[str, int], max_size: int | None = None, min_frequency: int = 1) -> None:
        self._vocab = Vocab(Counter(counts), max_size=max_size, min_freq=min_frequency, specials=list(SPECIALS))
        self._ids: dict[str, int] = dict(self._vocab.stoi)

    def __len__(self) -> int:
        return len(self._vocab.itos)

    def __contains__(self, word: str) -> bool:
        return word in self._ids

    @property
    def words(self) -> Sequence[str]:
        """Words by id; the first ones are `SPECIALS`."""
        return self._vocab.itos

    @property
    def counts(self) -> dict[str, int]:
        """Training count of each kept word, most frequent first; rebuilds this vocabulary."""
        return {word: self._vocab.freqs[word] for word in self.words[len(SPECIALS) :]}

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
