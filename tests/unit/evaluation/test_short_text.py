import numpy as np
from scipy.special import logit

from sentiment.config import DataConfig
from sentiment.data.batching import EncodedReviews
from sentiment.data.splitting import read_parts
from sentiment.evaluation.short_text import EXCERPTS, excerpts, measure, table


def test_excerpts_are_whole_sentences_without_the_short_ones():
    review = "one two three four . no . five six seven eight ! nine ten eleven twelve thirteen ? a b c d e f"
    cut = dict(zip(EXCERPTS, excerpts([review]), strict=True))
    assert cut["first sentence"] == "one two three four ."
    assert cut["last sentence"] == "a b c d e f"
    assert cut["first three"] == "one two three four . five six seven eight ! nine ten eleven twelve thirteen ?"
    assert cut["first half"] == "one two three four . five six seven eight !"
    assert cut["last three"] == "five six seven eight ! nine ten eleven twelve thirteen ? a b c d e f"
    assert cut["one sentence, any"] in review and " no " not in cut["all"]


def test_a_review_without_a_long_sentence_stays_whole():
    assert set(excerpts(["so bad . no !"])) == {"so bad . no !"}


def test_excerpts_have_the_label_of_their_review(tiny_classifier, reviews_file, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    data = DataConfig(source=str(reviews_file), validation_fraction=0.2)
    results = measure(tiny_classifier, data)
    parts = read_parts(data)
    assert [(row.piece, row.reader) for row in results] == [(p, r) for p in EXCERPTS for r in ("model", "n-grams")]
    whole = next(row for row in results if row.piece == "all")
    texts = excerpts(parts.validation)[-len(parts.validation) :]
    logits = tiny_classifier.logits(EncodedReviews(tiny_classifier.text.encode(text.split()) for text in texts))
    assert whole.accuracy == np.mean((logits > 0) == (parts.validation_labels == 1))
    assert whole.interval[0] < whole.accuracy < whole.interval[1]
    limit = tiny_classifier.temperature.whole * logit(tiny_classifier.confident_from)
    assert whole.confident_share == np.mean(np.abs(logits) >= limit)
    assert results[1].confident_share is None
    assert len(table(results).splitlines()) == 2 + len(results)
