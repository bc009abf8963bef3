"""A model directory for ONNX Runtime: the same texts, the same calibration, model.onnx in place of the weights."""

from pathlib import Path

import numpy as np
import torch

from sentiment.classifier import SentimentClassifier
from sentiment.data.batching import EncodedReviews
from sentiment.errors import InputError, RunError
from sentiment.inference.onnx import open_session
from sentiment.inference.postprocessing import probability
from sentiment.io.files import atomic_directory, atomic_file
from sentiment.persistence.model_directory import ONNX_WEIGHTS, TORCH_WEIGHTS, check_place, write_directory

LARGEST_DIFFERENCE = 1e-5
"""Of a probability, between torch in float32 and ONNX Runtime."""


def export_onnx(classifier: SentimentClassifier, output: Path) -> None:
    """Write a model for ONNX Runtime; it appears only if it answers as the model does.

    Args:
        classifier: the model.
        output: a directory for `OnnxClassifier`, where a former one is replaced; or a name that ends in .onnx, for the
            graph alone.

    Raises:
        InputError: if something else stands there.
        RunError: if it cannot be written, the package onnx is missing, or the answers differ.
    """
    try:
        from sentiment.export.onnx_graph import build_graph
    except ModuleNotFoundError as error:
        raise RunError(
            "the package onnx is not installed: in a checkout, pip install -c constraints.txt '.[onnx]'."
        ) from error
    if output.suffix == ".onnx":
        if output.is_dir():
            raise InputError(f"{output}: is a directory; choose another name for the graph.")
    elif (output / TORCH_WEIGHTS).exists():
        raise InputError(f"{output}: holds {TORCH_WEIGHTS}, which an export must not replace; choose another place.")
    else:
        check_place(output)
    graph = build_graph(classifier.model).SerializeToString()
    _check_answers(classifier, graph, output)
    if output.suffix == ".onnx":
        with atomic_file(output) as temporary:
            temporary.write_bytes(graph)
        return
    with atomic_directory(output) as target:
        (target / ONNX_WEIGHTS).write_bytes(graph)
        write_directory(target, classifier.checkpoint.description(), ONNX_WEIGHTS)


def _check_answers(classifier: SentimentClassifier, graph: bytes, output: Path) -> None:
    """Compare on random words, of lengths from 0 on."""
    chance = np.random.default_rng(0)
    lengths = [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144]
    reviews = EncodedReviews(chance.integers(0, len(classifier.text.vocabulary), length).tolist() for length in lengths)
    ids, read = reviews.padded(np.arange(len(reviews)))
    with torch.inference_mode():
        tensors = (torch.from_numpy(array).to(classifier.device) for array in (ids, read))
        expected = classifier.model(*tensors).float().cpu().numpy()
    found = open_session(graph, output).run(["logits"], {"input_ids": ids, "lengths": read})[0]
    difference = probability(found, classifier.temperature) - probability(expected, classifier.temperature)
    if not (largest := float(np.abs(difference).max())) <= LARGEST_DIFFERENCE:
        raise RunError(f"{output}: the graph's answers differ from the model's by {largest:.2g}; not written.")
