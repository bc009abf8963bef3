"""`SentimentClassifier` computes with ONNX Runtime where it is installed, with the answers of torch."""

import pickle
import sys
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

pytest.importorskip("onnxruntime", reason="needs onnxruntime: pip install -e '.[onnx]'")
pytest.importorskip("onnx", reason="needs onnx: pip install -e '.[onnx]'")

from sentiment.classifier import SentimentClassifier
from sentiment.inference.onnx_network import OnnxNetwork
from sentiment.models.inference_lstm import InferenceLSTM
from sentiment.persistence.checkpoint import Checkpoint

TEXTS = ["a wonderful film", "", "dull and boring, no fun at all", "great " * 41, "unheard words only", "<br />"]


@pytest.fixture
def classifier(tiny_checkpoint: Checkpoint) -> SentimentClassifier:
    return SentimentClassifier(tiny_checkpoint, precision="fp32")


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The runtimes that have computed, by name."""
    names: list[str] = []

    def watched(kind: type, name: str) -> Callable[..., object]:
        call = kind.__call__
        return lambda *arguments: names.append(name) or call(*arguments)

    monkeypatch.setattr(OnnxNetwork, "__call__", watched(OnnxNetwork, "onnx"))
    monkeypatch.setattr(InferenceLSTM, "__call__", watched(InferenceLSTM, "torch"))
    return names


def without_onnx(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, "sentiment.inference.onnx_graph", raising=False)


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_both_runtimes_give_the_same_answers(
    package: str, classifier: SentimentClassifier, ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fast = classifier.predict_proba(TEXTS)
    assert set(ran) == {"onnx"}
    ran.clear()
    without_onnx(monkeypatch, package)
    plain = SentimentClassifier(classifier.checkpoint, precision="fp32").predict_proba(TEXTS)
    assert set(ran) == {"torch"}
    np.testing.assert_allclose(fast, plain, atol=1e-6)
    assert np.ptp(plain) > 0.01


def test_changed_weights_change_the_answers(
    classifier: SentimentClassifier, tiny_checkpoint: Checkpoint, ran: list[str]
) -> None:
    before = classifier.predict_proba(TEXTS)
    with torch.no_grad():
        classifier.model.head[-1].bias += 1.0
    added = classifier.predict_proba(TEXTS)
    assert (added[[0, 2, 3], 1] > before[[0, 2, 3], 1]).all()
    classifier.model.load_state_dict(tiny_checkpoint.weights)
    np.testing.assert_allclose(classifier.predict_proba(TEXTS), before, atol=1e-7)
    classifier.model.head[-1].bias = nn.Parameter(torch.tensor([9.0]))
    assert (classifier.predict_proba(TEXTS)[[0, 2, 3], 1] > 0.99).all()
    assert set(ran) == {"onnx"}


def test_a_model_loaded_in_inference_mode_predicts(tiny_checkpoint: Checkpoint, ran: list[str]) -> None:
    expected = SentimentClassifier(tiny_checkpoint).predict_proba(TEXTS)
    with torch.inference_mode():
        classifier = SentimentClassifier(tiny_checkpoint)
    np.testing.assert_allclose(classifier.predict_proba(TEXTS), expected, atol=1e-7)


def test_a_classifier_that_has_predicted_can_be_sent_elsewhere(classifier: SentimentClassifier) -> None:
    expected = classifier.predict_proba(TEXTS)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(classifier)).predict_proba(TEXTS), expected)
