"""The page that runs a model in the browser, as static files: its code, which is built from `source/`, and a model.

Any web server can serve the files. This module does not import torch, so that the page opens fast.
"""

import json
import shutil
from pathlib import Path

from sentiment.errors import InputError
from sentiment.io.files import atomic_directory
from sentiment.persistence import hub
from sentiment.persistence.model_directory import TORCH_WEIGHTS, read_directory
from sentiment.web.tables import text_tables

CODE = ("source/index.html", "source/style.css", "built/app.js", "built/worker.js")
"""The files of the page that do not depend on the model."""
FILES = (*(Path(file).name for file in CODE), TORCH_WEIGHTS, "model.json", "vocabulary.json", "tables.json")
"""All files of a page."""
DEFAULT_MODEL = "imdb-small"
"""The smaller of the shipped models, since a page loads its model each time."""


def write_page(model: str, directory: Path) -> None:
    """Write the page with a model in it; an earlier page in the directory is replaced when the new one is complete.

    Args:
        model: a model directory, a shipped model, or a hub id.
        directory: where to write the page: a new or empty directory, or one with a page.

    Raises:
        InputError: if there is no such model, it is damaged or has no LSTM layers, or the directory has other files.
        RunError: if the page cannot be written, or the hub cannot be reached.
    """
    _check_place(directory)
    files = page_files(model)
    with atomic_directory(directory) as target:
        for name, content in files.items():
            if isinstance(content, Path):
                shutil.copyfile(content, target / name)
            else:
                (target / name).write_bytes(content)


def page_files(model: str) -> dict[str, Path | bytes]:
    """The files of the page with a model in it: where a file lies, or what is in it.

    Args:
        model: a model directory, a shipped model, or a hub id.

    Raises:
        InputError: if there is no such model, it is damaged or has no LSTM layers.
        RunError: if the hub cannot be reached.
    """
    source = hub.find_model(model)
    read = read_directory(source, TORCH_WEIGHTS, "sentiment-rnn")
    text = read.text
    config = {
        "name": Path(model).resolve().name,
        "model": {"head_dim": 0, "num_layers": 2, "pooling": "last"} | read.model_settings,
        "text": {
            "steps": text.steps,
            "max_length": text.max_length,
            "keep": text.keep,
            "direction": text.direction,
        },
        "calibration": read.calibration,
    }
    return {
        **{Path(file).name: Path(__file__).parent / file for file in CODE},
        TORCH_WEIGHTS: source / TORCH_WEIGHTS,
        "model.json": _compact(config),
        "vocabulary.json": _compact(text.vocabulary.counts),
        "tables.json": _compact(text_tables()),
    }


def _check_place(directory: Path) -> None:
    if not directory.exists():
        return
    if not directory.is_dir():
        raise InputError(f"{directory}: is a file; choose a directory for the page.")
    present = {file.name for file in directory.iterdir()}
    if present and not (present <= set(FILES) and "model.json" in present):
        raise InputError(f"{directory}: has other files, which the page would replace; choose a new directory.")


def _compact(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
