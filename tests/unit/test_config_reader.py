"""Settings from YAML files and the command line: what is taken, and one sentence for what is not."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment.config import DistillConfig, PretrainConfig, TrainConfig
from sentiment.config_reader import _described, check_override, config_from_settings, load_config, setting_types
from sentiment.errors import InputError


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with an empty configuration and others for sections."""
    monkeypatch.chdir(tmp_path)
    for name, content in {
        "empty": "",
        "epochs": "epochs: 9\n",
        "typo": "epoch: 9\n",
        "gpu": "run: {device: gpu}",
    }.items():
        (tmp_path / f"{name}.yaml").write_text(content, "utf-8")
    return tmp_path


VALUES = [
    ("run.device", "gpu", "auto, cpu or cuda"),
    ("run.seed", "-1", "a whole number of at least 0"),
    ("run.seed", "x", "a whole number of at least 0"),
    ("run.threads", "0", "a whole number of at least 1, or null"),
    ("optimization.epochs", "two", "a whole number of at least 1"),
    ("optimization.epochs", "2.5", "a whole number of at least 1"),
    ("optimization.epochs", "null", "a whole number of at least 1"),
    ("optimization.learning_rate", "0", "a number above 0"),
    ("optimization.learning_rate", ".inf", "a number above 0"),
    ("optimization.weight_decay", ".nan", "a number of at least 0"),
    ("model.dropout", "1.5", "a number from 0 to 1"),
    ("model.forget_gate_bias", "high", "a number"),
    ("data.header", "maybe", "true or false"),
    ("data.format", "doc", "txt, csv, tsv, json, jsonl, parquet or xlsx, or null"),
    ("data.validation_fraction", "1", "a number above 0 and below 1"),
    ("batch_tokens", "-5", "a whole number of at least 1"),
]


@pytest.mark.parametrize(("name", "value", "kind"), VALUES)
def test_a_refused_value_is_named_with_its_source_and_what_it_must_be(
    written: Path, name: str, value: str, kind: str
) -> None:
    with pytest.raises(InputError) as caught:
        load_config(TrainConfig, "empty.yaml", ["--run.seed=2", f"--{name}={value}"])
    assert str(caught.value) == f"--{name} is {value}; it must be {kind}."
    section, _, key = name.rpartition(".")
    content = f"{section}:\n  {key}: {value}\n" if section else f"{key}: {value}\n"
    (written / "own.yaml").write_text(content, "utf-8")
    with pytest.raises(InputError, match=rf"^own\.yaml: {name} is \S+; it must be {kind}\.$"):
        load_config(TrainConfig, "own.yaml", ["--run.seed=2"])
    with pytest.raises(InputError, match=rf"^--{name} is"):
        check_override([PretrainConfig, TrainConfig], name, value)


FILES = {
    "run: 3": "run is 3; it must be a section of settings such as `output_dir:`.",
    "run: [1]": "run is [1]; it must be a section of settings such as `output_dir:`.",
    "run: {output_dir: yes}": "run.output_dir is true; it must be a text.",
    "run: {seed: [1, 2]}": "run.seed is [1, 2]; it must be a whole number of at least 0.",
    "optimization: {epoch: 2}": "no setting optimization.epoch; did you mean optimization.epochs?",
    "optimizaton: {epochs: 2}": "no setting optimizaton; did you mean optimization?",
    "epochs: 2": "no setting epochs; did you mean optimization.epochs?",
    "batch_token: 2": "no setting batch_token; did you mean batch_tokens?",
    "1: 2": "no setting 1.",
    "data: {delimiter: ';;'}": "delimiter ';;': give one character, or `tab`.",
    "data: {positive_from: 4}": "positive_from and negative_to go together, such as 4 and 2 for stars from 1 to 5.",
    "data: {validation_fraction: 0.7}": "data.validation_fraction is 0.7; give at most 0.5.",
    "- run": 'holds ["run"], not settings such as `run:`.',
    "just words": "holds 'just words', not settings such as `run:`.",
    "run: {seed: 1\nmodel: ]": "not valid YAML in line 2, column 6: expected ',' or '}', but got ':'.",
    "run:\n\tseed: 2": "not valid YAML in line 2, column 1: found character '\\t' that cannot start any token.",
    "run: {seed: 1}\nrun: {seed: 2}": "not valid YAML in line 2, column 1: run is there twice.",
    "optimisation: {epochs: 7}\noptimization: {epochs: 8}": "has the setting optimization.epochs twice; leave one out.",
    "run: {seed: 7}\nrun.seed: 8": "has the setting run.seed twice; leave one out.",
    "run: {seed: \0}": "character 13 is a control character, which YAML does not allow.",
}


