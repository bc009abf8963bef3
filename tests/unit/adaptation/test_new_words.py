import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from sentiment.adaptation.new_words import unknown_words, with_new_words
from sentiment.classifier import SentimentClassifier
from sentiment.models.surgery import EMBEDDING
from sentiment.persistence.checkpoint import Checkpoint
from sentiment.text.vocabulary import UNKNOWN


def test_words_that_are_often_there_and_unknown_are_counted(tiny_checkpoint: Checkpoint) -> None:
    known = tiny_checkpoint.text.vocabulary.words[5]
    reviews = [["sushi", known, "1984"], ["sushi", "pho", "1984"], ["sushi", "1984", UNKNOWN]] * 2
    assert unknown_words(tiny_checkpoint.text.vocabulary, reviews) == {"sushi": 6}
    assert unknown_words(tiny_checkpoint.text.vocabulary, reviews[:2]) == {}


@given(counts=st.dictionaries(st.from_regex(r"x[a-z]{2,8}", fullmatch=True), st.integers(3, 500), max_size=6))
def test_known_words_keep_their_vectors_wherever_they_move(tiny_checkpoint: Checkpoint, counts: dict[str, int]) -> None:
    before = tiny_checkpoint.text.vocabulary
    counts = {word: count for word, count in counts.items() if word not in before}
    found = with_new_words(tiny_checkpoint, counts)
    after = found.text.vocabulary
    assert {*after.words} == {*before.words, *counts} and len(after) == len(before) + len(counts)
    rows = after.encode(before.words[3:])
    old, new = tiny_checkpoint.weights[EMBEDDING], found.weights[EMBEDDING]
    assert torch.equal(new[rows], old[3:]) and torch.equal(new[:3], old[:3])
    assert found.model_settings["vocab_size"] == len(after) and torch.isfinite(new).all()


def test_a_new_word_begins_near_the_words_that_are_spelled_like_it() -> None:
    shipped = SentimentClassifier.from_pretrained("imdb-small").checkpoint
    found = with_new_words(shipped, {"undercooked": 5, "flavorless": 4})
    words, vectors = found.text.vocabulary, found.weights[EMBEDDING].numpy()
    rows = words.encode(["undercooked", "cooked", "flavorless", "flavor"])
    mean = vectors[2000:].mean(axis=0)
    new, cooked, other, flavor = (vectors[row] - mean for row in rows)

    def cosine(a: np.ndarray, b: np.ndarray) -> float:
        return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))

    assert cosine(new, cooked) > 0.3 > cosine(new, flavor)
    assert cosine(other, flavor) > 0.3 > cosine(other, cooked)


def test_texts_without_new_words_are_answered_as_before() -> None:
    shipped = SentimentClassifier.from_pretrained("imdb-small", precision="fp32")
    grown = SentimentClassifier(with_new_words(shipped.checkpoint, {"sushi": 9}), precision="fp32")
    texts = ["A wonderful film.", "The bread was stale."]
    np.testing.assert_allclose(grown.predict_proba(texts), shipped.predict_proba(texts), atol=1e-6)
    assert grown.predict("The sushi was stale.").unknown_tokens < shipped.predict("The sushi was stale.").unknown_tokens
