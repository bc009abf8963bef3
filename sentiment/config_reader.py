"""Read settings from YAML files and dotted overrides; what is wrong with one is said in one sentence, with its source.

jsonargparse decides which values are valid. Importing this module does not import torch.
"""

import functools
import json
import logging
import math
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from types import NoneType
from typing import Any, Literal, Optional, get_args, get_origin

import yaml
from jsonargparse import ArgumentError, ArgumentParser, Namespace
from jsonargparse.typing import (
    ClosedUnitInterval,
    NonNegativeFloat,
    NonNegativeInt,
    OpenUnitInterval,
    PositiveFloat,
    PositiveInt,
)

from sentiment.config import RENAMED_SETTINGS, AnyConfig
from sentiment.errors import InputError, nearest

logger = logging.getLogger(__name__)

KINDS: dict[Any, str] = {
    str: "a text",
    bool: "true or false",
    float: "a number",
    PositiveInt: "a whole number of at least 1",
    NonNegativeInt: "a whole number of at least 0",
    PositiveFloat: "a number above 0",
    NonNegativeFloat: "a number of at least 0",
    ClosedUnitInterval: "a number from 0 to 1",
    OpenUnitInterval: "a number above 0 and below 1",
}
"""{type of a setting: what its values are}."""
_PLAIN = re.compile(r"[\w.+-]{1,80}")
"""Texts that need no quotes in a message."""


@dataclass(frozen=True)
class _Given:
    """Settings that were given together: all of a file, or one on the command line."""

    where: str
    """What stands before the name of a setting in an error message."""
    settings: dict[str, Any]
    """Values by dotted name."""
    typed: bool = False
    """Whether the values are texts from the command line."""

    @property
    def arguments(self) -> list[str]:
        """The settings as arguments of jsonargparse."""
        if self.typed:
            return [f"--{name}={value}" for name, value in self.settings.items()]
        nested: dict[str, Any] = {}
        for name, value in self.settings.items():
            section, _, key = name.rpartition(".")
            (nested.setdefault(section, {}) if section else nested)[key] = value
        return [f"--config={yaml.safe_dump(nested)}"]


def parser_for(config_class: type[Any]) -> ArgumentParser:
    """Parser with `--config FILE` and one dotted option per field of `config_class`."""
    return _parser_for(config_class)  # type: ignore[arg-type]  # mypy does not know that classes are hashable


@functools.cache  # making a parser takes longer than parsing, and a recipe has many stages
def _parser_for(config_class: type[Any]) -> ArgumentParser:
    parser = ArgumentParser(exit_on_error=False, allow_abbrev=False)
    parser.add_argument("--config", action="config", help="Another YAML file of settings, in addition to CONFIG.yaml.")
    parser.add_class_arguments(config_class)
    return parser


def setting_types(config_class: type[Any]) -> dict[str, Any]:
    """{dotted name: type} of all settings of a configuration."""
    found: dict[str, Any] = {}
    for field in fields(config_class):
        if isinstance(field.type, type) and is_dataclass(field.type):
            found |= {f"{field.name}.{name}": kind for name, kind in setting_types(field.type).items()}
        else:
            found[field.name] = field.type
    return found


def load_config(config_class: type[AnyConfig], path: str | Path | None, overrides: Sequence[str] = ()) -> AnyConfig:
    """Read a YAML file into `config_class`, then apply overrides such as `--run.seed=2`.

    Args:
        config_class: class of the configuration.
        path: YAML file; settings that it does not have keep their defaults. None for no file.
        overrides: `--dotted.name=value`, `--section=FILE.yaml`, `--config=FILE.yaml` or `--print_config`; the last of
            several for one setting wins.

    Raises:
        InputError: if a file is missing or not YAML, or a setting is unknown, has the wrong type or is out of range.
    """
    types, given = setting_types(config_class), []
    if path is not None:
        if not Path(path).is_file():
            raise InputError(f"{path}: no such configuration file.")
        given.append(_of_file(Path(path), types))
    shown = []
    for override in overrides:
        name, _, value = override.removeprefix("--").partition("=")
        if name.partition(".")[0] == "print_config":
            shown.append(override)
        else:
            given.append(_of_override(_current_name(name), value, types))
    return _build(config_class, given, shown)


