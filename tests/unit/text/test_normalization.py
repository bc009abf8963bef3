"""Texts as people write them and programs export them become plain words."""

import pytest
from emoji import EMOJI_DATA, replace_emoji
from hypothesis import given
from hypothesis import strategies as st

from sentiment.text.emoji import emoji_name, emoji_to_words
from sentiment.text.normalization import CURRENT_STEPS, FIRST_STEPS, STEPS, normalize
from sentiment.text.repair import REPAIRS


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        # wrong encodings
        ("It wasnâ€™t funny â€” the cafÃ© scene", "It wasn't funny - the café scene"),
        ("Ã©mouvant", "émouvant"),
        ("naïve and Zoë", "naïve and Zoë"),
        # entities, escaped once and more
        ("Tom &amp; Jerry &#8211; fun", "Tom & Jerry - fun"),
        ("Tom &amp;amp;amp; Jerry", "Tom & Jerry"),
        ("&amp;lt;p&amp;gt;Fun&amp;lt;/p&amp;gt;", "Fun"),
        ("AT&T and R&B", "AT&T and R&B"),
        ("a number &#" + 5000 * "1" + "; of no character", "a number of no character"),
        # escapes of programs
        (r"didn\'t care\nfor \"it\"", 'didn\'t care for "it"'),
        (r"a film\tof two halves\r\n", "a film of two halves"),
        # Markdown, hash tags, addresses
        ("__Never__ again, **really**, ~~bad~~ `fine`", "Never again, really, bad fine"),
        ("**_both_** and ***all***", "both and all"),
        ("read [my review](https://a.b/c_d_e) first", "read my review first"),
        ("see https://a.b/c_d*e*f now", "see now"),
        ("# Great\n> not bad\n* really\n- fine", "Great not bad really fine"),
        ("* * 1/2 out of * * * *", None),
        ("#masterpiece #10yearchallenge, take #2", "masterpiece #10yearchallenge, take #2"),
        ("2 * 3 * 4, snake_case_name, *** out of ****", "2 * 3 * 4, snake_case_name, *** out of ****"),
        # emoji and emoticons
        ("😍😍", "love love"),
        ("so-so 👎🏿", "so-so thumbs down"),
        ("🍿 and ☠️", "popcorn and skull and crossbones"),
        ("Seen it :-) twice :)))", "Seen it smile twice smile"),
        ("fun :D yes :p </3", "fun smile yes smile disappointing"),
        ("Ending :'( though", "Ending disappointing though"),
        ("cast: Tom (as Joe): fine; 3:15", "cast: Tom (as Joe): fine; 3:15"),
        # ratings
        ("★★★☆☆", "6 out of 10"),
        ("⭐⭐⭐⭐⭐", "10 out of 10"),
        ("☆☆☆☆☆", "0 out of 10"),
        ("★½ of a film", "3 out of 10 of a film"),
        ("I give it 3.5/5.", "I give it 7 out of 10 ."),
        ("9.5/10", "10 out of 10"),
        ("a 45/100 at best", "a 5 out of 10 at best"),
        ("1 star", "2 out of 10"),
        ("Three and a half stars", "7 out of 10"),
        ("7 stars", "7 out of 10"),
        ("two out of five", "4 out of 10"),
        ("3 stars out of 4", "8 out of 10"),
        ("7 out of 10 stars", "7 out of 10"),
        ("4/5 stars.", "8 out of 10 ."),
        ("a 5-star film", "a 10 out of 10 film"),
        ("seen on 1/10, it has 2 stars: A and B", None),
        ("the two stars of the film, 9/11, 24/7, 1/2, 11/10, 9/10/2001", None),
        ("stars, starring, 5% and $5/10", None),
        ("fıve stars, fİve out of ten", None),
    ],
)
def test_each_kind_of_text(raw: str, plain: str | None) -> None:
    assert normalize(raw) == (raw if plain is None else plain)


@given(st.text())
def test_any_text_gives_words_between_single_spaces(text: str) -> None:
    for steps in (CURRENT_STEPS, FIRST_STEPS):
        found = normalize(text, steps)
        assert found == " ".join(found.split())


@given(st.text("abc ,.!?'\"0123456789", max_size=80).filter(lambda text: " out of " not in text))
def test_plain_sentences_stay_as_they_are(text: str) -> None:
    assert normalize(text) == normalize(text, FIRST_STEPS)


@pytest.mark.parametrize("step", STEPS)
@given(text=st.text())
def test_a_step_knows_any_text(step: str, text: str) -> None:
    assert isinstance(STEPS[step](text), str)


def test_every_step_has_a_name_of_its_own() -> None:
    assert STEPS.keys().isdisjoint(REPAIRS)
    assert {*FIRST_STEPS, *CURRENT_STEPS} == {*STEPS, *REPAIRS}


def test_long_rows_of_emoji_are_read_in_parts_and_none_is_divided() -> None:
    for sign in ("🇩🇪", "👩‍❤️‍👩", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "1️⃣", "❤️", "👍"):
        for text in (sign * 300, f"x{sign * 300}y", f"{sign} film " * 100):
            assert emoji_to_words(text) == replace_emoji(text, emoji_name)


@given(st.lists(st.sampled_from(sorted(EMOJI_DATA)), max_size=40), st.sampled_from(["", " ", "a", "🏳️"]))
def test_emoji_have_the_names_of_the_package(signs: list[str], between: str) -> None:
    text = between.join(signs).translate(dict.fromkeys(range(0x1F3FB, 0x1F400)))
    assert emoji_to_words(f"{text} ").split() == replace_emoji(f"{text} ", emoji_name).split()
