"""Words, sentences and clauses of texts as people type them."""

import pytest
from fuzzing import texts
from hypothesis import given

from sentiment.explanation.parts import clauses, sentences, with_phrases, words
from sentiment.text.vocabulary import TextEncoder, Vocabulary

ENCODER = TextEncoder(Vocabulary({"good": 5}), max_length=400)


def split(text: str) -> list[str]:
    _, offsets = ENCODER.tokenize_with_offsets(text)
    return [text[offsets[start, 0] : offsets[end - 1, 1]] for start, end in sentences(text, offsets)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Good. Bad! Why? So", ["Good.", "Bad!", "Why?", "So"]),
        ("it was ok. i liked it", ["it was ok.", "i liked it"]),
        ("Mr. Hale and Dr. No vs. J. R. Smith. Fine", ["Mr. Hale and Dr. No vs. J. R. Smith.", "Fine"]),
        ("Long, e.g. this one. Short", ["Long, e.g. this one.", "Short"]),
        ("Well... it goes on... Then it ends.", ["Well... it goes on...", "Then it ends."]),
        ("It costs 3.5 dollars. Wow!!! OK", ["It costs 3.5 dollars.", "Wow!!!", "OK"]),
        ("No end<br /><br />a new line\nthe same\n\nanother", ["No end", "a new line\nthe same", "another"]),
        ("(Really!) Yes", ["(Really!)", "Yes"]),
        ("good", ["good"]),
        ("It was bad… But I liked it.", ["It was bad…", "But I liked it."]),
        ("1. Great acting.\n2. Bad plot", ["1. Great acting.", "2. Bad plot"]),
        ("Pros:\n- acting\n- music\nthat stays", ["Pros", "acting", "music\nthat stays"]),
        ("'Really?' he asked. \"Run!\" she said.", ["'Really?' he asked.", 'Run!" she said.']),
        ("Lt. Smith and No. 5 are alive. No. Never", ["Lt. Smith and No. 5 are alive.", "No.", "Never"]),
        ("It was good.Then it was bad.", ["It was good.", "Then it was bad."]),
    ],
)
def test_sentences_end_where_a_reader_would_stop(text, expected):
    assert split(text) == expected


@given(text=texts)
def test_every_token_is_in_one_sentence_and_one_word(text):
    tokens, offsets = ENCODER.tokenize_with_offsets(text)
    for spans in (sentences(text, offsets), words(text, offsets)):
        assert [token for start, end in spans for token in range(start, end)] == list(range(len(tokens)))
        assert all(start < end for start, end in spans)
    for start, end in clauses(text, tokens, offsets, sentences(text, offsets)):
        assert all(any(map(str.isalnum, token)) for token in tokens[start:end])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a ★★★★☆ film", ["a", "★★★★☆", "film"]),
        ("It's Tom’s, isn't it", ["It's", "Tom’s", ",", "isn't", "it"]),
        (
            "It cost $3.5 or 1,000 in the U.S. in 1999.",
            ["It", "cost", "$3.5", "or", "1,000", "in", "the", "U.S", ".", "in", "1999", "."],
        ),
        ("rock'n'roll 'good' films' end", ["rock'n'roll", "'", "good", "'", "films", "'", "end"]),
        ("", []),
    ],
)
def test_words_are_those_that_were_typed(text, expected):
    _, offsets = ENCODER.tokenize_with_offsets(text)
    assert [text[offsets[start, 0] : offsets[end - 1, 1]] for start, end in words(text, offsets)] == expected


@pytest.mark.parametrize(
    ("phrases", "expected"),
    [
        ([], [(0, 1), (1, 5), (5, 6), (6, 7)]),
        ([(5, 7)], [(0, 1), (1, 5), (5, 7)]),
        ([(0, 3)], [(0, 5), (5, 6), (6, 7)]),  # takes all of the sign
        ([(0, 2), (5, 7)], [(0, 5), (5, 7)]),
    ],
)
def test_a_phrase_takes_whole_words(phrases, expected):
    assert with_phrases([(0, 1), (1, 5), (5, 6), (6, 7)], phrases) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("great acting, bad music", ["great acting", "bad music"]),
        ("great acting\nbad music", ["great acting", "bad music"]),
        ("Good; bad: so-so (not great)", ["good", "bad", "so so", "not great"]),
        ("isn’t “good”, <b>really</b> good<br>yes", ["isnt", "good", "really good", "yes"]),
        ("**not** _good_", ["not good"]),
    ],
)
def test_clauses_end_at_marks_brackets_and_line_breaks(text, expected):
    tokens, offsets = ENCODER.tokenize_with_offsets(text)
    found = clauses(text, tokens, offsets, sentences(text, offsets))
    assert [" ".join(tokens[start:end]) for start, end in found] == expected
