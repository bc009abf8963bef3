import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from sentiment.adaptation.head import Head, fit_linear, fit_scale
from sentiment.models.lstm import SentimentRNN
from sentiment.models.surgery import with_linear

RANDOM = np.random.default_rng(0)
FEATURES = RANDOM.normal(3, 2, (80, 5))
OLD = RANDOM.normal(size=80)
LABELS = (FEATURES[:, 1] + OLD > 3).astype(int)


def test_the_scale_is_that_of_a_logistic_regression() -> None:
    head = fit_scale(FEATURES, OLD, LABELS)
    expected = LogisticRegression(C=100.0).fit(OLD[:, None], LABELS).decision_function(OLD[:, None])
    np.testing.assert_allclose(head.logits(FEATURES, OLD), expected)


def test_a_weaker_penalty_fits_better_and_changes_more() -> None:
    weak, strong = (fit_linear(strength)(FEATURES, OLD, LABELS) for strength in (10.0, 0.1))
    right = [((head.logits(FEATURES, OLD) > 0) == LABELS).mean() for head in (weak, strong)]
    assert right[0] > 0.9 and right[0] >= right[1]
    assert np.abs(weak.slopes).sum() > np.abs(strong.slopes).sum()
    assert np.argmax(np.abs(weak.slopes)) == 1


def test_a_feature_that_never_changes_is_left_out() -> None:
    features = np.hstack([FEATURES, np.full((80, 1), 7.0)])
    assert fit_linear(1.0)(features, OLD, LABELS).slopes[-1] == 0


@pytest.mark.parametrize("head_dim", [0, 4])
@given(scale=st.floats(-2, 2), bias=st.floats(-3, 3), seed=st.integers(0, 9))
def test_a_network_computes_the_head_that_was_fitted(head_dim: int, scale: float, bias: float, seed: int) -> None:
    torch.manual_seed(seed)
    settings = {"vocab_size": 20, "embedding_dim": 3, "hidden_dim": 5, "head_dim": head_dim}
    network = SentimentRNN(**settings).eval()
    slopes = np.random.default_rng(seed).normal(size=network.head[1].in_features)
    weights, changed = with_linear(network.state_dict(), settings, scale, slopes, bias)
    other = SentimentRNN(**changed).eval()
    other.load_state_dict(weights)
    ids, lengths = torch.randint(3, 20, (6, 7)), torch.tensor([7, 5, 3, 2, 1, 1])
    with torch.inference_mode():
        old = network(ids, lengths).double().numpy()
        found = other(ids, lengths).double().numpy()
        network.head = torch.nn.Sequential()
        features = _pooled(network, ids, lengths)
    np.testing.assert_allclose(found, Head(scale, slopes, bias).logits(features, old), atol=1e-4)


def _pooled(network: SentimentRNN, ids: torch.Tensor, lengths: torch.Tensor) -> np.ndarray:
    """What a network without a head returns; each review alone, since a network drops a dimension of size 1."""
    rows = [network(ids[row : row + 1], lengths[row : row + 1]) for row in range(len(ids))]
    return torch.cat([row.reshape(1, -1) for row in rows]).double().numpy()
