import numpy as np
import pytest

from sentiment.evaluation.metrics import wilson_interval
from sentiment.evaluation.slices import properties, slices
from sentiment.text.tokenizer import tokenize

WORDS = frozenset(tokenize("a good film but it is not bad the end was awful i gave stars out of"))


@pytest.mark.parametrize(
    ("text", "family", "name"),
    [
        ("a good film", "length", "up to 100 tokens"),
        ("a good film " * 40, "length", "100 to 200 tokens"),
        ("film " * 900, "length", "over 800 tokens"),
        ("a good film", "negation", "none"),
        ("It isn’t good", "negation", "over 3% of words"),
        ("not " + "film " * 99, "negation", "up to 1% of words"),
        ("a good film, but the end was awful", "contrast words (but, however)", "over 2% of words"),
        ("a good film", "unknown words", "none"),
        ("film " * 49 + "zyzzyva", "unknown words", "1 to 2% of words"),
        ("I gave it 8/10", "numbers", "rating"),
        ("4 out of 10", "numbers", "rating"),
        ("2.5 stars", "numbers", "rating"),
        ("made in 1998", "numbers", "other digits"),
        ("a good film", "numbers", "none"),
        ("awful and " + "so it went " * 10, "position of sentiment words", "early"),
        ("so it went " * 10 + "awful", "position of sentiment words", "late"),
        ("a film", "position of sentiment words", "no sentiment words"),
        ("", "position of sentiment words", "no sentiment words"),
    ],
)
def test_the_slice_of_a_review(text, family, name):
    assert properties(text, WORDS)[family] == name


def test_a_significant_difference_is_marked():
    found = [{"kind": "hard"}] * 100 + [{"kind": "easy"}] * 900
    correct = np.array([row % 2 == 0 for row in range(100)] + [row % 10 > 0 for row in range(900)])
    easy, hard = slices(found, correct)
    assert (easy.name, easy.n, easy.accuracy, easy.marked) == ("easy", 900, 0.9, True)
    assert (hard.n, hard.accuracy, hard.interval, hard.marked) == (100, 0.5, wilson_interval(50, 100), True)
    assert hard.difference == pytest.approx(-0.4)


def test_noise_is_not_marked():
    generator = np.random.default_rng(0)
    found = [{"kind": str(row % 20)} for row in range(2000)]
    assert not any(row.marked for row in slices(found, generator.random(2000) < 0.9))


def test_one_review_is_enough_for_slices():
    (only,) = slices([{"kind": "any"}], np.array([True]))
    assert (only.n, only.accuracy, only.difference, only.marked) == (1, 1.0, 0.0, False)


def test_ranges_are_in_order():
    names = ["over 800 tokens", "200 to 400 tokens", "up to 100 tokens", "100 to 200 tokens"]
    found = [{"length": name} for name in names]
    assert [row.name for row in slices(found, np.ones(4, bool))] == [names[2], names[3], names[1], names[0]]
