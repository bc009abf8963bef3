"""A model directory: config.json, model.safetensors, vocab.json, metrics.json, README.md.

config.json holds the size and SHA-256 of the files that count, and a SHA-256 of itself, so parts of two models are
never mixed and no damaged byte goes unseen. Only JSON and safetensors are read, from files with these names; nothing in
a model directory can run code or lead out of it.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from sentiment import text as text_room
from sentiment.config import Direction, Keep
from sentiment.decision import checked
from sentiment.errors import InputError
from sentiment.files import check_fingerprint, fingerprint, read_json, replacing_directory, write_json, write_text
from sentiment.language_model import LanguageModel
from sentiment.model import SentimentRNN
from sentiment.sizes import shapes
from sentiment.text import TextEncoder, Vocabulary

FORMAT_VERSION = 1
KINDS = {"sentiment-rnn": SentimentRNN, "language-model": LanguageModel}
CHECKED = ("model.safetensors", "vocab.json", "metrics.json")
PARTS = {"format_version", "kind", "model", "text", "calibration", "files", "sha256"}
DTYPES = ("F32", "F16", "BF16")


@dataclass(frozen=True)
class Checkpoint:
    """What a model directory holds.

    Attributes:
        kind: "sentiment-rnn" or "language-model".
        model_settings: keyword arguments of the network.
        text: vocabulary and reading settings.
        weights: the network's state dict.
        calibration: what `calibration.fit` gives; a temperature of 1 and no band until it is fitted.
        metrics: figures of the validation part.
        card: the model card, Markdown.
    """

    kind: str
    model_settings: dict[str, Any]
    text: TextEncoder
    weights: Mapping[str, Tensor]
    calibration: dict[str, float] = field(default_factory=lambda: {"temperature": 1.0})
    metrics: dict[str, Any] = field(default_factory=dict)
    card: str = ""

    def with_card(self, card: str) -> "Checkpoint":
        """The same model under another card."""
        return replace(self, card=card)

    def digest(self) -> str:
        """SHA-256 over all that decides an answer; two models with the same digest answer alike."""
        text = self.text
        settings = [text_room.VERSION, self.kind, self.model_settings, self.calibration]
        settings += [text.vocabulary.counts, text.max_length, text.keep, text.direction]
        digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
        for name, tensor in sorted(self.weights.items()):
            digest.update(name.encode() + tensor.detach().cpu().float().contiguous().numpy().tobytes())
        return digest.hexdigest()

    def build(self) -> nn.Module:
        """The network with its weights, in evaluation mode."""
        model: nn.Module = KINDS[self.kind](**self.model_settings)
        model.load_state_dict(self.weights)
        return model.eval()


def save_checkpoint(checkpoint: Checkpoint, directory: Path) -> None:
    """Write a model directory, replacing a former one only when the new one is whole.

    Raises:
        RunError: if it cannot be written.
        InputError: if something else than a model directory stands there.
    """
    if (
        directory.exists()
        and not (directory / "config.json").is_file()
        and (not directory.is_dir() or any(directory.iterdir()))
    ):
        raise InputError(f"{directory}: exists and is no model directory; choose another place.")
    with replacing_directory(directory) as target:
        weights = {name: tensor.detach().cpu().contiguous() for name, tensor in checkpoint.weights.items()}
        save_file(weights, target / "model.safetensors")
        write_json(target / "vocab.json", {"counts": checkpoint.text.vocabulary.counts})
        write_json(target / "metrics.json", checkpoint.metrics)
        write_text(target / "README.md", checkpoint.card)
        text = checkpoint.text
        config = {
            "format_version": FORMAT_VERSION,
            "kind": checkpoint.kind,
            "model": checkpoint.model_settings,
            "text": {
                "version": text_room.VERSION,
                "max_length": text.max_length,
                "keep": text.keep,
                "direction": text.direction,
            },
            "calibration": checkpoint.calibration,
            "files": {name: fingerprint(target / name) for name in CHECKED},
        }
        write_json(target / "config.json", config | {"sha256": config_digest(config)})


def replace_figures(directory: Path, metrics: dict[str, Any], card: str) -> None:
    """Give a model directory other figures and another card; weights and vocabulary stay, byte for byte.

    Raises:
        RunError: if it cannot be written; the former directory is whole then.
    """
    config = read_json(directory / "config.json")
    with replacing_directory(directory) as target:
        for name in ("model.safetensors", "vocab.json"):
            shutil.copyfile(directory / name, target / name)
        write_json(target / "metrics.json", metrics)
        write_text(target / "README.md", card)
        config["files"] |= {"metrics.json": fingerprint(target / "metrics.json")}
        write_json(target / "config.json", config | {"sha256": config_digest(config)})


def config_digest(config: dict[str, Any]) -> str:
    """SHA-256 of the configuration without the digest itself, however its JSON is laid out."""
    rest = {name: value for name, value in config.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def load_checkpoint(directory: Path, *kinds: str) -> Checkpoint:
    """Read a model directory strictly; `kinds` are those of `KINDS` that are of use.

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
        calibration = checked(config["calibration"])
        if text.pop("version") != text_room.VERSION:
            raise InputError(f"{config_file}: written for other text rules; train the model again.")
        if files.keys() - set(CHECKED):
            raise ValueError(f"files are {sorted(files)}")
        for name in CHECKED:
            check_fingerprint(directory / name, files[name])
        vocabulary = Vocabulary(dict(read_json(directory / "vocab.json")["counts"]))
        encoder = _text_encoder(vocabulary, **text)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{config_file}: a part is missing or of the wrong kind: {error}.") from error
    if settings.get("vocab_size") != len(vocabulary):
        raise InputError(
            f"{directory / 'vocab.json'}: {len(vocabulary)} words, but the model's embedding has "
            f"{settings.get('vocab_size')!r} rows."
        )
    return Checkpoint(
        kind=kind,
        model_settings=settings,
        text=encoder,
        weights=_read_weights(directory / "model.safetensors", kind, settings),
        calibration=calibration,
        metrics=read_json(directory / "metrics.json"),
        card=(directory / "README.md").read_text("utf-8", "replace") if (directory / "README.md").is_file() else "",
    )


