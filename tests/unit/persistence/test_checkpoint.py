"""Model directories are checked strictly: any change after saving is rejected with one sentence."""

import json
import pickle
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from damage import JSON_FILES, flipped, refusals, same, truncated
from safetensors.torch import load_file, save_file

from sentiment.errors import InputError, RunError
from sentiment.io import files
from sentiment.io.files import atomic_directory, atomic_file, fingerprint, lock_directory, remove_leftovers
from sentiment.persistence.checkpoint import Checkpoint, config_digest, load_checkpoint, save_checkpoint

KIND = "sentiment-rnn"


@pytest.fixture
def model(tiny_model_directory: Path, tmp_path: Path) -> Path:
    shutil.copytree(tiny_model_directory, tmp_path / "model")
    return tmp_path / "model"


def rewrite(model: Path, sign: bool = True, **changes: Any) -> None:
    """Change entries of config.json and, if `sign`, update its SHA-256, as an attacker would."""
    config = json.loads((model / "config.json").read_text())
    for name, value in changes.items():
        section, _, key = name.partition("__")
        target = config[section] if key else config
        if value is None:
            del target[key or section]
        else:
            target[key or section] = value
    if sign:
        config["files"] = {name: fingerprint(model / name) for name in config.get("files", {})}
        config["sha256"] = config_digest(config)
    (model / "config.json").write_text(json.dumps(config))


