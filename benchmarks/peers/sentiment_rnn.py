"""This project's models, through its public classes: with torch, and with ONNX Runtime."""

import os
from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.system import Predict, System


def our_systems(models: Sequence[str], cache: Path) -> list[System]:
    """The models that ship with the package, and further model directories; each with torch and with ONNX Runtime."""
    from sentiment.classifier import SentimentClassifier
    from sentiment.export.onnx import export_onnx
    from sentiment.persistence.model_directory import PRETRAINED_MODELS

    shipped = sorted(file.parent for file in PRETRAINED_MODELS.glob("*/config.json"))
    found: list[System] = []
    for name, directory in [(place.name, place) for place in shipped] + [(name, Path(name)) for name in models]:
        exported = cache / f"{name.replace('/', '-')}.exported"
        title, call = f"SentimentRNN {name}", "predict, one call"
        torch = System(title, f"SentimentClassifier.{call}", directory, load_torch, ours=True)
        onnx = System(
            f"{title}, ONNX",
            f"OnnxClassifier.{call}",
            exported,
            load_onnx,
            packages=("onnx", "onnxruntime"),
            ours=True,
        )
        if not onnx.missing_packages():
            export_onnx(SentimentClassifier.from_pretrained(directory), exported)
        found += [torch, onnx]
    return found


def load_torch(directory: Path) -> Predict:
    """With torch."""
    from sentiment import SentimentClassifier

    classifier = SentimentClassifier.from_pretrained(directory)
    return lambda texts: [int(prediction.label == "positive") for prediction in classifier.predict(texts)]


def load_onnx(directory: Path) -> Predict:
    """Without torch, on as many threads as the other libraries are given."""
    from sentiment.inference.onnx import OnnxClassifier

    classifier = OnnxClassifier.from_pretrained(directory, threads=int(os.environ["OMP_NUM_THREADS"]))
    return lambda texts: [int(prediction.label == "positive") for prediction in classifier.predict(texts)]
