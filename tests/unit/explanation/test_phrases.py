"""Phrases of a reader of numbers, whose interactions are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment.explanation.phrases import LONGEST, find_phrases

NOT, BUT, GOOD, BAD, GREAT, OTHER = 1, 2, 3, 4, 5, 9


def logits(texts):
    """ "not" turns the next word that says something; several of the same direction saturate."""
    found = []
    for text in texts:
        total, turn = 0.0, 1
        for word in text:
            if word == NOT:
                turn = -1
            elif word in (GOOD, BAD, GREAT):
                total += turn * {GOOD: 4, BAD: -4, GREAT: 5}[int(word)]
                turn = 1
        found.append(6 * np.tanh(total / 6))
    return np.array(found)


@pytest.mark.parametrize(
    ("ids", "clauses", "expected"),
    [
        ([NOT, GOOD], [(0, 2)], [(0, 2)]),
        ([NOT, BAD, OTHER], [(0, 3)], [(0, 2)]),
        ([OTHER, NOT, OTHER, GOOD, OTHER], [(0, 5)], [(1, 4)]),
        ([NOT, GOOD], [(0, 1), (1, 2)], []),  # not across clauses
        ([NOT, OTHER, OTHER, OTHER, OTHER, GOOD], [(0, 6)], []),  # out of reach
        ([GOOD, GREAT], [(0, 2)], []),  # they say the same
        ([GOOD, OTHER], [(0, 2)], []),
        ([NOT, GOOD, OTHER, NOT, BAD], [(0, 2), (3, 5)], [(0, 2), (3, 5)]),
        ([GOOD], [(0, 1)], []),
        ([], [], []),
    ],
)
def test_words_that_act_together_are_a_phrase(ids, clauses, expected):
    assert find_phrases(logits, np.array(ids, int), clauses) == expected


@given(ids=st.lists(st.sampled_from([NOT, GOOD, BAD, GREAT, OTHER]), max_size=25))
def test_phrases_are_in_order_and_do_not_overlap(ids):
    found = find_phrases(logits, np.array(ids, int), [(0, len(ids))] if ids else [])
    borders = [place for span in found for place in span]
    assert borders == sorted(borders)
    assert all(1 < end - start <= LONGEST for start, end in found)