def test_a_saved_checkpoint_is_loaded_unchanged(tiny_checkpoint: Checkpoint, tmp_path: Path) -> None:
    save_checkpoint(tiny_checkpoint, tmp_path / "model")
    assert same(load_checkpoint(tmp_path / "model", KIND), tiny_checkpoint)
    expected = {"config.json", "model.safetensors", "vocab.json", "metrics.json", "README.md"}
    assert {path.name for path in (tmp_path / "model").iterdir()} == expected
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize("name", ["model.safetensors", *JSON_FILES])
def test_damage_is_detected_or_has_no_effect(tiny_model_directory: Path, tmp_path: Path, name: str) -> None:
    data = (tiny_model_directory / name).read_bytes()
    refused, tried = refusals(tiny_model_directory, name, truncated(data, max(1, len(data) // 30)), tmp_path / "cut")
    assert refused == tried > 0
    refused, tried = refusals(tiny_model_directory, name, flipped(data, 60, seed=1), tmp_path / "flipped")
    assert refused >= 50 and tried == 60


HOSTILE = {
    "hidden": (
        {"model__hidden_dim": 10**12},
        "can have these settings: Storage size calculation overflowed",
    ),
    "wide": (
        {"model__embedding_dim": 10**7},
        r"has shape \[35, 8\], but .* give \[35, 1000",
    ),
    "deep": ({"model__num_layers": 10**9}, "num_layers is 1000000000; at most 100"),
    "negative": ({"model__hidden_dim": -6}, "hidden_dim is -6"),
    "text": ({"model__hidden_dim": "6"}, "no network can have these settings"),
    "layers": ({"model__num_layers": 3}, r"tensor 'encoder.layers.2.*' has shape None"),
    "extra": ({"model__num_layers": 1}, r"tensor 'encoder.layers.1.*' has shape \[24\], but .* give None"),
    "setting": ({"model__evil": 1}, "unexpected keyword argument 'evil'"),
    "words": ({"model__vocab_size": 36}, "vocab.json: 35 words, but the model's embedding has 36 rows"),
    "newer": ({"format_version": 2}, "has format version 2; this package reads version 1"),
    "kind": ({"kind": "language-model"}, "contains a 'language-model', but a 'sentiment-rnn' is needed"),
    "key": ({"code": "import os"}, "unknown entry 'code'"),
    "length": ({"text__max_length": 0}, "max_length is 0"),
    "keep": ({"text__keep": "middle"}, "keep is 'middle'"),
    "rules": ({"text__version": 0}, "saved with other tokenizer rules"),
    "temperature": ({"calibration": {"temperature": 0}}, "temperature is 0.0"),
    "uncalibrated": ({"calibration": {}}, "an entry is missing or has a wrong value: 'temperature'"),
    "missing": ({"calibration": None}, "an entry is missing or has a wrong value: 'calibration'"),
    "shape": ({"files": [1]}, "an entry is missing or has a wrong value"),
    "path": ({"files": {"../../outside": {"size": 0, "sha256": ""}}}, "files are"),
    "changed": ({"text__max_length": 41, "sign": False}, "its SHA-256 is recorded as"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_configuration_is_rejected(model: Path, case: str) -> None:
    changes, sentence = HOSTILE[case]
    if case == "path" or case == "shape":
        config = json.loads((model / "config.json").read_text()) | changes
        config["sha256"] = config_digest(config)
        (model / "config.json").write_text(json.dumps(config))
    else:
        rewrite(model, **changes)
    with pytest.raises(InputError, match=sentence) as refused:
        load_checkpoint(model, KIND)
    assert str(model) in str(refused.value) and "\n" not in str(refused.value)
    assert not re.search("[0-9a-f]{20}", str(refused.value))  # a few digits of a hash are enough


def replace_weights(model: Path, **changes: torch.Tensor) -> None:
    weights = load_file(model / "model.safetensors")
    save_file(weights | changes, model / "model.safetensors")
    rewrite(model)


def test_weights_that_are_not_finite_are_rejected(model: Path) -> None:
    replace_weights(model, **{"head.1.bias": torch.tensor([float("nan")])})
    with pytest.raises(InputError, match=r"tensor 'head.1.bias' contains values that are not finite"):
        load_checkpoint(model, KIND)


def test_tensors_of_another_type_are_rejected(model: Path) -> None:
    replace_weights(model, **{"head.1.bias": torch.tensor([1])})
    with pytest.raises(InputError, match=r"tensor 'head.1.bias' contains I64, not floating-point weights"):
        load_checkpoint(model, KIND)


def test_an_additional_tensor_is_rejected(model: Path) -> None:
    replace_weights(model, more=torch.zeros(3))
    with pytest.raises(InputError, match=r"tensor 'more' has shape \[3\], but the settings .* give None"):
        load_checkpoint(model, KIND)


def test_a_header_with_a_huge_size_is_rejected(model: Path) -> None:
    (model / "model.safetensors").write_bytes((2**62).to_bytes(8, "little") + b"{}")
    rewrite(model)
    with pytest.raises(InputError, match="not a readable safetensors file"):
        load_checkpoint(model, KIND)


class Trap:
    """Creates a file when it is unpickled."""

    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.victim,)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "vocab.json", "metrics.json"])
def test_a_pickle_is_never_opened(model: Path, tmp_path: Path, name: str) -> None:
    (model / name).write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    if name != "config.json":
        rewrite(model)
    with pytest.raises(InputError, match=name):
        load_checkpoint(model, KIND)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("name", ["model.pt", "pytorch_model.bin", "model.safetensors"])
def test_a_pickle_instead_of_a_directory_is_rejected(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    with pytest.raises(InputError, match="is a file; give the model directory"):
        load_checkpoint(tmp_path / name, KIND)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "vocab.json", "metrics.json"])
def test_a_missing_file_is_named(model: Path, name: str) -> None:
    (model / name).unlink()
    with pytest.raises(InputError, match=name):
        load_checkpoint(model, KIND)


def test_only_a_model_directory_is_replaced(tiny_checkpoint: Checkpoint, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match="exists and is not a model directory"):
        save_checkpoint(tiny_checkpoint, tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_a_failed_write_keeps_the_existing_file(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("former")
    with pytest.raises(RunError, match="No space left on device"), atomic_file(file) as temporary:
        temporary.write_text("half")
        raise OSError(28, "No space left on device")
    with pytest.raises(ZeroDivisionError), atomic_file(file):
        raise ZeroDivisionError
    assert file.read_text() == "former" and list(tmp_path.iterdir()) == [file]


def test_a_directory_is_restored_if_its_replacement_was_killed(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "former").touch()
    rename = Path.rename

    def killed(self: Path, target: Path) -> Path:
        if "-former" in target.name:
            rename(self, target)
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", killed)
    monkeypatch.setattr(files.shutil, "rmtree", lambda *_, **__: None)
    with pytest.raises(KeyboardInterrupt), atomic_directory(tmp_path / "model") as target:
        (target / "new").touch()
    monkeypatch.undo()
    assert not (tmp_path / "model").exists()
    remove_leftovers(tmp_path)
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")] == ["model", "model/former"]


def test_a_locked_directory_rejects_other_processes(tmp_path: Path) -> None:
    with (
        lock_directory(tmp_path / "run"),
        pytest.raises(InputError, match="run: another process is using this directory"),
        lock_directory(tmp_path / "run"),
    ):
        pass
    with lock_directory(tmp_path / "run"):
        pass
