"""The fast tokenizer gives exactly the same result as regular expressions."""

import html
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torchtext.data.utils import get_tokenizer

from sentiment.text import characters, markup
from sentiment.text.normalization import FIRST_STEPS, normalize
from sentiment.text.tokenizer import tokenize

basic_english = get_tokenizer("basic_english")
# letters whose lower case has two characters, all kinds of spaces, dashes, quotes and tags, and plain words
PIECES = [
    "n't",
    "N'T",
    "isn't",
    "İn't",
    "ŉ't",
    "--",
    "—",
    "－",
    "<br />",
    "<b",
    'r"',
    " />",
    "&lt;",
    "`",
    "´",
    "’",
    "\x1c",
]
PIECES += ["\x85", "\u00a0", "\u2028", "\u200b", "\ufffd", "\ud800", "ﬁ", "é", ".", ",", "(", ")", "!", "?", ";", ":"]
quotes = str.maketrans(characters._QUOTES)
texts = st.text() | st.lists(st.sampled_from(PIECES) | st.text(max_size=3)).map("".join)


def normalize_by_patterns(text: str) -> str:
    text = markup._TAG.sub(" ", html.unescape(text))
    text = characters._INVISIBLE.sub("", characters._CONTROL.sub(" ", text))
    text = unicodedata.normalize("NFKC", text.translate(quotes)).translate(quotes)
    return re.sub(r"\s+", " ", re.sub(r"[‒–—―]|-{2,}", " - ", text)).strip()


def tokenize_by_patterns(text: str) -> list[str]:
    return basic_english(re.sub(r"(?<=\w)n't\b", "nt", text, flags=re.IGNORECASE))


@settings(max_examples=500, deadline=None)
@given(texts)
@example("N'T isN'T n'tn't n't_ n'té --- -- - —-- a`b")
def test_any_text(text: str) -> None:
    plain = normalize(text, FIRST_STEPS)
    assert plain == normalize_by_patterns(text)
    assert tokenize(plain) == tokenize_by_patterns(plain)
    assert tokenize(text) == tokenize_by_patterns(text)  # also for text that is not normalized


def test_every_character_that_can_be_changed() -> None:
    for code in [*range(0x3100), *range(0xD7F0, 0xE010), *range(0xFB00, 0x10000)]:
        text = f"a{chr(code)}n't --{chr(code)}b"
        plain = normalize(text, FIRST_STEPS)
        assert plain == normalize_by_patterns(text), hex(code)
        assert tokenize(plain) == tokenize_by_patterns(plain), hex(code)


@pytest.mark.real_data
def test_real_reviews(imdb: Path) -> None:
    import pyarrow.parquet as pq

    for text in pq.read_table(imdb / "train.parquet", columns=["text"])["text"].to_pylist()[::50]:
        plain = normalize(text, FIRST_STEPS)
        assert plain == normalize_by_patterns(text)
        assert tokenize(plain) == tokenize_by_patterns(plain)
