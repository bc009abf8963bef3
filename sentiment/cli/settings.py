"""Settings as options: `--dotted.key=value` for each, and short forms such as `--seed` for `--run.seed`.

Values stay in the order in which they are given, since a later one wins, for example over a section read from a file.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from typing import Any

from sentiment.cli.parser import CommandParser
from sentiment.errors import InputError

SHORT: dict[str, dict[str, Any]] = {
    "run.output_dir": {"flag": "--output", "metavar": "DIR"},
    "run.device": {"flag": "--device", "choices": ["auto", "cpu", "cuda"]},
    "run.threads": {"flag": "--threads", "type": int, "metavar": "N"},
    "run.precision": {"flag": "--precision", "choices": ["auto", "fp32", "bf16"]},
    "run.seed": {"flag": "--seed", "type": int, "metavar": "SEED"},
    "data.source": {"flag": "--data", "metavar": "SOURCE"},
}
"""{setting: its short option} for the options that commands with a model have, too."""


class SettingAction(argparse.Action):
    """Appends (option, setting, value) to `settings` of the result."""

    def __init__(self, option_strings: Sequence[str], dest: str, setting: str | None = None, **keywords: Any) -> None:
        super().__init__(option_strings, dest, default=argparse.SUPPRESS, **keywords)
        self.setting = setting

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        """Append one value; a value of `--data` that is YAML is all of the section, as for the other sections."""
        option = str(option)
        setting = option.removeprefix("--") if self.setting is None else self.setting
        if option == "--data" and str(values).endswith((".yaml", ".yml", "}")):
            setting = "data"
        value = self.const if self.nargs == 0 else values
        namespace.settings = [*namespace.settings, (option, setting, value)]
        if getattr(namespace, "file", "") is None:
            raise InputError(file_first(parser.prog))


def file_first(program: str) -> str:
    """Say that settings come after the file that they change."""
    return f"the configuration file must come first: {program} CONFIG.yaml ..."


def add_short_options(parser: CommandParser, title: str, options: Mapping[str, Mapping[str, Any]]) -> None:
    """Add short forms of settings to the parser.

    Args:
        parser: parser of the command.
        title: title of the group in the help.
        options: {setting: "flag" and other keyword arguments of `add_argument`}.
    """
    parser.set_defaults(settings=[])
    group = parser.add_argument_group(title)
    for setting, keywords in options.items():
        taken = {key: keywords[key] for key in ("choices", "type", "metavar", "const") if key in keywords}
        if "const" in keywords:
            taken["nargs"] = 0
        described = f"short for --{setting}={json.dumps(keywords['const'])}" if "const" in keywords else ""
        described = described or f"short for --{setting}"
        group.add_argument(keywords["flag"], action=SettingAction, setting=setting, help=described, **taken)


def add_settings(parser: CommandParser, config_class: type[Any]) -> None:
    """Add each setting of a configuration as an option, in one group per section, with its meaning and default."""
    from sentiment.config import RENAMED_SETTINGS
    from sentiment.config_reader import parser_for

    for section in parser_for(config_class)._action_groups:
        title = "configuration" if section.title == "options" else section.title
        group = parser.add_argument_group(title)
        for action in section._group_actions:
            known = parser._option_string_actions
            # without `--list+=item`, which appends to the list of a file
            flags = [flag for flag in action.option_strings if flag not in known and not flag.endswith("+")]
            if not flags:
                continue
            setting = flags[0].removeprefix("--")
            described, optional = str(action.help), {}
            if setting == "print_config":
                described, optional = "print all settings with their values and exit", {"nargs": "?", "const": None}
            elif action.default is not argparse.SUPPRESS and setting != "config":
                default = action.default if isinstance(action.default, str) else json.dumps(action.default)
                described += f" (default: {default})"
            elif "." not in setting and setting != "config":
                described = f"YAML file with all settings {setting}.*"
            metavar = "FLAGS" if optional else action.metavar or setting.rpartition(".")[2].upper()
            group.add_argument(*flags, action=SettingAction, help=described, metavar=metavar, **optional)  # type: ignore[arg-type]
            for old, new in RENAMED_SETTINGS.items():
                if setting.partition(".")[0] == new:
                    former = flags[0].replace(new, old, 1)
                    group.add_argument(former, action=SettingAction, help=argparse.SUPPRESS)


def add_hidden_settings(parser: CommandParser, config_classes: Sequence[type[Any]]) -> None:
    """Add the settings of several configurations as options that the help does not list."""
    from sentiment.config import RENAMED_SETTINGS
    from sentiment.config_reader import setting_types

    names = {name for config_class in config_classes for name in setting_types(config_class)}
    for old, new in RENAMED_SETTINGS.items():
        names |= {name.replace(new, old, 1) for name in names if name.partition(".")[0] == new}
    for name in sorted(names):
        parser.add_argument(f"--{name}", action=SettingAction, help=argparse.SUPPRESS)


def check_contradictions(settings: Sequence[tuple[str, str, Any]]) -> None:
    """Refuse a setting that is given by its short and by its dotted option, with different values.

    Args:
        settings: option, setting and value of each, as `SettingAction` appends them.

    Raises:
        InputError: if there is one.
    """
    last: dict[str, dict[str, Any]] = {}
    for option, setting, value in settings:
        last.setdefault(setting, {})[option] = value
    for options in last.values():
        (first, value), *others = options.items()
        for other, its_value in others:
            if str(value) != str(its_value) and parsed(value) != parsed(its_value):
                raise InputError(f"{first} {value} and {other} {its_value} are the same setting; leave one out.")


def parsed(value: Any) -> Any:
    """Parse a value from the command line as YAML; text that is not YAML, and what is no text, stays as it is."""
    import yaml

    try:
        return yaml.safe_load(value) if isinstance(value, str) else value
    except yaml.YAMLError:
        return value
