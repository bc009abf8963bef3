"""Exports of models in the user's cache directory, so that commands for a few texts start without torch.

The first such command exports the model after its answer; the next ones find the export. It belongs to the SHA-256 of
the model directory, which is checked each time as if the model itself were loaded.
"""

import logging
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sentiment.errors import InputError, RunError
from sentiment.inference.onnx import OnnxClassifier
from sentiment.io.cache import user_cache
from sentiment.io.files import fingerprint
from sentiment.persistence.model_directory import TORCH_WEIGHTS, check_files

if TYPE_CHECKING:
    from sentiment.classifier import SentimentClassifier

logger = logging.getLogger(__name__)

KEPT = 4
"""Number of exports that are kept, each of about the size of the model; those that were written last."""


def load_export(model: Path, threads: int | None) -> OnnxClassifier | None:
    """Load the cached export of a model directory; None if there is none, or ONNX Runtime is not installed.

    Raises:
        InputError: if the model directory is damaged.
    """
    place = _place(model)
    if place is None or not place.is_dir():
        return None
    check_files(model, TORCH_WEIGHTS, "sentiment-rnn")
    with suppress(InputError, RunError):  # of a damaged export, which is then written again
        return OnnxClassifier(place, threads)
    return None


def store_export(classifier: "SentimentClassifier", model: Path) -> None:
    """Export the model of a model directory to the cache; does nothing if that is not possible."""
    from sentiment.export.onnx import export_onnx

    place = _place(model)
    if place is None:
        return
    try:
        export_onnx(classifier, place)
        for other in sorted(place.parent.iterdir(), key=lambda file: file.stat().st_mtime)[:-KEPT]:
            shutil.rmtree(other, ignore_errors=True)
    except (InputError, RunError, OSError) as error:
        logger.debug("the next start will not be faster: %s", error)


def _place(model: Path) -> Path | None:
    """Where the export of a model directory belongs; None without a cache directory or for other models."""
    cache, config = user_cache("onnx"), model / "config.json"
    if cache is None or not config.is_file():
        return None
    return cache / str(fingerprint(config)["sha256"])
