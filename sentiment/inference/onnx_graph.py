"""Build the ONNX graph of a trained network: embedding → LSTM layers → pooling → head, about twenty nodes.

- The graph is built node by node, since each part of the network is one ONNX operator. `torch.onnx.export` (torch 2.13,
  dynamo) would create twice as many nodes, without lengths for the LSTM, and for one batch size only.
- The LSTM operator gets the lengths, so padding has no effect, and its last state is that of the last token.
- Weights that float16 represents exactly, as in a model saved in half precision, are stored in float16: half the file
  size. ONNX Runtime converts them when it loads the graph; word vectors are converted when a word is looked up.
"""

from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, checker, helper, numpy_helper
from torch import nn

from sentiment.models.lstm import LSTMEncoder, SentimentRNN

OPSET, IR_VERSION = 17, 8
"""Versions from 2022, so that older runtimes can read the file, too."""


def build_graph(model: SentimentRNN) -> ModelProto:
    """Build the graph that computes a network's logits, before the temperature.

    Inputs: `input_ids` [batch, time] int64, right-padded, time at least 1; `lengths` [batch] int64, 0 to time. Output:
    `logits` [batch] float32. Batch and time can have any size.
    """
    graph = _Graph()
    outputs, last = _encode(graph, model.encoder)
    features = _pool(graph, outputs, last, model.pooling)
    logits = graph.add("Squeeze", _head(graph, model.head, features), graph.constant("column", [1], np.int64))
    graph.nodes.append(helper.make_node("Identity", [logits], ["logits"]))
    inputs = [("input_ids", TensorProto.INT64, ["batch", "time"]), ("lengths", TensorProto.INT64, ["batch"])]
    built = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "sentiment-rnn",
            [helper.make_tensor_value_info(*described) for described in inputs],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch"])],
            graph.constants,
        ),
        producer_name="sentiment-rnn",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    checker.check_model(built, full_check=True)
    return built


class _Graph:
    """Nodes and constants in order; each method returns the name of the output."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        name = f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], **attributes))
        return name

    def constant(self, name: str, value: Any, dtype: type[np.generic] = np.float32) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value, dtype=dtype), name))
        return name

    def weights(self, name: str, value: np.ndarray) -> str:
        kind = _smallest_type(value)
        stored = self.constant(name, value, kind)
        return stored if kind is np.float32 else self.add("Cast", stored, to=TensorProto.FLOAT)


def _smallest_type(value: np.ndarray) -> type[np.float16] | type[np.float32]:
    """float16 if it represents all values exactly, otherwise float32."""
    with np.errstate(over="ignore"):  # too large values become infinite, so they differ
        return np.float16 if (value.astype(np.float16) == value).all() else np.float32


def _encode(graph: _Graph, encoder: LSTMEncoder) -> tuple[str, str]:
    """Add the encoder; returns the top layer's outputs [time, batch, hidden] and last state [1, batch, hidden]."""
    # ONNX's LSTM needs time first; the ids are transposed, since they are smaller than the word vectors
    ids = graph.add("Transpose", "input_ids", perm=[1, 0])
    table = encoder.embedding.weight.detach().cpu().numpy()
    kind = _smallest_type(table)
    outputs = graph.add("Gather", graph.constant("embedding", table, kind), ids)
    if kind is np.float16:
        outputs = graph.add("Cast", outputs, to=TensorProto.FLOAT)
    lengths = graph.add("Cast", "lengths", to=TensorProto.INT32)
    direction = graph.constant("direction", [1], np.int64)
    last = ""
    for depth, layer in enumerate(encoder.layers):
        weights = {name.removesuffix("_l0"): value.detach().cpu().numpy() for name, value in layer.named_parameters()}
        names = [
            graph.weights(f"input_weights_{depth}", _gates(weights["weight_ih"])[None]),
            graph.weights(f"recurrent_weights_{depth}", _gates(weights["weight_hh"])[None]),
            graph.constant(
                f"biases_{depth}", np.concatenate([_gates(weights["bias_ih"]), _gates(weights["bias_hh"])])[None]
            ),
        ]
        every, last = f"every_state_{depth}", f"last_state_{depth}"
        inputs, hidden_dim = [outputs, *names, lengths], weights["weight_hh"].shape[1]
        graph.nodes.append(helper.make_node("LSTM", inputs, [every, last], hidden_size=hidden_dim))
        outputs = graph.add("Squeeze", every, direction)  # [time, 1, batch, hidden] → [time, batch, hidden]
    return outputs, last


def _gates(weights: np.ndarray) -> np.ndarray:
    """Reorder gates from torch (input, forget, candidate, output) to ONNX (input, output, forget, candidate).

    https://onnx.ai/onnx/operators/onnx__LSTM.html
    """
    input_gate, forget, candidate, output = np.split(weights, 4)
    return np.concatenate([input_gate, output, forget, candidate])


def _pool(graph: _Graph, outputs: str, last: str, pooling: str) -> str:
    """Add `sentiment.models.lstm.pool`; returns [batch, features], zeros for a length of 0."""
    zero, one = graph.constant("zero", 0), graph.constant("one", 1, np.int64)
    first_axis, last_axis = graph.constant("first_axis", [0], np.int64), graph.constant("last_axis", [-1], np.int64)
    none = graph.constant("none", 0, np.int64)
    features = graph.add("Squeeze", last, first_axis)
    lengths = graph.add("Unsqueeze", "lengths", last_axis)  # [batch, 1]
    if pooling == "last_max_mean":
        time = graph.add("Gather", graph.add("Shape", "input_ids"), one)
        steps = graph.add("Unsqueeze", graph.add("Range", none, time, one), last_axis)  # [time, 1]
        real = graph.add("Unsqueeze", graph.add("Less", steps, "lengths"), last_axis)  # [time, batch, 1]
        without_padding = graph.add("Where", real, outputs, graph.constant("lowest", -np.inf))
        largest = graph.add("ReduceMax", without_padding, axes=[0], keepdims=0)
        total = graph.add("ReduceSum", graph.add("Where", real, outputs, zero), first_axis, keepdims=0)
        count = graph.add("Cast", lengths, to=TensorProto.FLOAT)  # division by 0 is replaced by the last node
        features = graph.add("Concat", features, largest, graph.add("Div", total, count), axis=1)
    return graph.add("Where", graph.add("Greater", lengths, none), features, zero)


def _head(graph: _Graph, head: nn.Sequential, features: str) -> str:
    """Add the linear and ReLU layers of the head, without dropout; returns [batch, 1]."""
    for depth, layer in enumerate(head):
        if isinstance(layer, nn.Linear):
            weight = graph.constant(f"head_weight_{depth}", layer.weight.detach().cpu().numpy())
            bias = graph.constant(f"head_bias_{depth}", layer.bias.detach().cpu().numpy())
            features = graph.add("Gemm", features, weight, bias, transB=1)
        elif isinstance(layer, nn.ReLU):
            features = graph.add("Relu", features)
    return features
