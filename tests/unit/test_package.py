"""Public names, and which modules importing them loads."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import sentiment

HEAVY = {"torch", "datasets", "sklearn", "scipy", "matplotlib", "captum", "accelerate", "pyarrow"}


def imported_by(*code: str) -> set[str]:
    """Top-level modules that are imported after running the code in a new process."""
    script = "\n".join([*code, "import sys", "print('MODULES', *{name.partition('.')[0] for name in sys.modules})"])
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.rpartition("MODULES ")[2].split())


def test_public_names() -> None:
    assert set(sentiment.__all__) == {
        "Explanation",
        "InputError",
        "Prediction",
        "RunError",
        "SentimentClassifier",
        "__version__",
        "predict_review",
    }
    for name in sentiment.__all__:
        assert getattr(sentiment, name)
    with pytest.raises(AttributeError, match="has no attribute 'predict_reviews'"):
        _ = sentiment.predict_reviews  # type: ignore[attr-defined]


def test_it_is_typed() -> None:
    assert (Path(sentiment.__file__).parent / "py.typed").is_file()


def test_the_lstm_unit_keeps_its_name() -> None:
    alias, module = map(importlib.import_module, ("sentiment.lstm_unit", "sentiment.models.lstm_cell"))
    assert alias.LSTMUnit is module.LSTMUnit and alias.LSTMStep is module.LSTMStep


def test_onnx_prediction_keeps_its_name_with_a_warning() -> None:
    sys.modules.pop("sentiment.onnx_prediction", None)
    with pytest.warns(DeprecationWarning, match=r"is now sentiment\.inference\.onnx"):
        alias = importlib.import_module("sentiment.onnx_prediction")
    assert alias.OnnxClassifier is importlib.import_module("sentiment.inference.onnx").OnnxClassifier


def test_importing_the_package_imports_nothing_heavy() -> None:
    assert not imported_by("import sentiment", "sentiment.__version__", "sentiment.InputError") & HEAVY


@pytest.mark.parametrize("module", ["text", "io", "data", "models", "inference", "batch", "evaluation", "cli"])
def test_subpackages_are_empty(module: str) -> None:
    """An `__init__.py` that imports modules would slow down the code that does not need torch."""
    assert Path(sentiment.__file__).with_name(module).joinpath("__init__.py").read_text("utf-8") == ""
