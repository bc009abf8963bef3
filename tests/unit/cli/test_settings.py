"""Settings as options: short and dotted forms, their order, and what contradicts."""

from typing import Any

import pytest

from sentiment.cli.options import SHORT_READING
from sentiment.cli.parser import CommandParser
from sentiment.cli.settings import (
    SHORT,
    add_hidden_settings,
    add_settings,
    add_short_options,
    check_contradictions,
)
from sentiment.config import RENAMED_SETTINGS, DistillConfig, PretrainConfig, TrainConfig
from sentiment.config_reader import setting_types
from sentiment.errors import InputError


def configuration_parser(config_class: type[Any] = TrainConfig) -> CommandParser:
    parser = CommandParser("train", "Train.", [])
    parser.add_argument("file")
    add_short_options(parser, "common settings", SHORT)
    add_short_options(parser, "reading files", SHORT_READING)
    add_settings(parser, config_class)
    return parser


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--data", "reviews.csv"], ("data.source", "reviews.csv")),
        (["--data", "section.yaml"], ("data", "section.yaml")),
        (["--data", "{source: reviews.csv}"], ("data", "{source: reviews.csv}")),
        (["--output", "here"], ("run.output_dir", "here")),
        (["--device=cpu"], ("run.device", "cpu")),
        (["--threads", "3"], ("run.threads", 3)),
        (["--precision", "bf16"], ("run.precision", "bf16")),
        (["--seed", "7"], ("run.seed", 7)),
        (["--text-column", "review"], ("data.text_column", "review")),
        (["--no-header"], ("data.header", False)),
        (["--run.seed", "7"], ("run.seed", "7")),
        (["--model", "section.yaml"], ("model", "section.yaml")),
        (["--model.forget_gate_bias", "-1"], ("model.forget_gate_bias", "-1")),
        (["--optimisation.epochs=2"], ("optimisation.epochs", "2")),
        (["--config", "more.yaml"], ("config", "more.yaml")),
        (["--print_config"], ("print_config", None)),
    ],
)
def test_each_option_gives_its_setting(arguments: list[str], expected: tuple[str, Any]) -> None:
    options = configuration_parser().parse_args(["config.yaml", *arguments])
    assert [(setting, value) for _, setting, value in options.settings] == [expected]


def test_settings_stay_in_their_order() -> None:
    arguments = ["c.yaml", "--optimization", "o.yaml", "--seed=1", "--optimization.epochs=2", "--run.seed=3"]
    settings = configuration_parser().parse_args(arguments).settings
    assert [option for option, *_ in settings] == ["--optimization", "--seed", "--optimization.epochs", "--run.seed"]


@pytest.mark.parametrize("config_class", [TrainConfig, PretrainConfig, DistillConfig])
def test_every_setting_has_an_option_with_its_default(config_class: type[Any]) -> None:
    described = configuration_parser(config_class).format_help()
    for name in setting_types(config_class):
        assert f"\n  --{name}" in described
    assert described.count("(default: runs/default)") == 1 and "--optimisation" not in described
    assert "--batch_tokens" not in set(setting_types(PretrainConfig))


def test_hidden_settings_are_those_of_all_configurations_and_their_old_names() -> None:
    parser = CommandParser("recipe", "Run.", [])
    parser.set_defaults(settings=[])
    add_hidden_settings(parser, [TrainConfig, PretrainConfig])
    given = ["--streams=3", "--batch_tokens=4", "--run.seed", "1", "--optimisation.epochs=2"]
    settings = parser.parse_args(given).settings
    assert [setting for _, setting, _ in settings] == ["streams", "batch_tokens", "run.seed", "optimisation.epochs"]
    assert "--streams" not in parser.format_help()
    assert set(RENAMED_SETTINGS) >= {"optimisation"}


def test_the_same_value_twice_is_taken() -> None:
    check_contradictions([("--seed", "run.seed", 2), ("--run.seed", "run.seed", "2")])
    check_contradictions([("--no-header", "data.header", False), ("--data.header", "data.header", "false")])
    check_contradictions([("--positive-from", "data.positive_from", 4.0), ("--data.positive_from", "x", "4")])
    check_contradictions([("--run.seed", "run.seed", "1"), ("--run.seed", "run.seed", "2")])  # the later one wins


@pytest.mark.parametrize("order", [1, -1])
def test_two_values_of_one_setting_are_refused(order: int) -> None:
    settings = [("--seed", "run.seed", 1), ("--batch_tokens", "batch_tokens", "2"), ("--run.seed", "run.seed", "2")]
    with pytest.raises(InputError, match=r"--\S*seed \d and --\S*seed \d are the same setting; leave one out\."):
        check_contradictions(settings[::order])