def check_override(config_classes: Sequence[type[Any]], name: str, value: str) -> None:
    """Check a setting from the command line by itself, for each of several configurations that has it.

    Raises:
        InputError: if the value is refused.
    """
    for config_class in config_classes:
        types = setting_types(config_class)
        if _current_name(name) in types:
            given = _of_override(_current_name(name), value, types)
            _settings(parser_for(config_class), [given], types)


def config_from_settings(config_class: type[AnyConfig], settings: Mapping[str, Any], where: str) -> AnyConfig:
    """Build a configuration from values by dotted name, such as `{"run.seed": 2}`; all others keep their defaults.

    Args:
        config_class: class of the configuration.
        settings: values by dotted name.
        where: source of the settings, for error messages.

    Raises:
        InputError: if a setting is unknown, has the wrong type or is out of range.
    """
    return _build(config_class, [_given(settings, f"{where}: ", setting_types(config_class))])


def read_yaml(path: Path) -> Any:
    """Read a YAML file.

    Raises:
        InputError: if it cannot be read, is not YAML, or has a key twice.
    """
    try:
        return _parse_yaml(path.read_bytes(), f"{path}: ")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}.") from error


class _Loader(yaml.SafeLoader):
    """A safe loader that refuses a key that stands twice, of which YAML would drop the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                if key.value in seen:
                    raise yaml.MarkedYAMLError(problem=f"{key.value} is there twice", problem_mark=key.start_mark)
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def _parse_yaml(content: bytes | str, where: str) -> Any:
    try:
        return yaml.load(content, _Loader)
    except yaml.reader.ReaderError as error:
        if error.encoding == "unicode":
            reason = f"character {error.position + 1} is a control character, which YAML does not allow"
        else:
            reason = f"not {error.encoding.upper()} at byte {error.position}; convert it to UTF-8"
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        reason = f"not valid YAML{place}: {' '.join(str(error.problem or error.context).split())}"
    except (ValueError, RecursionError) as error:  # such as a date in the 13th month
        reason = f"not valid YAML: {' '.join(str(error).split())}"
    raise InputError(f"{where}{reason}.")


def _of_file(path: Path, types: Mapping[str, Any], section: str = "") -> _Given:
    """The settings in a YAML file: all, or those of one section."""
    return _of_content(read_yaml(path), f"{path}: ", types, section)


def _of_content(content: Any, where: str, types: Mapping[str, Any], section: str = "") -> _Given:
    if content is not None and not isinstance(content, dict):
        example = next(name for name in types if name.startswith(section))
        raise InputError(
            f"{where}holds {_shown(content)}, not settings such as `{_last(example) if section else 'run'}:`."
        )
    return _given({section: content} if section else content or {}, where, types)


def _of_override(name: str, value: str, types: Mapping[str, Any]) -> _Given:
    sections = {known.partition(".")[0] for known in types if "." in known}
    if name == "config" or name in sections:
        section = "" if name == "config" else name
        if value.startswith("{"):
            where = f"--{name}: "
            return _of_content(_parse_yaml(value, where), where, types, section)
        if not Path(value).is_file():
            raise InputError(f"--{name}: no such file: {_shown(value)}; give a YAML file of settings.")
        return _of_file(Path(value), types, section)
    return _given({name: value}, "--", types, typed=True)


def _given(content: Mapping[Any, Any], where: str, types: Mapping[str, Any], typed: bool = False) -> _Given:
    settings: dict[str, Any] = {}
    for name, value in _flat(content, where, types):
        if name in settings:
            raise InputError(f"{where}has the setting {name} twice; leave one out.")
        settings[name] = value
    return _Given(where, settings, typed)


def _flat(
    content: Mapping[Any, Any], where: str, types: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, Any]]:
    """Yield the settings of nested sections by their current dotted names.

    Raises:
        InputError: if a setting does not exist, or a section is not a mapping.
    """
    for key, value in content.items():
        name = _current_name(f"{prefix}{key}")
        if name in types:
            yield name, _as_text(name, value, types[name])
        elif below := [known for known in types if known.startswith(f"{name}.")]:
            if value is not None and not isinstance(value, dict):  # a section may be empty
                example = _last(below[0])
                raise InputError(
                    f"{where}{name} is {_shown(value)}; it must be a section of settings such as `{example}:`."
                )
            yield from _flat(value or {}, where, types, f"{name}.")
        else:
            meant = nearest(name, [*dict.fromkeys(known.partition(".")[0] for known in types), *types])
            raise InputError(
                f"{where.removesuffix('--')}no setting {_cut(name)}{f'; did you mean {meant}?' if meant else '.'}"
            )


def _as_text(name: str, value: Any, kind: Any) -> Any:
    """What YAML takes for a number, or for a mapping of labels, as the text that the setting holds."""
    if kind in (str, Optional[str]) and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if name == "data.label_map" and isinstance(value, dict):
        return ",".join(f"{label}={meaning}" for label, meaning in value.items())
    return value


def _build(config_class: type[AnyConfig], given: Sequence[_Given], shown: Sequence[str] = ()) -> AnyConfig:
    """Build a configuration; `shown` are `--print_config` and its like, which print and exit.

    Raises:
        InputError: if a value is refused.
    """
    types, parser = setting_types(config_class), parser_for(config_class)
    settings = _settings(parser, given, types, shown)
    try:
        return _instantiate(parser, config_class, settings)
    except InputError as error:  # what a section says of its settings together
        raise InputError(_file_of(str(error), parser, config_class, given, types) + str(error)) from error


def _settings(
    parser: ArgumentParser, given: Sequence[_Given], types: Mapping[str, Any], shown: Sequence[str] = ()
) -> Namespace:
    """Parse settings.

    Raises:
        InputError: if a value is refused; it names the first that is.
    """
    try:
        return _parse(parser, [argument for each in given for argument in each.arguments] + list(shown), types)
    except _REFUSED as error:
        for each in given:
            for name, value in each.settings.items():
                try:
                    _parse(parser, replace(each, settings={name: value}).arguments, types)
                except _REFUSED:
                    words = _described(types[name])
                    raise InputError(f"{each.where}{name} is {_shown(value)}; it must be {words}.") from error
        raise InputError(f"{' '.join(str(error).split()).rstrip('.')}.") from error


_REFUSED = (ArgumentError, ValueError, TypeError, yaml.YAMLError)


def _parse(parser: ArgumentParser, arguments: Sequence[str], types: Mapping[str, Any]) -> Namespace:
    settings = parser.parse_args(arguments)
    for name, kind in types.items():
        value = settings[name]
        if (value is None and NoneType not in get_args(kind)) or (
            isinstance(value, float) and not math.isfinite(value)
        ):
            raise ValueError(f"{name} is {value}")  # which jsonargparse accepts
    return settings


def _instantiate(parser: ArgumentParser, config_class: type[AnyConfig], settings: Namespace) -> AnyConfig:
    values = dict(parser.instantiate(settings))
    del values["config"]
    return config_class(**values)


def _file_of(
    message: str,
    parser: ArgumentParser,
    config_class: type[AnyConfig],
    given: Sequence[_Given],
    types: Mapping[str, Any],
) -> str:
    """The file whose settings, together with those before it, are refused with a message; "" for the command line."""
    for count, each in enumerate(given, 1):
        arguments = [argument for one in given[:count] for argument in one.arguments]
        try:
            _instantiate(parser, config_class, _parse(parser, arguments, types))
        except InputError as error:
            if str(error) == message:
                return "" if each.typed else each.where
        except _REFUSED:  # a value that a later one replaces
            continue
    return ""


def _described(kind: Any) -> str:
    """What the values of a setting are, in words."""
    if get_origin(kind) is Literal:
        *names, last = get_args(kind)
        return f"{', '.join(names)} or {last}" if names else str(last)
    if get_origin(kind) is list:
        return f"a list in brackets, each entry {_described(get_args(kind)[0])}"
    if NoneType in get_args(kind):
        return f"{_described(get_args(kind)[0])}, or null"
    return KINDS[kind]


def _shown(value: Any) -> str:
    """A value as a user would write it, cut if it is long."""
    if isinstance(value, str):
        return value if _PLAIN.fullmatch(value) else _cut(repr(value))
    return _cut(json.dumps(value, default=str, ensure_ascii=False))


def _cut(text: str) -> str:
    return textwrap.shorten(text, 80, placeholder="...") if len(text) > 80 else text


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _current_name(name: str) -> str:
    """`optimisation.epochs` → `optimization.epochs`, with a warning; current names are unchanged."""
    first, dot, rest = name.partition(".")
    if first not in RENAMED_SETTINGS:
        return name
    logger.warning("the setting %s is now %s; the next release drops the old name.", first, RENAMED_SETTINGS[first])
    return RENAMED_SETTINGS[first] + dot + rest
