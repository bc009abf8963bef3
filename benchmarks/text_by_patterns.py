"""A text's words by regular expressions, torchtext's own and those that `sentiment.text` stands for."""

import html
import re
import unicodedata

from torchtext.data.utils import get_tokenizer

from sentiment import text as text_room

_basic_english = get_tokenizer("basic_english")


def tokens_by_patterns(text: str) -> list[str]:
    """What `tokenise(normalise(text))` gives, by pattern after pattern."""
    text = text_room._TAG.sub(" ", html.unescape(text))
    text = text_room._INVISIBLE.sub("", text_room._CONTROL.sub(" ", text))
    text = unicodedata.normalize("NFKC", text.translate(text_room._QUOTES)).translate(text_room._QUOTES)
    text = re.sub(r"\s+", " ", re.sub(r"[‒–—―]|-{2,}", " - ", text)).strip()
    return _basic_english(re.sub(r"(?<=\w)n't\b", "nt", text, flags=re.IGNORECASE))
