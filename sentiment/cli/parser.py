"""The parser of all commands: options are written in full, mistakes are answered in one sentence, help has examples."""

import argparse
import itertools
import logging
import math
import os
import re
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from sentiment.errors import InputError, nearest

OPTION = re.compile(r"--?[A-Za-z][\w.+-]*(?==|$)")
"""Beginning of an argument that can only be meant as an option, with or without `=value`."""


class VersionAction(argparse.Action):
    """Prints the version of the package and exits."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, help=help)

    def __call__(self, *_: Any) -> NoReturn:
        """Print it."""
        print_version()


def print_version() -> NoReturn:
    """Print the version of the package, and exit."""
    from importlib.metadata import version

    print(f"sentiment-rnn {version('sentiment-rnn')}")
    raise SystemExit(0)


def whole_number(text: str) -> int:
    """Argument type for a whole number; its message is clearer than that of `int`."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def number(text: str) -> float:
    """Argument type for a finite number."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number")
    return value


def is_completing() -> bool:
    """Whether the shell calls this process for the completions of a command line, by argcomplete."""
    return os.environ.keys() >= {"_ARGCOMPLETE", "COMP_LINE", "COMP_POINT"}


class CommandParser(argparse.ArgumentParser):
    """Parser of one command, with the options of all commands; each adds its own."""

    def __init__(self, command: str, description: str, examples: Sequence[str], usage: str | None = None) -> None:
        """Create the parser.

        Args:
            command: name of the command.
            description: what the command does, in a sentence or two.
            examples: calls for the end of the help, without `sentiment COMMAND`.
            usage: first line of the help; by default, it is made from the options.
        """
        super().__init__(f"sentiment {command}", usage, description, add_help=False, allow_abbrev=False)
        self.examples = tuple(f"{self.prog} {example}".rstrip() for example in examples)
        self.register("type", int, whole_number)
        self.register("type", float, number)
        self.add_argument("-h", "--help", action="help", help="show this help and exit")
        self.add_argument("-V", "--version", action=VersionAction, help="show the version and exit")
        said = self.add_mutually_exclusive_group()
        said.add_argument("--quiet", action="store_true", help="only warnings and errors, no progress bar")
        said.add_argument("--verbose", action="store_true", help="more messages, such as what computes the predictions")

    def parse_args(  # type: ignore[override]  # which has overloads by the type of `namespace`
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> Any:
        """Parse the arguments, and let `--quiet` and `--verbose` take effect.

        If the shell asks for completions, this prints them and exits.

        Args:
            args: arguments of the command; by default those of the process.
            namespace: object that takes the values.

        Raises:
            InputError: if an option does not exist, or is used wrongly.
        """
        if is_completing():
            from sentiment.cli.completion import complete

            complete(self)
        arguments = sys.argv[1:] if args is None else list(args)
        self.check_options(arguments)
        options = super().parse_args(arguments, namespace)
        set_verbosity(options.quiet, options.verbose)
        return options

    def check_options(self, arguments: Sequence[str]) -> None:
        """Refuse an option that does not exist, before argparse misses the argument that was meant by it.

        Raises:
            InputError: if there is one; it names the nearest option.
        """
        for argument in itertools.takewhile(lambda argument: argument != "--", arguments):
            name = OPTION.match(argument)
            if name is not None and name[0] not in self._option_string_actions:
                raise InputError(self._no_option(name[0]))

    def _no_option(self, name: str) -> str:
        wanted = nearest(name, [known for known in self._option_string_actions if not known.endswith("+")])
        if wanted is None:
            return f"no option {name}; `{self.prog} --help` lists the options."
        return f"no option {name}; did you mean {wanted}?"

    def error(self, message: str) -> NoReturn:
        """Refuse the arguments.

        Raises:
            InputError: with the message of argparse, without the usage that argparse prints before it.
        """
        raise InputError(f"{message.removeprefix('argument ').removesuffix('.')}.")

    def format_help(self) -> str:
        """Format the help, with the examples at its end as they are typed."""
        return "\n".join([super().format_help(), "examples:", *(f"  {example}" for example in self.examples), ""])


def set_verbosity(quiet: bool, verbose: bool) -> None:
    """Choose which messages this process shows on standard error, and whether it shows progress bars."""
    level = logging.WARNING if quiet else logging.DEBUG if verbose else logging.INFO
    logging.getLogger("sentiment").setLevel(level)
    if quiet:
        # tqdm reads this when it is imported, which is later; its `disable` would lose to bars that set it themselves
        os.environ["TQDM_DELAY"] = "1000000000"
