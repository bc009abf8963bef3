import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment.text.normalization import CURRENT_STEPS
from sentiment.text.repair import FEWEST, SHORT_TEXT, correct_spelling, repair
from sentiment.text.vocabulary import TextEncoder, Vocabulary

COUNTS = {"so": 900, "great": 500, "good": 400, "god": 90, "lovely": 80, "film": 70, "boring": 60, "rare": FEWEST - 1}


@pytest.mark.parametrize(
    ("token", "repaired"),
    [
        ("soooo", ["so"]),
        ("greeeeaaat", ["great"]),
        ("gooood", ["good"]),  # more frequent than god
        ("great/lovely/film", ["great", "lovely", "film"]),
        ("-good-", ["good"]),
        ("great-soooo/xyz", ["great", "so", "xyz"]),
        ("flim", ["film"]),
        ("borring", ["boring"]),
        ("lovly", ["lovely"]),
        ("gooe", ["good"]),
        ("zilm", ["zilm"]),  # the first letter is rarely the wrong one
        ("gret7", ["gret7"]),
        ("rate", ["rate"]),  # too rare to be meant
        ("fil", ["fil"]),
        ("xyz-abc", ["xyz", "abc"]),
        ("----", ["----"]),
        ("a" * 100_000, ["a" * 100_000]),
    ],
)
def test_unknown_tokens(token: str, repaired: list[str]) -> None:
    assert repair([token], COUNTS, CURRENT_STEPS) == repaired


def test_spelling_is_repaired_in_short_texts_only() -> None:
    for length, expected in ((SHORT_TEXT, "film"), (SHORT_TEXT + 1, "flim")):
        tokens = ["good"] * (length - 1) + ["flim"]
        assert repair(tokens, COUNTS, CURRENT_STEPS)[-1] == expected


def test_a_model_repairs_what_its_steps_say() -> None:
    vocabulary = Vocabulary(COUNTS)
    assert TextEncoder(vocabulary, 9).tokenize("A flim/GOOOD one") == ["a", "film", "good", "one"]
    assert TextEncoder(vocabulary, 9, steps=("runs",)).tokenize("flim GOOOD") == ["flim", "good"]
    assert TextEncoder(vocabulary, 9, steps=()).tokenize("flim GOOOD") == ["flim", "goood"]
    assert TextEncoder(vocabulary, 9).encode_document("flim") == vocabulary.encode(["film"])


@given(st.lists(st.sampled_from([*COUNTS]) | st.text("ab-/_", min_size=1, max_size=12), max_size=70))
def test_known_words_stay(tokens: list[str]) -> None:
    found = repair(tokens, COUNTS, CURRENT_STEPS)
    rest = iter(found)
    assert all(token in rest for token in tokens if token in COUNTS)  # in their order, whatever the others become
    known = [token for token in tokens if token in COUNTS]
    assert repair(known, COUNTS, CURRENT_STEPS) == known
    assert all(found)


@given(st.text("abcdefg", min_size=4, max_size=8), st.integers(1, 7), st.sampled_from("abcdefg"))
def test_any_single_slip_is_undone(word: str, place: int, letter: str) -> None:
    slips = {word[:place] + word[place + 1 :], word[:place] + letter + word[place:]}
    slips |= {
        word[:place] + letter + word[place + 1 :],
        word[:place] + word[place : place + 2][::-1] + word[place + 2 :],
    }
    for slip in slips - {word}:
        if len(slip) >= 4:
            assert correct_spelling(slip, {word: FEWEST}) == word
