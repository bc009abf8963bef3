"""From normalized text (`sentiment.text.normalization`) to tokens, with torchtext's `basic_english` rules.

Importing this module imports neither torch nor the package torchtext (which imports torch), only one file of torchtext.

>>> tokenize("It isn't bad & I'd watch it again...")
['it', 'isnt', 'bad', '&', 'i', "'", 'd', 'watch', 'it', 'again', '.', '.', '.']
"""

import importlib.util
import re
from pathlib import Path

from sentiment.text.tracing import sub

VERSION = 1
"""Increase it when the output of `tokenize` changes; models of other versions are then rejected."""

_NEGATED_VERB = re.compile(r"(?<=\w)n't\b", re.IGNORECASE)
# the same for lower-case ASCII: a pattern that begins with plain letters is ten times as fast
_NEGATED_VERB_ASCII = re.compile(r"n't(?<=\wn't)\b")


def basic_english() -> list[tuple[str, str]]:
    """The replacements (old, new) of torchtext's tokenizer, which come before splitting at white space.

    They are read from `torchtext/data/utils.py`, which imports nothing else of torchtext. There they are regular
    expressions, but all except the last match plain strings, and `str.replace` is four times as fast. The last one
    removes double spaces; `str.split` does not need it.
    """
    package = importlib.util.find_spec("torchtext")  # does not import it
    if package is None or package.origin is None:
        raise ModuleNotFoundError("torchtext is not installed; install it with: pip install torchtext==0.6.0")
    file = Path(package.origin).parent / "data" / "utils.py"
    spec = importlib.util.spec_from_file_location("sentiment._torchtext_data_utils", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    plain = [re.sub(r"\\(.)", r"\1", pattern) for pattern in module._patterns[:-1]]
    return list(zip(plain, module._replacements, strict=False))


_REPLACEMENTS = basic_english()


def tokenize(text: str) -> list[str]:
    """Split a normalized text into lower-case words and punctuation marks, like torchtext's `basic_english`.

    `n't` stays with its verb: "isn't" is one token, "isnt". Split at the apostrophe, it would be three tokens, none of
    them negative by itself.
    """
    return separate(text).split()


def separate(text: str) -> str:
    """The normalized text in lower case, with white space between its tokens."""
    if text.isascii():
        text = text.lower()
        if "n't" in text:
            text = sub(_NEGATED_VERB_ASCII, "nt", text)
    else:  # lower-casing a letter can give two characters, the second of them not a letter
        text = sub(_NEGATED_VERB, "nt", text).lower()
    for old, new in _REPLACEMENTS:
        text = text.replace(old, new)
    return text
