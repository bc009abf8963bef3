"""What every model directory holds beside its weights: config.json, vocab.json, metrics.json, README.md.

config.json holds the size and SHA-256 of the files that count, and a SHA-256 of itself, so parts of two models are
never mixed and no damaged byte goes unseen. The weights are model.safetensors (`persistence.checkpoint`) or model.onnx
(`inference.onnx`); this module reads neither, and imports no torch.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from sentiment.errors import InputError
from sentiment.io.files import check_fingerprint, expand_user, fingerprint, read_json, write_json, write_text
from sentiment.text import tokenizer
from sentiment.text.vocabulary import Direction, Keep, TextEncoder, Vocabulary

FORMAT_VERSION = 1
PRETRAINED_MODELS = Path(__file__).parents[1] / "pretrained"
"""The model directories that come with the package; the name of each names its model."""
PARTS = {"format_version", "kind", "model", "text", "calibration", "files", "sha256"}
TORCH_WEIGHTS, ONNX_WEIGHTS = "model.safetensors", "model.onnx"
READERS = {
    TORCH_WEIGHTS: "SentimentClassifier reads it",
    ONNX_WEIGHTS: "only `sentiment predict` and OnnxClassifier read it; name the directory that it was exported from",
}


@dataclass(frozen=True)
class ModelDirectory:
    """A model directory, all but its weights.

    Attributes:
        kind: "sentiment-rnn" or "language-model".
        model_settings: keyword arguments of the network.
        text: vocabulary and reading settings.
        calibration: what `calibration.fit_calibration` gives.
        metrics: figures of the validation part.
        card: the model card, Markdown.
    """

    kind: str
    model_settings: dict[str, Any]
    text: TextEncoder
    calibration: dict[str, float]
    metrics: dict[str, Any]
    card: str


def locate_model(model: str | Path) -> Path:
    """Where a model lies that is given as a directory, or as the name of one that ships with the package.

    A model directory goes before a shipped model of that name; a directory without config.json, such as one of reviews,
    does not.

    Returns:
        The model's directory, or `model` as it is, for a reader to say what is missing there.
    """
    directory = expand_user(model)
    if (directory / "config.json").is_file():
        return directory
    shipped = {file.parent.name: file.parent for file in PRETRAINED_MODELS.glob("*/config.json")}
    return shipped.get(str(model), directory)


def write_directory(target: Path, model: ModelDirectory, weights: str) -> None:
    """Write all but the weights into a directory in which the file of weights, of that name, lies already."""
    write_json(target / "vocab.json", {"counts": model.text.vocabulary.counts})
    write_json(target / "metrics.json", model.metrics)
    write_text(target / "README.md", model.card)
    config = {
        "format_version": FORMAT_VERSION,
        "kind": model.kind,
        "model": model.model_settings,
        "text": {
            "version": tokenizer.VERSION,
            "max_length": model.text.max_length,
            "keep": model.text.keep,
            "direction": model.text.direction,
        },
        "calibration": model.calibration,
        "files": {name: fingerprint(target / name) for name in _checked(weights)},
    }
    write_json(target / "config.json", config | {"sha256": config_digest(config)})


def read_directory(directory: Path, weights: str, *kinds: str) -> ModelDirectory:
    """Read a model directory strictly, all but the contents of its weights, whose hash is checked.

    Args:
        directory: where.
        weights: the file of weights that is of use.
        kinds: the kinds of network that are of use.

    Raises:
        InputError: one sentence naming the file and what is wrong with it.
    """
    if directory.is_file():
        raise InputError(f"{directory}: is a file; give the model directory that holds config.json.")
    if not directory.is_dir():
        raise InputError(f"{directory}: no such model directory.")
    config_file = directory / "config.json"
    config = read_json(config_file)
    version = config.get("format_version")
    if version != FORMAT_VERSION:
        raise InputError(f"{config_file}: format version {version!r}; this program reads version {FORMAT_VERSION}.")
    if unknown := config.keys() - PARTS:
        raise InputError(f"{config_file}: holds {unknown.pop()!r}, which no model directory has.")
    digest = config_digest(config)
    if config.get("sha256") != digest:
        raise InputError(f"{config_file}: says that its SHA-256 is {config.get('sha256')!r}, but it is {digest!r}.")
    kind = config.get("kind")
    if kind not in kinds:
        raise InputError(f"{config_file}: holds a {kind!r}, where a {' or '.join(map(repr, kinds))} is needed.")
    try:
        settings, text, files = dict(config["model"]), dict(config["text"]), dict(config["files"])
        calibration = validate_calibration(config["calibration"])
        if text.pop("version") != tokenizer.VERSION:
            raise InputError(f"{config_file}: written for other text rules; train the model again.")
        for other, reader in READERS.items():
            if weights not in files and other in files:
                raise InputError(f"{config_file}: the model's weights are {other}, not {weights}; {reader}.")
        if files.keys() - set(_checked(weights)):
            raise ValueError(f"files are {sorted(files)}")
        for name in _checked(weights):
            check_fingerprint(directory / name, files[name])
        encoder = _text_encoder(Vocabulary.restored(dict(read_json(directory / "vocab.json")["counts"])), **text)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{config_file}: a part is missing or of the wrong kind: {error}.") from error
    if settings.get("vocab_size") != len(encoder.vocabulary):
        raise InputError(
            f"{directory / 'vocab.json'}: {len(encoder.vocabulary)} words, but the model's embedding has "
            f"{settings.get('vocab_size')!r} rows."
        )
    card = directory / "README.md"
    return ModelDirectory(
        kind=kind,
        model_settings=settings,
        text=encoder,
        calibration=calibration,
        metrics=read_json(directory / "metrics.json"),
        card=card.read_text("utf-8", "replace") if card.is_file() else "",
    )


def check_place(directory: Path) -> None:
    """Make sure that a model directory may be written there.

    Raises:
        InputError: if something else stands there.
    """
    if (
        directory.exists()
        and not (directory / "config.json").is_file()
        and (not directory.is_dir() or any(directory.iterdir()))
    ):
        raise InputError(f"{directory}: exists and is no model directory; choose another place.")


def config_digest(config: Mapping[str, Any]) -> str:
    """SHA-256 of the configuration without the digest itself, however its JSON is laid out."""
    rest = {name: value for name, value in config.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _checked(weights: str) -> tuple[str, ...]:
    """The files whose size and hash config.json holds."""
    return (weights, "vocab.json", "metrics.json")


def _text_encoder(vocabulary: Vocabulary, max_length: int, keep: Keep, direction: Direction) -> TextEncoder:
    if type(max_length) is not int or max_length < 1:
        raise ValueError(f"max_length is {max_length!r}")
    if keep not in get_args(Keep) or direction not in get_args(Direction):
        raise ValueError(f"keep is {keep!r} and direction {direction!r}")
    return TextEncoder(vocabulary, max_length, keep, direction)


def validate_calibration(values: Mapping[str, float]) -> dict[str, float]:
    """The calibration of a model directory, if its values can be one.

    Raises:
        ValueError: for a temperature that is not positive and finite, or a score outside 0.5 to 1.
    """
    calibration = {str(name): float(value) for name, value in values.items()}
    temperature, score = calibration["temperature"], calibration.get("confident_from", 0.5)
    if not (math.isfinite(temperature) and temperature > 0):
        raise ValueError(f"temperature is {temperature}; it must be positive and finite")
    if not 0.5 <= score <= 1:
        raise ValueError(f"confident_from is {score}; it must lie between 0.5 and 1")
    return calibration
