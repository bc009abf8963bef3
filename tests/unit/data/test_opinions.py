import re
from random import Random

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sentiment.data import opinions as module
from sentiment.data.opinions import mistyped, opinions
from sentiment.evaluation import checklist


def test_opinions_are_repeatable_and_on_both_sides() -> None:
    drawn = opinions(2000, seed=3)
    assert drawn == opinions(2000, seed=3) != opinions(2000, seed=4)
    labels = np.array([label for _, label in drawn])
    assert 0.4 < labels.mean() < 0.6 and labels.min() >= 0 and labels.max() <= 1
    assert not any(re.search(r"[{}]|  |\ba [aeiou]", text) for text, _ in drawn)
    assert len({text for text, _ in drawn}) > 1200


def test_each_kind_is_on_both_sides() -> None:
    data = yaml.safe_load(module.DATA.read_text("utf-8"))
    for kind, frames in data["kinds"].items():
        share = np.mean([label > 0.5 for _, label in frames])
        assert 0.3 < share < 0.7, kind
        assert len({frame for frame, _ in frames}) == len(frames), kind


def test_no_opinion_is_one_of_the_checklist() -> None:
    tested = {re.sub(r"\W", "", case.text).lower() for case in checklist.cases()}
    both = tested & {re.sub(r"\W", "", text).lower() for text, _ in opinions(5_000, seed=0)}
    assert not both


@given(st.text(), st.integers(0, 9))
def test_a_typo_keeps_short_words_and_the_first_letters(text: str, seed: int) -> None:
    typed = mistyped(text, Random(seed))
    assert abs(len(typed) - len(text)) <= 1
    assert [word[0] for word in typed.split()] == [word[0] for word in text.split()]
    if not re.search("[a-z]{5}", text):
        assert typed == text


@pytest.mark.parametrize("seed", range(5))
def test_a_long_word_gets_one_typo(seed: int) -> None:
    typed = mistyped("a wonderful film", Random(seed))
    assert typed != "a wonderful film" and typed.split()[::2] == ["a", "film"]
