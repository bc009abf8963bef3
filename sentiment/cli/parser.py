"""The parser of all commands: options are written in full, mistakes are answered in one sentence, help has examples."""

import argparse
import difflib
import itertools
import logging
import os
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from sentiment.errors import InputError

OPTION = re.compile(r"--?[A-Za-z][\w.+-]*(?==|$)")
"""Beginning of an argument that can only be meant as an option, with or without `=value`."""


class CommandParser(argparse.ArgumentParser):
    """Parser of one command, with `--help`, `--quiet` and `--verbose`, to which the command adds its own options."""

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
        self.add_argument("-h", "--help", action="help", help="show this help and exit")
        said = self.add_mutually_exclusive_group()
        said.add_argument("--quiet", action="store_true", help="only warnings and errors, no progress bar")
        said.add_argument("--verbose", action="store_true", help="more messages, such as what computes the predictions")

    def parse_args(  # type: ignore[override]  # which has overloads by the type of `namespace`
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> Any:
        """Parse the arguments, and let `--quiet` and `--verbose` take effect.

        Args:
            args: arguments of the command; by default those of the process.
            namespace: object that takes the values.

        Raises:
            InputError: if an option does not exist, or is used wrongly.
        """
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


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Find the known name that was most likely meant: one that it abbreviates or ends, or one of similar letters."""
    names = list(known)
    cut = [full for full in names if full.startswith(name) or full.endswith(f".{name.lstrip('-')}")]
    found = difflib.get_close_matches(name, cut, 1, 0) or difflib.get_close_matches(name, names, 1)
    return found[0] if found else None


def set_verbosity(quiet: bool, verbose: bool) -> None:
    """Choose which messages this process shows on standard error, and whether it shows progress bars."""
    level = logging.WARNING if quiet else logging.DEBUG if verbose else logging.INFO
    logging.getLogger("sentiment").setLevel(level)
    if quiet:
        # tqdm reads this when it is imported, which is later; its `disable` would lose to bars that set it themselves
        os.environ["TQDM_DELAY"] = "1000000000"
