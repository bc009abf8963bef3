import numpy as np
import pytest
from scipy.sparse import csr_matrix

from sentiment.evaluation import baselines
from sentiment.evaluation.baselines import BASELINES, MAJORITY, NaiveBayesWeights, baseline_logits

TRAIN = ["a good film", "a good day , very good", "so good it hurts", "a bad film", "bad , very bad", "so bad it hurts"]
LABELS = [1, 1, 1, 0, 0, 0]


def test_naive_bayes_ratios_by_hand():
    # two n-grams; the first in both positive reviews, the second in one of each class
    counts = csr_matrix(np.array([[1, 1], [1, 0], [0, 1]], dtype=np.float32))
    weights = NaiveBayesWeights().fit(counts, [1, 1, 0])
    # positive: (1 + 2, 1 + 1) of 5; negative: (1 + 0, 1 + 1) of 3
    np.testing.assert_allclose(weights.ratios_, np.log([(3 / 5) / (1 / 3), (2 / 5) / (2 / 3)]), rtol=1e-6)
    np.testing.assert_allclose(weights.transform(counts).toarray()[2], [0, weights.ratios_[1]])


@pytest.mark.parametrize("name", [name for name in BASELINES if name != MAJORITY])
def test_linear_baselines_read_the_words(name):
    logits = baseline_logits(name, TRAIN * 3, LABELS * 3, ["good", "bad", "never seen words"])
    assert logits[0] > 0 > logits[1]
    assert abs(logits[2]) < min(logits[0], -logits[1])


def test_majority_gives_the_log_odds_of_the_labels():
    np.testing.assert_allclose(baseline_logits(MAJORITY, ["a"] * 4, [1, 1, 1, 0], ["b", "c"]), np.log([3, 3]))


def test_predictions_are_cached_by_their_inputs(tmp_path, monkeypatch):
    name = BASELINES[1]
    first = baseline_logits(name, TRAIN * 3, LABELS * 3, ["good", "bad"], tmp_path)
    (file,) = tmp_path.iterdir()
    monkeypatch.setattr(baselines, "LINEAR", {})  # fitting again would fail
    np.testing.assert_array_equal(baseline_logits(name, TRAIN * 3, LABELS * 3, ["good", "bad"], tmp_path), first)
    with pytest.raises(KeyError):  # another order is not cached
        baseline_logits(name, TRAIN * 3, LABELS * 3, ["bad", "good"], tmp_path)
    with pytest.raises(KeyError):  # nor are other labels
        baseline_logits(name, TRAIN * 3, LABELS[::-1] * 3, ["good", "bad"], tmp_path)
    file.write_bytes(b"damaged")
    with pytest.raises(KeyError):  # a damaged file is not used
        baseline_logits(name, TRAIN * 3, LABELS * 3, ["good", "bad"], tmp_path)