def _text_encoder(vocabulary: Vocabulary, max_length: int, keep: Keep, direction: Direction) -> TextEncoder:
    if type(max_length) is not int or max_length < 1:
        raise ValueError(f"max_length is {max_length!r}")
    if keep not in get_args(Keep) or direction not in get_args(Direction):
        raise ValueError(f"keep is {keep!r} and direction {direction!r}")
    return TextEncoder(vocabulary, max_length, keep, direction)


def _read_weights(file: Path, kind: str, settings: dict[str, Any]) -> dict[str, Tensor]:
    """Tensors of a safetensors file, compared by name and shape with the network before memory is taken for them."""
    try:
        expected = shapes(KINDS[kind], settings)
    except InputError as error:
        raise InputError(f"{file.with_name('config.json')}: {error}") from error
    try:
        with safe_open(file, framework="pt") as tensors:
            found = {name: tensors.get_slice(name).get_shape() for name in tensors.keys()}  # noqa: SIM118
            for name in sorted(expected.keys() | found.keys()):
                if found.get(name) != expected.get(name):
                    raise InputError(
                        f"{file}: tensor {name!r} has shape {found.get(name)}, where the settings in config.json "
                        f"give {expected.get(name)}."
                    )
                if (dtype := tensors.get_slice(name).get_dtype()) not in DTYPES:
                    raise InputError(f"{file}: tensor {name!r} holds {dtype} where floating-point weights belong.")
            weights = {name: tensors.get_tensor(name).float() for name in expected}
    except (SafetensorError, OSError) as error:
        raise InputError(f"{file}: not a readable safetensors file: {' '.join(str(error).split())}.") from error
    for name, tensor in weights.items():
        if not torch.isfinite(tensor).all():
            raise InputError(f"{file}: tensor {name!r} holds values that are not finite.")
    return weights
