"""Completions for the shell, by argcomplete: commands, options, choices, and names of configurations, models and files.

The shell calls the program each time the user asks for completions. argcomplete reads the line that is typed from the
environment and parses it with the parser of the command.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from argcomplete import autocomplete
from argcomplete.completers import DirectoriesCompleter, FilesCompleter
from argcomplete.lexers import split_line

from sentiment.cli.configurations import CONFIGURATIONS

SHIPPED = Path(__file__).parents[1] / "pretrained"
MODELS = {"--model", "--compare", "--pretrained", "--teachers"}
"""Options whose values are models."""
YAML, FILES, DIRECTORIES = FilesCompleter(("yaml", "yml")), FilesCompleter(), DirectoriesCompleter()

PLACES: dict[str, tuple[Callable[[], Iterable[str]], Callable[..., Iterable[str]]]] = {
    "CONFIG.yaml": (lambda: _stems(CONFIGURATIONS), YAML),
    "RECIPE.yaml": (lambda: _stems(CONFIGURATIONS / "recipes"), YAML),
    "CONFIG": (tuple, YAML),
    "SOURCE": (lambda: ["samples"], FILES),
    "TEXT": (tuple, FILES),
    "FILE": (tuple, FILES),
    "GROUPS_FILE": (tuple, FILES),
    "DIR": (tuple, DIRECTORIES),
    "OUTPUT_DIR": (tuple, DIRECTORIES),
}
"""{what the help calls a value: names of such values, and the files that are some}."""


def typed_command() -> str:
    """The command on the line that is typed; "" if its name is not complete."""
    words = split_line(os.environ["COMP_LINE"], int(os.environ["COMP_POINT"]))[3]
    return words[1] if len(words) > 1 else ""


def complete_command(commands: Mapping[str, str]) -> NoReturn:
    """Print the commands that begin as what is typed, and exit; zsh and fish also show what they do."""
    parser = argparse.ArgumentParser("sentiment")
    parser.add_argument("-V", "--version", action="store_true", help="show the version and exit")
    parser.add_argument("command").completer = lambda **_: commands  # type: ignore[attr-defined]
    autocomplete(parser, always_complete_options=False, exit_method=sys.exit)
    raise SystemExit


def complete(parser: argparse.ArgumentParser) -> NoReturn:
    """Print the completions of the arguments of a command, and exit."""
    for action in parser._actions:
        action.completer = _completer(action)  # type: ignore[attr-defined]
    os.environ["_ARGCOMPLETE"] = "2"  # the arguments begin after two words, `sentiment COMMAND`
    autocomplete(parser, always_complete_options=False, exit_method=sys.exit)
    raise SystemExit


def _completer(action: argparse.Action) -> Callable[..., Iterable[str]]:
    """A function that gives the values of an option or argument that begin with a text."""
    metavar = action.metavar if isinstance(action.metavar, str) else ""
    if action.choices is not None or metavar.startswith("{"):
        choices = list(action.choices or metavar.strip("{}").split(","))
        return lambda prefix, **_: choices
    names, files = PLACES.get(metavar, (tuple, lambda **_: ()))
    if MODELS & {*action.option_strings} and metavar != "CONFIG":
        names, files = _shipped, FILES if "--compare" in action.option_strings else DIRECTORIES

    def completed(prefix: str, **keywords: Any) -> list[str]:
        return [*names(), *files(prefix=prefix, **keywords)]

    return completed


def _stems(folder: Path) -> list[str]:
    return sorted(file.stem for file in folder.glob("*.yaml"))


def _shipped() -> list[str]:
    return sorted(file.parent.name for file in SHIPPED.glob("*/config.json"))
