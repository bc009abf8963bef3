"""Characters: wrong encodings are undone, and characters that look the same get one form."""

import re
import unicodedata

from sentiment.text.tracing import collapse, rewrite, sub

_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffd]")
_QUOTES = {**dict.fromkeys("‘’‚‛′ʼ`´", "'"), **dict.fromkeys("“”„‟″«»", '"')}
_DASHES = "‒–—―"
_COMPOSED = re.compile(r"[!-~]?[^\x00-\x7f\s]+|[^\x00-\x7f]")
"""What Unicode can compose to one character: a letter and the accents behind it."""
_ACCENTS = re.compile(r"([^\x00-\x7f\w\s]{200})")
"""So many accents in a row that no letter has them."""
_HYPHENS = re.compile(r"--+")

_NEIGHBORS = re.compile(r"[^\x00-\x7f]{2}")
"""A character in UTF-8 has two bytes or more, each of which a wrong decoding turns into a character of its own."""


def mojibake(text: str) -> str:
    """Undo UTF-8 that was read in another encoding, such as "isnâ€™t"."""
    if text.isascii() or not _NEIGHBORS.search(text):
        return text
    from ftfy import fix_encoding

    return rewrite(fix_encoding, text)


def characters(text: str) -> str:
    """Give characters that look the same one form, and remove those that cannot be seen."""
    if text.isascii():  # most of the steps change only other text
        text = text.replace("`", "'")
        if not text.isprintable():
            text = sub(_CONTROL, " ", text)
    else:
        text = sub(_CONTROL, " ", text)
        text = _plain_quotes(sub(_INVISIBLE, "", text))
        text = _plain_quotes(rewrite(_compose, text, _COMPOSED))
        for dash in _DASHES:
            text = text.replace(dash, " - ")
    if "--" in text:
        text = sub(_HYPHENS, " - ", text)
    return collapse(text)


def _compose(text: str) -> str:
    """Unicode's NFKC; long rows of accents by themselves, since their order takes time that grows with the square."""
    return "".join(unicodedata.normalize("NFKC", part) for part in _ACCENTS.split(text))


def _plain_quotes(text: str) -> str:
    for quote, plain in _QUOTES.items():  # `str.translate` takes ten times as long
        text = text.replace(quote, plain)
    return text
