import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment.text.normalization import FIRST_STEPS, normalize
from sentiment.text.tokenizer import tokenize
from sentiment.text.vocabulary import END_ID, PADDING, SPECIALS, UNKNOWN_ID, TextEncoder, Vocabulary, build_vocabulary


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ("Great.<br /><br />Really", "Great. Really"),
        ("a &amp; b &quot;c&quot; &#39;d&#39;", "a & b \"c\" 'd'"),
        ("&lt;br /&gt;escaped twice", "escaped twice"),
        ("“curly” and ‘single’ and it’s", "\"curly\" and 'single' and it's"),
        ("ﬁne\u00a0film\u200b", "fine film"),
        ("tab\tline\nnull\x00end\ud800", "tab line null end"),
        ("good—no, great -- really", "good - no, great - really"),
        ("5 < 6 and I <3 it", "5 < 6 and I love it"),
        ("<p></p>", ""),
    ],
)
def test_normalize(raw: str, plain: str) -> None:
    assert normalize(raw) == plain


def test_a_negation_is_one_token_in_all_spellings() -> None:
    spellings = ["isn't", "isn’t", "ISN'T", "isn&#39;t"]
    assert [tokenize(normalize(text)) for text in spellings] == [["isnt"]] * 4


@given(st.text())
def test_normalize_is_idempotent_on_plain_text(text: str) -> None:
    once = normalize(text.replace("&", "").replace("<", ""), FIRST_STEPS)
    assert normalize(once, FIRST_STEPS) == once


@given(st.text(alphabet=st.characters()))
def test_any_text_gives_tokens_without_white_space(text: str) -> None:
    tokens = tokenize(normalize(text))
    assert " ".join(tokens).split() == tokens


@pytest.mark.parametrize("part", ["<", "<a", "<!--", "&", "&#", "a", "'", "n't", "-", " ", "&lt;", "<a "])
def test_time_is_linear_in_the_length(part: str) -> None:
    def seconds(length: int) -> float:
        text = part * (length // len(part))
        start = time.perf_counter()
        tokenize(normalize(text))
        return time.perf_counter() - start

    # a quadratic pattern takes minutes here; a linear one some tenths of a second
    assert seconds(1_000_000) < 10


def test_vocabulary_keeps_the_most_frequent_words() -> None:
    vocabulary = build_vocabulary([["film", "film", "good"], ["film", "good", "rare"]], max_size=10, min_frequency=2)
    assert vocabulary.words == [*SPECIALS, "film", "good"]
    assert build_vocabulary([["b", "a", "c", "c"]], max_size=2, min_frequency=1).words == [*SPECIALS, "c", "a"]


def test_unknown_words_do_not_grow_the_vocabulary() -> None:
    vocabulary = Vocabulary({"film": 3})
    before = len(vocabulary)
    assert vocabulary.encode(["film", "zyzzyva", "<pad>", "<eos>"]) == [END_ID + 1, UNKNOWN_ID, UNKNOWN_ID, UNKNOWN_ID]
    assert len(vocabulary) == before
    assert "zyzzyva" not in vocabulary


@given(st.dictionaries(st.text(min_size=1), st.integers(1, 5), max_size=30))
def test_vocabulary_is_restored_from_json(counts: dict[str, int]) -> None:
    vocabulary = Vocabulary(counts, max_size=20, min_frequency=2)
    again = Vocabulary(json.loads(json.dumps(vocabulary.counts)))
    assert again.words == vocabulary.words


def test_keep_and_direction() -> None:
    vocabulary = Vocabulary({"a": 4, "b": 3, "c": 2, "d": 1})
    tokens = ["a", "b", "c", "d"]
    assert TextEncoder(vocabulary, 3, "head").tokens_read(tokens) == ["a", "b", "c"]
    assert TextEncoder(vocabulary, 3, "tail").tokens_read(tokens) == ["b", "c", "d"]
    assert TextEncoder(vocabulary, 3, "tail", "backward").tokens_read(tokens) == ["d", "c", "b"]
    assert TextEncoder(vocabulary, 9).encode(["b", PADDING]) == [4, UNKNOWN_ID]
    assert TextEncoder(vocabulary, 2).encode_document("d c a") == [5, 3]
    assert TextEncoder(vocabulary, 2).encode_document("") == []
