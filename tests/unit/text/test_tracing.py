"""Every token knows where it stands in the text as it was written."""

import re
import unicodedata
from functools import partial

import numpy as np
import pytest
from fuzzing import texts
from hypothesis import given
from hypothesis import strategies as st

from sentiment.text.normalization import CURRENT_STEPS, FIRST_STEPS
from sentiment.text.tracing import TracedText, collapse, rewrite, split, sub
from sentiment.text.vocabulary import TextEncoder, Vocabulary

WORDS = [
    "a",
    "good",
    "bad",
    "film",
    "it",
    "isnt",
    "love",
    "great",
    "lovely",
    "funny",
    "out",
    "of",
    "10",
    "8",
    "wonderful",
]
ENCODERS = [
    TextEncoder(Vocabulary(dict.fromkeys(WORDS, 30)), max_length=400, steps=steps)
    for steps in (CURRENT_STEPS, FIRST_STEPS)
]
PIECES = [
    *(
        "isn't ",
        "<br />",
        "&amp;",
        "&amp;lt;p&gt;",
        "&nbsp;",
        "&#39;",
        "&#x1F600",
        "👍🏿",
        "❤️",
        "1️⃣",
        "👩\u200d❤️\u200d👨",
    ),
    *("★★★☆☆", "3/5", "4 stars", "**good**", "_bad_", "[film](http://a.b)", "# ", "\n> ", "http://a.b/c ", "#funny"),
    *(":-)", "</3", "wasnâ€™t", "cafÃ©", "great/lovely", "/a--b/", "loooved", "wondreful", "gooood-filmm"),
    *("İ", "ﬁ", "ΑΣ ", "e\u0301", "\u3000", "\u200b", "…", "--", "`", "\\n", "\\'"),
]
mixtures = st.lists(st.sampled_from(PIECES) | texts, max_size=10).map("".join)


@pytest.mark.parametrize("encoder", ENCODERS)
@given(text=mixtures)
def test_the_places_of_any_text_are_in_order_and_do_not_overlap_and_lie_inside_it(encoder, text):
    tokens, offsets = encoder.tokenize_with_offsets(text)
    assert tokens == encoder.tokenize(text)
    assert offsets.shape == (len(tokens), 2)
    borders = offsets.ravel()
    assert (np.diff(borders) >= 0).all()
    assert ((borders >= 0) & (borders <= len(text))).all()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It ISN'T\n bad.", "It ISN'T bad ."),
        ("<b>Good</b> film<br/>", "Good film"),
        ("Tom &amp;amp; isn&#39;t", "Tom &amp;amp; isn&#39;t"),
        ("a&amp;b&amp;c", "a&amp;b&amp;c"),
        ("**good** _bad_ [film](http://a.b) #love", "good bad film love"),
        ("It wasnâ€™t funny, isn’t it", "It wasnâ€™t funny , isn’t it"),
        ("👍🏿 thumbs up 😍😍", "👍🏿 thumbs up 😍 😍"),
        ("★★★★☆ or 3.5/5", "★★★★☆ or 3.5/5"),
        ("fun :-) twice :)))", "fun :-) twice :)))"),
        ("great/lovely--fun|film", "great lovely -- fun film"),
        ("Loooved wondreful", "Loooved wondreful"),
        ("ｈｅｌｌｏ\u3000ｗｏｒｌｄ ﬁne İt e\u0301t", "ｈｅｌｌｏ ｗｏｒｌｄ ﬁne İt e\u0301t"),
        ("see https://a.b/c now", "see now"),
        (r"didn\'t care\nfor it", "didn\\'t care for it"),
    ],
)
def test_a_token_has_the_spelling_of_its_writer(text, expected):
    _, offsets = ENCODERS[0].tokenize_with_offsets(text)
    assert [text[start:end] for start, end in offsets if start < end] == expected.split()


def test_of_several_tokens_for_one_sign_the_others_are_empty():
    tokens, offsets = ENCODERS[0].tokenize_with_offsets("a ★★★★☆ film")
    assert tokens == ["a", "8", "out", "of", "10", "film"]
    assert offsets.tolist() == [[0, 1], [2, 7], [7, 7], [7, 7], [7, 7], [8, 12]]


@given(text=mixtures, old=st.sampled_from([".", "n", "\\n"]), new=st.sampled_from(["", " . ", "nt"]))
def test_a_traced_text_reads_like_any_other(text, old, new):
    traced = TracedText(text)
    nfkc = partial(unicodedata.normalize, "NFKC")
    assert traced.replace(old, new) == text.replace(old, new)
    assert traced.lower() == text.lower()
    assert sub(re.compile(r"(\w)\w"), r"\1 ", traced) == sub(re.compile(r"(\w)\w"), r"\1 ", text)
    assert rewrite(nfkc, traced) == nfkc(text)
    assert collapse(traced) == collapse(text)
    assert split(traced)[0] == text.split()
    edited = traced.edited([(0, len(text) // 2, new)])
    assert edited == new + text[len(text) // 2 :]
    for changed in (traced.lower(), rewrite(nfkc, traced), collapse(traced), edited):
        assert isinstance(changed, TracedText)
        assert changed.origins.shape == (len(changed), 2)
