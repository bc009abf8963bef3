"""Export a model directory for ONNX Runtime: like the original, but with model.onnx instead of model.safetensors."""

from pathlib import Path

import numpy as np
import torch

from sentiment.classifier import SentimentClassifier
from sentiment.data.batching import EncodedReviews
from sentiment.errors import InputError, RunError
from sentiment.inference.onnx_network import OnnxNetwork
from sentiment.inference.postprocessing import probability
from sentiment.io.files import atomic_directory, atomic_file
from sentiment.persistence.model_directory import ONNX_WEIGHTS, TORCH_WEIGHTS, check_place, write_directory

LARGEST_DIFFERENCE = 1e-5
"""Largest allowed difference of a probability between ONNX Runtime and torch in float32."""


def export_onnx(classifier: SentimentClassifier, output: Path) -> None:
    """Export a model for ONNX Runtime, if its predictions equal those of the model.

    Args:
        classifier: the model.
        output: directory for `OnnxClassifier`, where an existing export is replaced; or a file name that ends in .onnx,
            for the graph only.

    Raises:
        InputError: if `output` exists and is something else.
        RunError: if it cannot be written, the package onnx is not installed, or predictions differ.
    """
    try:
        from sentiment.inference.onnx_graph import build_graph
    except ModuleNotFoundError as error:
        raise RunError(
            "the package onnx is not installed; in a checkout, install it with: "
            "pip install -c constraints.txt '.[onnx]'"
        ) from error
    if output.suffix == ".onnx":
        if output.is_dir():
            raise InputError(f"{output}: is a directory; choose another name for the graph.")
    elif (output / TORCH_WEIGHTS).exists():
        raise InputError(f"{output}: contains {TORCH_WEIGHTS}; choose another directory for the export.")
    else:
        check_place(output)
    graph = build_graph(classifier.model).SerializeToString()
    _check_predictions(classifier, graph, output)
    if output.suffix == ".onnx":
        with atomic_file(output) as temporary:
            temporary.write_bytes(graph)
        return
    with atomic_directory(output) as target:
        (target / ONNX_WEIGHTS).write_bytes(graph)
        write_directory(target, classifier.checkpoint.description(), ONNX_WEIGHTS)


def _check_predictions(classifier: SentimentClassifier, graph: bytes, output: Path) -> None:
    """Compare the graph with the model on reviews of random words, of lengths 0 to 144."""
    generator = np.random.default_rng(0)
    lengths = [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144]
    words = len(classifier.text.vocabulary)
    reviews = EncodedReviews(generator.integers(0, words, length).tolist() for length in lengths)
    ids, padded_lengths = reviews.padded(np.arange(len(reviews)))
    with torch.inference_mode():
        tensors = (torch.from_numpy(array).to(classifier.device) for array in (ids, padded_lengths))
        expected = classifier.model(*tensors).float().cpu().numpy()
    found = OnnxNetwork(graph, output)(reviews, np.arange(len(reviews)))
    temperature = classifier.temperature.of(reviews.lengths)
    difference = probability(found, temperature) - probability(expected, temperature)
    if not (largest := float(np.abs(difference).max())) <= LARGEST_DIFFERENCE:
        raise RunError(f"{output}: the graph's probabilities differ from the model's by {largest:.2g}; not written.")
