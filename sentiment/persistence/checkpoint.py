"""A model directory with its weights: config.json, model.safetensors, vocab.json, metrics.json, README.md.

Only JSON and safetensors files with these names are read, so loading a model runs no code and reads no other files.
`sentiment.persistence.model_directory` reads and writes everything except the weights.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from sentiment.errors import InputError
from sentiment.io.files import atomic_directory, fingerprint, read_json, write_json, write_text
from sentiment.models.language_model import LanguageModel
from sentiment.models.lstm import SentimentRNN
from sentiment.models.sizing import empty_network, tensor_shapes
from sentiment.persistence.model_directory import (
    TORCH_WEIGHTS,
    ModelDirectory,
    check_place,
    config_digest,
    read_directory,
    write_directory,
)
from sentiment.text import tokenizer
from sentiment.text.vocabulary import TextEncoder

KINDS = {"sentiment-rnn": SentimentRNN, "language-model": LanguageModel}
DTYPES = ("F32", "F16", "BF16")


@dataclass(frozen=True)
class Checkpoint:
    """The contents of a model directory.

    Attributes:
        kind: "sentiment-rnn" or "language-model".
        model_settings: keyword arguments of the network.
        text: vocabulary and text settings.
        weights: state dict of the network.
        calibration: result of `calibration.fit_calibration`; before it is fitted, a temperature of 1.
        metrics: metrics of the validation part, or of the last evaluation.
        card: model card, Markdown.
    """

    kind: str
    model_settings: dict[str, Any]
    text: TextEncoder
    weights: Mapping[str, Tensor]
    calibration: dict[str, Any] = field(default_factory=lambda: {"temperature": 1.0})
    metrics: dict[str, Any] = field(default_factory=dict)
    card: str = ""

    def with_card(self, card: str) -> "Checkpoint":
        """The same model with another card."""
        return replace(self, card=card)

    def digest(self) -> str:
        """SHA-256 of everything that a prediction depends on; equal digests mean equal predictions."""
        text = self.text
        settings = [tokenizer.VERSION, self.kind, self.model_settings, self.calibration]
        settings += [text.vocabulary.counts, text.max_length, text.keep, text.direction, text.steps]
        digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
        for name, tensor in sorted(self.weights.items()):
            digest.update(name.encode() + tensor.detach().cpu().float().contiguous().numpy().tobytes())
        return digest.hexdigest()

    def description(self) -> ModelDirectory:
        """Everything except the weights."""
        return ModelDirectory(
            self.kind, self.model_settings, self.text, self.calibration, dict(self.metrics), self.card
        )

    def build(self) -> nn.Module:
        """The network with a copy of the weights, in evaluation mode; float32 on the CPU, and it can be trained.

        The copies become its parameters. So nothing is initialized, no random numbers are drawn, and torch's default
        type and device do not matter.
        """
        with torch.inference_mode(False):
            model = empty_network(KINDS[self.kind], self.model_settings)
            copies = {name: _copy(tensor) for name, tensor in self.weights.items()}
            model.load_state_dict(copies, assign=True)
        return model.eval()


def _copy(tensor: Tensor) -> Tensor:
    return tensor.detach().to("cpu", torch.float32, copy=True, memory_format=torch.contiguous_format)


def save_checkpoint(checkpoint: Checkpoint, directory: Path) -> None:
    """Write a model directory; an existing one is replaced only when the new one is complete.

    Raises:
        RunError: if it cannot be written.
        InputError: if `directory` exists and is not a model directory.
    """
    check_place(directory)
    with atomic_directory(directory) as target:
        weights = {name: tensor.detach().cpu().contiguous() for name, tensor in checkpoint.weights.items()}
        save_file(weights, target / TORCH_WEIGHTS)
        write_directory(target, checkpoint.description(), TORCH_WEIGHTS)


def replace_figures(directory: Path, metrics: dict[str, Any], card: str) -> None:
    """Replace the metrics and the card of a model directory; weights and vocabulary do not change.

    Raises:
        RunError: if it cannot be written; the model directory is then unchanged.
    """
    config = read_json(directory / "config.json")
    with atomic_directory(directory) as target:
        for name in (TORCH_WEIGHTS, "vocab.json"):
            shutil.copyfile(directory / name, target / name)
        write_json(target / "metrics.json", metrics)
        write_text(target / "README.md", card)
        config["files"] |= {"metrics.json": fingerprint(target / "metrics.json")}
        write_json(target / "config.json", config | {"sha256": config_digest(config)})


def load_checkpoint(directory: Path, *kinds: str) -> Checkpoint:
    """Read and check a model directory.

    Args:
        directory: model directory.
        kinds: allowed kinds of networks, of `KINDS`.

    Raises:
        InputError: if something is missing, damaged or of another kind; it names the file and the problem.
    """
    found = read_directory(directory, TORCH_WEIGHTS, *kinds)
    weights = _read_weights(directory / TORCH_WEIGHTS, found.kind, found.model_settings)
    return Checkpoint(
        found.kind, found.model_settings, found.text, weights, found.calibration, found.metrics, found.card
    )


@torch.inference_mode(False)
def _read_weights(file: Path, kind: str, settings: dict[str, Any]) -> dict[str, Tensor]:
    """Read the tensors of a safetensors file; their names and shapes are checked before memory is allocated."""
    try:
        expected = tensor_shapes(KINDS[kind], settings)
    except InputError as error:
        raise InputError(f"{file.with_name('config.json')}: {error}") from error
    try:
        with safe_open(file, framework="pt") as tensors:
            found = {name: tensors.get_slice(name).get_shape() for name in tensors.keys()}  # noqa: SIM118
            for name in sorted(expected.keys() | found.keys()):
                if found.get(name) != expected.get(name):
                    raise InputError(
                        f"{file}: tensor {name!r} has shape {found.get(name)}, but the settings in config.json give "
                        f"{expected.get(name)}."
                    )
                if (dtype := tensors.get_slice(name).get_dtype()) not in DTYPES:
                    raise InputError(f"{file}: tensor {name!r} contains {dtype}, not floating-point weights.")
            weights = {name: tensors.get_tensor(name).float() for name in expected}
    except (SafetensorError, OSError) as error:
        raise InputError(f"{file}: not a readable safetensors file: {' '.join(str(error).split())}.") from error
    for name, tensor in weights.items():
        if not torch.isfinite(tensor).all():
            raise InputError(f"{file}: tensor {name!r} contains values that are not finite.")
    return weights
