"""The variants that the benchmark of prediction compares compute the same thing."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks.speed.early_stopping import choose_bound, early_logits, smallest_bound
from benchmarks.speed.folded_lstm import FoldedRNN
from benchmarks.speed.prediction import compare
from benchmarks.speed.prediction_variants import Variant, as_they_come, from_ids, length_sorted
from benchmarks.speed.text_variants import tokens_by_patterns
from sentiment.classifier import SentimentClassifier
from sentiment.data.batching import EncodedReviews
from sentiment.inference.postprocessing import probability
from sentiment.models.lstm import POOLINGS, SentimentRNN
from sentiment.text.normalization import FIRST_STEPS, normalize
from sentiment.text.tokenizer import tokenize


@pytest.fixture
def encoded() -> EncodedReviews:
    generator = np.random.default_rng(0)
    return EncodedReviews([generator.integers(2, 30, length) for length in (150, 3, 0, 64, 65, 128, 1)])


def model_of(pooling: str) -> SentimentRNN:
    torch.manual_seed(0)
    model = SentimentRNN(30, 5, 6, 2, pooling=pooling).eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.7)
    return model


@pytest.mark.parametrize("pooling", sorted(POOLINGS))
def test_all_variants_give_the_same_logits(pooling: str, encoded: EncodedReviews) -> None:
    model = model_of(pooling)
    expected = as_they_come(model, encoded)
    for only_first in (False, True):
        found = length_sorted(FoldedRNN(model, torch.float32, only_first), encoded, 300)
        np.testing.assert_allclose(found, expected, atol=1e-4)
    found, share = early_logits(model, encoded, float("inf"), 300)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert share == 1


def test_stopping_early_reads_less_and_gives_the_running_logit(encoded: EncodedReviews) -> None:
    model = model_of("last_max_mean")
    found, share = early_logits(model, encoded, 0.0, 300)
    first = EncodedReviews([encoded[row][:64] for row in range(len(encoded))])
    np.testing.assert_allclose(found, as_they_come(model, first), atol=1e-4)
    assert share == pytest.approx(first.lengths.sum() / encoded.lengths.sum())
    labels = (as_they_come(model, encoded) >= 0).astype(int)
    bound = smallest_bound(model, encoded, labels)
    assert ((early_logits(model, encoded, bound, 300)[0] >= 0) == (labels == 1)).all()


def test_a_single_file_has_no_reviews_to_choose_a_bound(
    tiny_classifier: SentimentClassifier, reviews_file: Path
) -> None:
    assert choose_bound(tiny_classifier, str(reviews_file), None) is None


def test_patterns_give_the_same_words() -> None:
    for text in ("It isn’t <b>bad</b> &amp; N'T -- «so»…", "plain words, isn't it?"):
        assert tokens_by_patterns(text) == tokenize(normalize(text, FIRST_STEPS))


def test_a_variant_is_compared_with_its_baseline_and_with_the_first() -> None:
    def broken() -> np.ndarray:
        raise RuntimeError("no compiler")

    variants = {
        "plain": Variant("plain", lambda: np.array([1.0, -1.0])),
        "other": Variant("plain", lambda: np.array([1.0, 2.0])),
        "broken": Variant("plain", broken),
    }
    table, seconds = compare(variants, lambda logits: probability(logits, 1.0), 2)
    assert [len(taken) for taken in seconds.values()] == [2, 2] and "broken" not in table
    first, second = (line.split(" | ") for line in table.splitlines()[2:])
    assert first[2:] == ["", "", "0.0e+00", "0 |"] and second[3:] == ["plain", "6.1e-01", "1 |"]


def test_every_variant_names_its_baseline(tiny_classifier: SentimentClassifier, encoded: EncodedReviews) -> None:
    variants = from_ids(tiny_classifier, encoded, 1.0)
    assert {variant.baseline for variant in variants.values()} <= set(variants)
    assert "stopped at a logit of 1.00" in variants
