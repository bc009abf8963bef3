import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from sentiment.config import DistillConfig, TrainConfig, load_config
from sentiment.errors import InputError

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_every_config_contains_only_changes_of_the_defaults(path: Path) -> None:
    load_config(TrainConfig, path)
    defaults = dataclasses.asdict(TrainConfig())
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
            load_config(TrainConfig, copy)


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


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("--model.hidden_dim=-1", "model.hidden_dim"),
        ("--model.hidden_dim=many", "model.hidden_dim"),
        ("--model.dropout=1.5", "model.dropout"),
        ("--model.dropout=nan", "model.dropout"),
        ("--optimization.learning_rate=nan", "optimization.learning_rate"),
        ("--optimization.epochs=0", "optimization.epochs"),
        ("--model.pooling=first", "model.pooling"),
        ("--model.hidden=3", "model.hidden"),
    ],
)
def test_bad_values_are_rejected_by_name_in_one_line(override: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        load_config(TrainConfig, CONFIGS[0], [override])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["model: [1", "model:\n\t- x", "just words", "\x00", "model: 3"])
def test_a_file_that_is_not_a_configuration_is_rejected(content: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(content)
    with pytest.raises(InputError, match=r"broken\.yaml"):
        load_config(TrainConfig, path)


def test_a_missing_file_is_rejected() -> None:
    with pytest.raises(InputError, match=r"nowhere\.yaml: no such configuration file"):
        load_config(TrainConfig, "nowhere.yaml")


def test_importing_the_configuration_does_not_import_torch() -> None:
    code = "import sys, sentiment, sentiment.config; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_old_names_of_settings_work_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "old.yaml"
    path.write_text("optimisation: {epochs: 7}\nbeginnings: 0.25\nunlabelled_reviews: 3\nshort_reviews: 4\n", "utf-8")
    config = load_config(DistillConfig, path, ["--optimisation.learning_rate=0.5", "--unlabelled_split=other"])
    assert (config.optimization.epochs, config.optimization.learning_rate) == (7, 0.5)
    assert (config.prefix_fraction, config.unlabeled_reviews, config.grammar_sentences) == (0.25, 3, 4)
    assert config.unlabeled_split == "other"
    assert "the setting optimisation is now optimization" in caplog.text


def test_a_setting_under_both_its_names_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "both.yaml"
    path.write_text("optimisation: {epochs: 7}\noptimization: {epochs: 8}\n", "utf-8")
    with pytest.raises(InputError, match="has a setting twice"):
        load_config(TrainConfig, path)
