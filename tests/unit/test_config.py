import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from sentiment.config import BaseConfig, TrainConfig, TransformerConfig
from sentiment.config_reader import load_config
from sentiment.errors import InputError

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))


def class_of(path: Path) -> type[BaseConfig]:
    return TransformerConfig if path.stem == "transformer" else TrainConfig


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_every_config_contains_only_changes_of_the_defaults(path: Path) -> None:
    load_config(class_of(path), path)
    defaults = dataclasses.asdict(class_of(path)())
    for name, value in yaml.safe_load(path.read_text("utf-8")).items():
        for key, setting in value.items() if isinstance(value, dict) else [(None, value)]:
            assert setting != (defaults[name] if key is None else defaults[name][key]), f"{name}.{key}"


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_a_typo_in_any_section_is_rejected(path: Path, tmp_path: Path) -> None:
    lines = path.read_text().splitlines()
    keys = [index for index, line in enumerate(lines) if line.strip() and not line.startswith("#")]
    for index in (keys[0], keys[1], keys[-1]):
        broken = [*lines]
        broken[index] = broken[index].replace(":", "x:", 1)
        copy = tmp_path / "typo.yaml"
        copy.write_text("\n".join(broken))
        with pytest.raises(InputError, match="x"):
            load_config(class_of(path), copy)


def test_overrides_change_their_field() -> None:
    config = load_config(TrainConfig, CONFIGS[0], ["--model.hidden_dim=7", "--data.source=x.csv"])
    assert (config.model.hidden_dim, config.data.source) == (7, "x.csv")
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.batch_tokens = 1  # type: ignore[misc]


def test_the_home_directory_in_paths_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = ["--run.output_dir=~/x", "--data.source=~/y.csv", "--data.groups_file=~/z"]
    config = load_config(TrainConfig, CONFIGS[0], settings)
    written = (config.run.output_dir, config.data.source, config.data.groups_file)
    assert written == tuple(str(tmp_path / name) for name in ("x", "y.csv", "z"))
    assert dataclasses.replace(config.data, source="~/w").source == str(tmp_path / "w")
    with pytest.raises(InputError, match="no home directory is known for ~nosuchuser"):
        load_config(TrainConfig, CONFIGS[0], ["--run.output_dir=~nosuchuser/x"])


def test_importing_the_configuration_does_not_import_torch() -> None:
    code = "import sys, sentiment, sentiment.config_reader; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
