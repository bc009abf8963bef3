# ruff: noqa: E402  # the imports come after importorskip
"""The graph gives the logits of the network, for all lengths and batch sizes."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

onnxruntime = pytest.importorskip("onnxruntime", reason="needs onnxruntime: pip install -e '.[onnx]'")
onnx = pytest.importorskip("onnx", reason="needs onnx: pip install -e '.[onnx]'")

from sentiment.classifier import SentimentClassifier
from sentiment.data.batching import EncodedReviews
from sentiment.inference.onnx_graph import build_graph
from sentiment.inference.postprocessing import probability
from sentiment.models.lstm import SentimentRNN
from sentiment.persistence.checkpoint import Checkpoint

SHAPES = {
    "shipped kind": {"pooling": "last_max_mean"},
    "last state": {"pooling": "last"},
    "one layer": {"num_layers": 1},
    "three layers and a hidden one in the head": {"num_layers": 3, "pooling": "last_max_mean", "head_dim": 5},
}
WORDS = 50


class Pair:
    """A network and its graph."""

    def __init__(self, model: SentimentRNN) -> None:
        self.model = model.eval()
        self.graph = build_graph(model)
        self.session = onnxruntime.InferenceSession(self.graph.SerializeToString(), providers=["CPUExecutionProvider"])

    def difference(self, lengths: list[int], temperature: float = 1.0, padding: int = 1) -> float:
        """Largest difference of a probability over reviews of random words with these lengths."""
        chance = np.random.default_rng(0)
        words = self.model.encoder.embedding.num_embeddings
        reviews = EncodedReviews(chance.integers(0, words, length).tolist() for length in lengths)
        ids, read = reviews.padded(np.arange(len(reviews)))
        with torch.inference_mode():
            expected = self.model(torch.from_numpy(ids), torch.from_numpy(read))
        for row, length in enumerate(lengths):
            ids[row, length:] = padding
        (found,) = self.session.run(["logits"], {"input_ids": ids, "lengths": read})
        assert found.shape == (len(lengths),) and found.dtype == np.float32
        there, here = (probability(logits, temperature) for logits in (found, expected.numpy()))
        return float(np.abs(there - here).max())


def tiny(**shape: object) -> SentimentRNN:
    torch.manual_seed(1)
    model = SentimentRNN(vocab_size=WORDS, embedding_dim=4, hidden_dim=3, **shape)  # type: ignore[arg-type]
    for parameter in model.parameters():  # far from zero, so that differences show
        torch.nn.init.uniform_(parameter, -1, 1)
    return model


@pytest.fixture(scope="module", params=SHAPES.values(), ids=SHAPES.keys())
def pair(request: pytest.FixtureRequest) -> Pair:
    return Pair(tiny(**request.param))


@settings(max_examples=25, deadline=None)
@given(lengths=st.lists(st.one_of(st.integers(0, 30), st.integers(0, 2000)), min_size=1, max_size=64))
def test_any_lengths_in_any_batch(pair: Pair, lengths: list[int]) -> None:
    assert pair.difference(lengths) <= 1e-5


@pytest.mark.parametrize("lengths", [[0], [1], [0, 0, 0], [2000], [2000, 0, 1], list(range(64))])
def test_the_limits_of_the_lengths(pair: Pair, lengths: list[int]) -> None:
    assert pair.difference(lengths) <= 1e-5


def test_padding_has_no_effect(pair: Pair) -> None:
    assert pair.difference([9, 4, 0], padding=7) <= 1e-5


def test_the_shipped_model_from_0_to_2000_tokens_and_1_to_64_reviews() -> None:
    classifier = SentimentClassifier.from_pretrained()
    shipped = Pair(classifier.model)
    for lengths in ([0], [1], [2000], list(range(0, 128, 2)), [1999, 700, 350, 2, 0]):
        assert shipped.difference(lengths, classifier.temperature.whole) <= 1e-5, lengths


def test_each_part_of_the_network_is_one_operator() -> None:
    graph = build_graph(tiny(pooling="last_max_mean", head_dim=5)).graph
    operators = Counter(node.op_type for node in graph.node)
    assert (operators["LSTM"], operators["Gemm"], operators["ReduceMax"]) == (2, 2, 1)
    free = [[dimension.dim_param for dimension in value.type.tensor_type.shape.dim] for value in graph.input]
    assert free == [["batch", "time"], ["batch"]]


def test_the_embedding_is_float16_if_that_is_exact() -> None:
    def table(model: SentimentRNN) -> onnx.TensorProto:
        return next(constant for constant in build_graph(model).graph.initializer if constant.name == "embedding")

    model = tiny()
    assert table(model).data_type == onnx.TensorProto.FLOAT
    with torch.no_grad():
        model.encoder.embedding.weight.copy_(model.encoder.embedding.weight.half().float())
    halved = Pair(model)
    assert table(model).data_type == onnx.TensorProto.FLOAT16
    assert halved.difference([12, 3]) <= 1e-5
    with torch.no_grad():
        model.encoder.embedding.weight[5, 0] = 1e6  # more than the maximum of float16
    assert table(model).data_type == onnx.TensorProto.FLOAT


def test_a_graph_with_other_predictions_is_not_written(
    tiny_checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sentiment.errors import RunError
    from sentiment.export.onnx import export_onnx
    from sentiment.inference import onnx_graph

    monkeypatch.setattr(onnx_graph, "_gates", lambda weights: weights)  # torch's order, which is wrong for ONNX
    classifier = SentimentClassifier(replace(tiny_checkpoint, calibration={"temperature": 2.0}))
    for output in (tmp_path / "model", tmp_path / "model.onnx"):
        with pytest.raises(RunError, match=r"the graph's probabilities differ from the model's by .*; not written"):
            export_onnx(classifier, output)
    assert not list(tmp_path.iterdir())
