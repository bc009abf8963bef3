import numpy as np
from scipy.special import logit

from sentiment.batching import EncodedReviews
from sentiment.config import DataConfig
from sentiment.data import read_parts
from sentiment.short_texts import PIECES, measure, pieces, table


def test_pieces_are_cut_at_sentences_and_short_ones_are_left_out():
    review = "one two three four . no . five six seven eight ! nine ten eleven twelve thirteen ? a b c d e f"
    cut = dict(zip(PIECES, pieces([review]), strict=True))
    assert cut["first sentence"] == "one two three four ."
    assert cut["last sentence"] == "a b c d e f"
    assert cut["first three"] == "one two three four . five six seven eight ! nine ten eleven twelve thirteen ?"
    assert cut["first half"] == "one two three four . five six seven eight !"
    assert cut["last three"] == "five six seven eight ! nine ten eleven twelve thirteen ? a b c d e f"
    assert cut["one sentence, any"] in review and " no " not in cut["all"]


def test_a_review_without_a_long_sentence_is_asked_about_whole():
    assert set(pieces(["so bad . no !"])) == {"so bad . no !"}


def test_pieces_are_judged_by_the_label_of_their_review(tiny_classifier, reviews_file, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    data = DataConfig(str(reviews_file), validation_fraction=0.2)
    readings = measure(tiny_classifier, data)
    parts = read_parts(data)
    assert [(row.piece, row.reader) for row in readings] == [(p, r) for p in PIECES for r in ("model", "n-grams")]
    whole = next(row for row in readings if row.piece == "all")
    texts = pieces(parts.validation)[-len(parts.validation) :]
    logits = tiny_classifier.logits(EncodedReviews(tiny_classifier.text.encode(text.split()) for text in texts))
    assert whole.accuracy == np.mean((logits > 0) == (parts.validation_labels == 1))
    assert whole.interval[0] < whole.accuracy < whole.interval[1]
    assert whole.sure == np.mean(np.abs(logits) >= tiny_classifier.temperature * logit(tiny_classifier.confident_from))
    assert readings[1].sure is None
    assert len(table(readings).splitlines()) == 2 + len(readings)
