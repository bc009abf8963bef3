"""Model directories, without the weights: config.json, vocab.json, metrics.json, README.md.

config.json contains the size and SHA-256 of the other files, and its own SHA-256. So damaged files and mixtures of two
models are detected. The weights are in model.safetensors (`persistence.checkpoint`) or model.onnx (`inference.onnx`).
This module reads neither, and does not import torch.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from sentiment.errors import InputError, nearest
from sentiment.io.files import check_fingerprint, expand_user, fingerprint, read_json, write_json, write_text
from sentiment.text import tokenizer
from sentiment.text.normalization import FIRST_STEPS, STEPS
from sentiment.text.repair import REPAIRS
from sentiment.text.vocabulary import Direction, Keep, TextEncoder, Vocabulary

FORMAT_VERSION = 1
PRETRAINED_MODELS = Path(__file__).parents[1] / "pretrained"
"""The shipped models: a model directory for each, under the name of the model."""
CONFIG_ENTRIES = {"format_version", "kind", "model", "text", "calibration", "files", "sha256"}
TORCH_WEIGHTS, ONNX_WEIGHTS = "model.safetensors", "model.onnx"
OTHER_WEIGHTS = {
    TORCH_WEIGHTS: "load it with SentimentClassifier",
    ONNX_WEIGHTS: "only `sentiment predict` and OnnxClassifier read it; give the model directory it was exported from",
}
"""What to do with a model directory that has the other kind of weights."""


@dataclass(frozen=True)
class ModelDirectory:
    """The contents of a model directory, without the weights.

    Attributes:
        kind: "sentiment-rnn" or "language-model".
        model_settings: keyword arguments of the network.
        text: vocabulary and text settings.
        calibration: result of `calibration.fit_calibration`.
        metrics: metrics of the validation part, or of the last evaluation.
        card: model card, Markdown.
    """

    kind: str
    model_settings: dict[str, Any]
    text: TextEncoder
    calibration: dict[str, Any]
    metrics: dict[str, Any]
    card: str


def locate_model(model: str | Path) -> Path:
    """Find a model that is given as a model directory or as the name of a shipped model.

    A model directory has priority over a shipped model of the same name; other directories do not.

    Returns:
        The model directory. If there is none, `model` as a path: reading it gives an error that tells what is missing.
    """
    directory = expand_user(model)
    if (directory / "config.json").is_file():
        return directory
    shipped = {file.parent.name: file.parent for file in PRETRAINED_MODELS.glob("*/config.json")}
    return shipped.get(str(model), directory)


def write_directory(target: Path, model: ModelDirectory, weights: str) -> None:
    """Write everything except the weights; their file, named `weights`, must already be in the directory."""
    write_json(target / "vocab.json", {"counts": model.text.vocabulary.counts})
    write_json(target / "metrics.json", model.metrics)
    write_text(target / "README.md", model.card)
    config = {
        "format_version": FORMAT_VERSION,
        "kind": model.kind,
        "model": model.model_settings,
        "text": {
            "version": tokenizer.VERSION,
            "steps": list(model.text.steps),
            "max_length": model.text.max_length,
            "keep": model.text.keep,
            "direction": model.text.direction,
        },
        "calibration": model.calibration,
        "files": {name: fingerprint(target / name) for name in _checked(weights)},
    }
    write_json(target / "config.json", config | {"sha256": config_digest(config)})


def check_files(directory: Path, weights: str, *kinds: str) -> dict[str, Any]:
    """Check the files of a model directory, and return the content of config.json.

    Args:
        directory: model directory.
        weights: name of the file of weights that it must have.
        kinds: allowed kinds of networks.

    Raises:
        InputError: if something is missing, damaged or of another kind; it names the file and the problem.
    """
    if directory.is_file():
        raise InputError(f"{directory}: is a file; give the model directory that contains config.json.")
    if not directory.is_dir():
        meant = nearest(str(directory), [file.parent.name for file in PRETRAINED_MODELS.glob("*/config.json")])
        raise InputError(f"{directory}: no such model directory{f'; did you mean {meant}?' if meant else '.'}")
    if not (directory / "config.json").is_file():
        raise InputError(f"{directory}: is not a model directory, since it has no config.json.")
    config_file = directory / "config.json"
    config = read_json(config_file)
    version = config.get("format_version")
    if version != FORMAT_VERSION:
        raise InputError(f"{config_file}: has format version {version!r}; this package reads version {FORMAT_VERSION}.")
    if unknown := config.keys() - CONFIG_ENTRIES:
        raise InputError(f"{config_file}: unknown entry {unknown.pop()!r}.")
    digest = config_digest(config)
    if config.get("sha256") != digest:
        recorded = str(config.get("sha256"))[:12]
        raise InputError(f"{config_file}: its SHA-256 is recorded as {recorded}..., but it is {digest[:12]}....")
    kind = config.get("kind")
    if kind not in kinds:
        raise InputError(f"{config_file}: contains a {kind!r}, but a {' or '.join(map(repr, kinds))} is needed.")
    try:
        files = dict(config["files"])
        if dict(config["text"])["version"] != tokenizer.VERSION:
            raise InputError(f"{config_file}: saved with other tokenizer rules; train the model again.")
        for other, advice in OTHER_WEIGHTS.items():
            if weights not in files and other in files:
                raise InputError(f"{config_file}: the model's weights are {other}, not {weights}; {advice}.")
        if files.keys() - set(_checked(weights)):
            raise ValueError(f"files are {sorted(files)}")
        for name in _checked(weights):
            check_fingerprint(directory / name, files[name])
    except InputError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise _wrong_entry(config_file, error) from error
    return config


def read_directory(directory: Path, weights: str, *kinds: str) -> ModelDirectory:
    """Read and check a model directory; of the weights, only the size and SHA-256 are checked.

    The arguments and errors are those of `check_files`.
    """
    config, config_file = check_files(directory, weights, *kinds), directory / "config.json"
    try:
        settings, text = dict(config["model"]), dict(config["text"])
        calibration = validate_calibration(config["calibration"])
        del text["version"]
        encoder = _text_encoder(Vocabulary.restored(dict(read_json(directory / "vocab.json")["counts"])), **text)
    except InputError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise _wrong_entry(config_file, error) from error
    if settings.get("vocab_size") != len(encoder.vocabulary):
        raise InputError(
            f"{directory / 'vocab.json'}: {len(encoder.vocabulary)} words, but the model's embedding has "
            f"{settings.get('vocab_size')!r} rows."
        )
    card = directory / "README.md"
    return ModelDirectory(
        kind=config["kind"],
        model_settings=settings,
        text=encoder,
        calibration=calibration,
        metrics=read_json(directory / "metrics.json"),
        card=card.read_text("utf-8", "replace") if card.is_file() else "",
    )


def _wrong_entry(config_file: Path, error: Exception) -> InputError:
    return InputError(f"{config_file}: an entry is missing or has a wrong value: {error}.")


def check_place(directory: Path) -> None:
    """Check that a model directory can be written here: it is new, empty, or an existing model directory.

    Raises:
        InputError: otherwise.
    """
    if (
        directory.exists()
        and not (directory / "config.json").is_file()
        and (not directory.is_dir() or any(directory.iterdir()))
    ):
        raise InputError(f"{directory}: exists and is not a model directory; choose another directory.")


def config_digest(config: Mapping[str, Any]) -> str:
    """SHA-256 of the entries of config.json, without the digest itself; the JSON layout does not matter."""
    rest = {name: value for name, value in config.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _checked(weights: str) -> tuple[str, ...]:
    """The files whose size and SHA-256 are in config.json."""
    return (weights, "vocab.json", "metrics.json")


def _text_encoder(
    vocabulary: Vocabulary, max_length: int, keep: Keep, direction: Direction, steps: Sequence[str] = FIRST_STEPS
) -> TextEncoder:
    if type(max_length) is not int or max_length < 1:
        raise ValueError(f"max_length is {max_length!r}")
    if keep not in get_args(Keep) or direction not in get_args(Direction):
        raise ValueError(f"keep is {keep!r} and direction {direction!r}")
    if unknown := [step for step in steps if step not in STEPS and step not in REPAIRS]:
        raise ValueError(f"steps has {unknown[0]!r}, which this version does not know")
    return TextEncoder(vocabulary, max_length, keep, direction, tuple(steps))


def validate_calibration(values: Mapping[str, Any]) -> dict[str, Any]:
    """Check the calibration of a model directory and return it.

    Raises:
        ValueError: if the temperature is not positive and finite, confident_from is outside 0.5 to 1, or a number of a
            band is outside 0 to 1.
    """
    calibration: dict[str, Any] = {str(name): float(value) for name, value in values.items() if name != "bands"}
    if "bands" in values:
        calibration["bands"] = [_validate_band(**band) for band in values["bands"]]
    temperature, score = calibration["temperature"], calibration.get("confident_from", 0.5)
    if not (math.isfinite(temperature) and temperature > 0):
        raise ValueError(f"temperature is {temperature}; it must be positive and finite")
    if not 0.5 <= score <= 1:
        raise ValueError(f"confident_from is {score}; it must be between 0.5 and 1")
    return calibration


def _validate_band(accuracy: float, confident_from: float, coverage: float) -> dict[str, float]:
    band = {"accuracy": float(accuracy), "confident_from": float(confident_from), "coverage": float(coverage)}
    if not all(0 <= value <= 1 for value in band.values()):
        raise ValueError(f"a band is {band}; its numbers must be between 0 and 1")
    return band