@pytest.mark.parametrize(("content", "sentence"), FILES.items())
def test_a_file_that_is_wrong_is_refused_in_one_sentence(written: Path, content: str, sentence: str) -> None:
    (written / "own.yaml").write_text(content, "utf-8")
    with pytest.raises(InputError) as caught:
        load_config(TrainConfig, "own.yaml")
    assert str(caught.value) == f"own.yaml: {sentence}"


def test_a_file_that_is_not_utf8_is_refused(written: Path) -> None:
    (written / "own.yaml").write_bytes(b"run: {output_dir: caf\xe9}")
    with pytest.raises(InputError, match=r"^own\.yaml: not UTF-8 at byte 21; convert it to UTF-8\.$"):
        load_config(TrainConfig, "own.yaml")


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("--optimization=two", "--optimization: no such file: two; give a YAML file of settings."),
        ("--config=", "--config: no such file: ''; give a YAML file of settings."),
        ("--config=gpu.yaml", "gpu.yaml: run.device is gpu; it must be auto, cpu or cuda."),
        ("--optimization=typo.yaml", "typo.yaml: no setting optimization.epoch; did you mean optimization.epochs?"),
        (
            "--optimization={epochs: 0}",
            "--optimization: optimization.epochs is 0; it must be a whole number of at least 1.",
        ),
        (
            "--optimization={epochs",
            "--optimization: not valid YAML in line 1, column 8: expected ',' or '}', but got '<stream end>'.",
        ),
        ("--data.delimiter=;;", "delimiter ';;': give one character, or `tab`."),
        ("--print_config=all", 'Invalid option "all" for --print_config.'),
    ],
)
def test_an_override_that_is_wrong_is_refused_in_one_sentence(written: Path, override: str, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        load_config(TrainConfig, "empty.yaml", [override])
    assert str(caught.value) == sentence


def test_a_missing_file_is_refused() -> None:
    with pytest.raises(InputError, match=r"^nowhere\.yaml: no such configuration file\.$"):
        load_config(TrainConfig, "nowhere.yaml")


@pytest.mark.parametrize("content", ["", "# nothing\n", "run:\noptimization:\n", "{}"])
def test_what_a_file_does_not_have_keeps_its_default(written: Path, content: str) -> None:
    (written / "own.yaml").write_text(content, "utf-8")
    assert load_config(TrainConfig, "own.yaml") == TrainConfig()


@pytest.mark.parametrize(
    ("overrides", "epochs"),
    [
        (["--optimization=epochs.yaml"], 9),
        (["--optimization=epochs.yaml", "--optimization.epochs=2"], 2),
        (["--optimization.epochs=2", "--optimization={epochs: 3}"], 3),
        (["--optimization={epochs: 3}", "--config={optimization: {epochs: 4}}"], 4),
    ],
)
def test_the_last_of_several_values_wins(written: Path, overrides: list[str], epochs: int) -> None:
    config = load_config(TrainConfig, "empty.yaml", ["--optimization.learning_rate=0.5", *overrides])
    assert (config.optimization.epochs, config.optimization.learning_rate) == (epochs, 0.5)


def test_numbers_are_texts_where_a_text_is_wanted(written: Path) -> None:
    (written / "own.yaml").write_text(
        "data: {text_column: 2, source: 7, label_map: {1: negative, 2: positive}}", "utf-8"
    )
    data = load_config(TrainConfig, "own.yaml").data
    assert (data.text_column, data.source, data.label_map) == ("2", "7", "1=negative,2=positive")


@pytest.mark.parametrize("config_class", [TrainConfig, PretrainConfig, DistillConfig])
def test_the_values_of_every_setting_can_be_said_in_words(config_class: type) -> None:
    for name, kind in setting_types(config_class).items():
        assert _described(kind), name


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.text(max_size=20), st.sampled_from(sorted(setting_types(TrainConfig))))
def test_any_text_is_taken_or_refused_in_one_line(value: str, name: str) -> None:
    try:
        config_from_settings(TrainConfig, {name: value}, "own.yaml")
    except InputError as error:
        assert "\n" not in str(error) and str(error).startswith("own.yaml: ")


def test_old_names_of_settings_work_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "old.yaml"
    path.write_text("optimisation: {epochs: 7}\nbeginnings: 0.25\nunlabelled_reviews: 3\nshort_reviews: 4\n", "utf-8")
    config = load_config(DistillConfig, path, ["--optimisation.learning_rate=0.5", "--unlabelled_split=other"])
    assert (config.optimization.epochs, config.optimization.learning_rate) == (7, 0.5)
    assert (config.prefix_fraction, config.unlabeled_reviews, config.grammar_sentences) == (0.25, 3, 4)
    assert config.unlabeled_split == "other"
    assert "the setting optimisation is now optimization" in caplog.text
