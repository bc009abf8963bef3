"""From token ids to logits: the same weights with several runtimes, each with a batch per thread."""

import functools
import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from sentiment.classifier import SentimentClassifier
from sentiment.data.batching import EncodedReviews
from sentiment.inference.engine import Network, compute_logits
from sentiment.inference.onnx_graph import build_graph
from sentiment.inference.onnx_network import OnnxNetwork
from sentiment.inference.torch_network import cpu_threads, predict_logits
from sentiment.models.inference_lstm import inference_network


@dataclass(frozen=True)
class Variant:
    """One way to compute the logits."""

    baseline: str
    """Name of the variant of which this one changes one thing; its own for the first."""
    logits: Callable[[], np.ndarray]
    """[reviews] float32."""


def runtimes(classifier: SentimentClassifier, reviews: EncodedReviews) -> dict[str, Variant]:
    """All runtimes, by name; one that is not installed raises when it is first run."""
    cpu, usual = torch.device("cpu"), "a batch per thread, torch, fp32"
    float32 = inference_network(classifier.model, "fp32", cpu)
    graph = build_graph(classifier.model).SerializeToString()

    def by(build: Callable[[], Network]) -> Variant:
        network = functools.cache(build)
        threads = partial(cpu_threads, None)
        return Variant(usual, lambda: compute_logits(network(), reviews, threads))

    return {
        usual: Variant(usual, lambda: predict_logits(float32, reviews, cpu)),
        "ONNX Runtime, fp32": by(lambda: OnnxNetwork(graph, "fp32")),
        "ONNX Runtime, int8 weights": by(lambda: OnnxNetwork(_with_int8_weights(graph), "int8")),
        "OpenVINO, fp32": by(lambda: _openvino_network(graph)),
    }


def _with_int8_weights(graph: bytes) -> bytes:
    """The graph with int8 weights in its LSTM layers (`DynamicQuantizeLSTM`)."""
    import onnxruntime
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with TemporaryDirectory() as scratch:
        source, target = Path(scratch) / "fp32.onnx", Path(scratch) / "int8.onnx"
        options = onnxruntime.SessionOptions()
        # weights stored in float16 become constants in float32, which alone are quantized
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(source)
        onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        quantize_dynamic(source, target, ["LSTM"], per_channel=True, weight_type=QuantType.QInt8)
        return target.read_bytes()


def _openvino_network(graph: bytes) -> Network:
    """The graph for OpenVINO, in float32, one thread per call."""
    import openvino

    settings = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32"}
    core = openvino.Core()
    compiled = core.compile_model(core.read_model(io.BytesIO(graph)), "CPU", settings)

    def network(reviews: EncodedReviews, rows: np.ndarray) -> np.ndarray:
        ids, lengths = reviews.padded(rows)
        found: np.ndarray = compiled.create_infer_request().infer({"input_ids": ids, "lengths": lengths})[0]
        return found

    return network
