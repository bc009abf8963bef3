from hypothesis import given
from hypothesis import strategies as st

from sentiment.data.augmentation import crops, single_sentences, split_sentences

STOPS = [".", "!", "?"]
DOCUMENTS = st.lists(st.sampled_from([*STOPS, "good", "bad", "film", ","]), max_size=30).map(" ".join)


@given(DOCUMENTS)
def test_sentences_joined_are_the_document(document: str) -> None:
    sentences = split_sentences(document)
    assert " ".join(sentences) == document
    assert all(sentence.split()[-1] in STOPS for sentence in sentences[:-1])


@given(st.lists(DOCUMENTS, max_size=8), st.integers(0, 10), st.integers(0, 3))
def test_a_crop_is_a_part_of_one_review(documents: list[str], count: int, seed: int) -> None:
    pieces = crops(documents, count, seed)
    assert pieces == crops(documents, count, seed)
    assert len(pieces) == min(count, len(documents))
    assert all(any(piece in document for document in documents) for piece in pieces)


def test_crops_are_beginnings_and_single_sentences() -> None:
    assert split_sentences("good film ! ! bad . film") == ["good film ! !", "bad .", "film"]
    document = " ".join(f"{number} ." for number in range(20))
    pieces = crops([document] * 100, 100, seed=0)
    assert all(document.startswith(piece) for piece in pieces[::2])
    assert {piece.count(".") for piece in pieces[::2]} == {1, 2, 3, 4, 5}
    assert {piece.count(".") for piece in pieces[1::2]} == {1}
    assert len(set(pieces[1::2])) > 10


def test_a_single_sentence_is_long_enough_to_stand_for_itself() -> None:
    texts = [
        "Oh. A film about nothing much at all! Why?",
        "Short.",
        "Two whole sentences are here. This is another one.",
    ]
    drawn = single_sentences(texts, 10, seed=0)
    assert drawn[0] == "A film about nothing much at all!" and len(drawn) == 2
    assert drawn[1] in split_sentences(texts[2])
    assert single_sentences(texts, 1, seed=0) == drawn[:1]
