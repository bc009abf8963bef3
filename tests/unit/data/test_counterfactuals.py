"""Counterfactual copies. The reviews, and what teachers say of their words, are made up here."""

import re
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment.data.counterfactuals import (
    MOST,
    RARE,
    Substitutes,
    common_words,
    copies,
    counterfactual,
    short_reviews,
    word_weights,
)

GOOD, BAD = ["wonderful", "superb", "charming"], ["dreadful", "awful", "tedious"]


@pytest.fixture(scope="module")
def substitutes() -> Substitutes:
    """In each of the reviews one word decides; a word and its opposite have nearly the same vector."""
    random = Random(0)
    documents = [f"the {random.choice(('plot', 'cast'))} was {word} in it" for word in GOOD + BAD for _ in range(80)]
    words = common_words(documents)
    teacher = np.array([3.0 if word in GOOD else -3.0 if word in BAD else 0.5 for word in words])
    vectors = {
        word: np.eye(8)[place % 3] + sign * np.eye(8)[7]
        for place, word in enumerate(GOOD + BAD)
        for sign in [1 if word in GOOD else -1]
    }
    return Substitutes(word_weights(words, [teacher, teacher]), vectors, documents)


def test_a_word_decides_if_all_teachers_say_so() -> None:
    words = ["dreadful", "grim", "plot", "superb", "tense"]
    first, second = np.array([-1.0, -1.0, 1.0, 4.0, 4.0]), np.array([-3.0, -0.5, 0.0, 2.0, -2.0])
    assert word_weights(words, [first]) == {"dreadful": -2.0, "grim": -2.0, "superb": 3.0, "tense": 3.0}
    assert word_weights(words, [first, second]) == {"dreadful": -2.0, "superb": 3.0}


def test_common_words_are_in_many_documents_and_of_letters() -> None:
    documents = [*["superb plot plot !", "it isnt bad"] * RARE, *["rare"] * (RARE - 1), "twice twice " * RARE]
    assert common_words(documents) == ["bad", "isnt", "plot", "superb"]


def test_a_word_is_replaced_by_its_opposite(substitutes: Substitutes) -> None:
    assert set(substitutes.weights) == {*GOOD, *BAD}
    for word, opposite in zip(GOOD + BAD, BAD + GOOD, strict=True):
        assert substitutes.opposites[word][0] == [opposite]
        assert substitutes.choose(word, "was", "in", Random(0)) == opposite


def test_words_that_agree_with_the_label_are_changed(substitutes: Substitutes) -> None:
    text = "A superb cast. Tedious, though!"
    assert counterfactual(text, True, substitutes, Random(1)) == "An awful cast. Tedious, though!"
    assert counterfactual(text, False, substitutes, Random(1)) == "A superb cast. Charming, though!"
    kept = "a European, an hour long: it's {} film"
    assert counterfactual(kept.format("a superb"), True, substitutes, Random(1)) == kept.format("an awful")
    assert counterfactual("SUPERB", True, substitutes, Random(1)) == "AWFUL"
    assert counterfactual("Nothing to see here.", True, substitutes, Random(1)) is None


def test_negations_are_put_in_and_taken_out(substitutes: Substitutes) -> None:
    made = {counterfactual("It was superb.", True, substitutes, Random(seed)) for seed in range(60)}
    assert made == {"It was awful.", "It wasn't superb.", "It was not superb.", "It wasn't really superb."}
    made = {counterfactual("It isn't superb.", False, substitutes, Random(seed)) for seed in range(60)}
    assert made == {"It is superb.", "It isn't awful."}
    made = {counterfactual("I can't call it superb.", False, substitutes, Random(seed)) for seed in range(60)}
    assert "I can call it superb." in made
    assert counterfactual("It isn't superb.", True, substitutes, Random(0)) is None


def test_a_negation_of_another_sentence_does_not_count(substitutes: Substitutes) -> None:
    made = {counterfactual("I did not. Superb cast.", True, substitutes, Random(seed)) for seed in range(30)}
    assert made == {"I did not. Awful cast."}


def test_ratings_are_turned(substitutes: Substitutes) -> None:
    assert counterfactual("I give it 9 out of 10", True, substitutes, Random(0)) == "I give it 1 out of 10"
    assert counterfactual("I give it 9 out of 10", False, substitutes, Random(0)) is None


@given(
    st.lists(st.sampled_from([*GOOD, *BAD, "not", "was", "is", "a", ".", "Film", "3 out of 10"])),
    st.booleans(),
    st.integers(0, 99),
)
def test_a_copy_differs_in_few_places(substitutes: Substitutes, words: list[str], positive: bool, seed: int) -> None:
    text = " ".join(words)
    copy = counterfactual(text, positive, substitutes, Random(seed))
    assert copy == counterfactual(text, positive, substitutes, Random(seed))
    if copy is not None:
        gone = re.findall(r"[\w']+", text), re.findall(r"[\w']+", copy)
        assert abs(len(gone[0]) - len(gone[1])) <= MOST
        left = set(gone[0]) & {"Film"}
        assert left <= set(gone[1])


def test_copies_are_repeatable_and_different(substitutes: Substitutes) -> None:
    texts = ["It was superb, a wonderful and charming film.", "Nothing."]
    made = copies(texts, np.array([2.0, 2.0]), 4, substitutes, seed=1)
    assert made == copies(texts, np.array([2.0, 2.0]), 4, substitutes, seed=1)
    assert len(set(made)) == len(made) > 1 and not set(made) & set(texts)


def test_short_reviews_are_the_first_ones() -> None:
    assert short_reviews(["word " * 500, "a", "b", "c"], 2) == ["a", "b"]
