"""What several commands of the command line take: a configuration, or a model."""

import argparse
from collections.abc import Sequence
from typing import Any

from sentiment.errors import InputError


def configured(command: str, config_class: Any, arguments: Sequence[str]) -> tuple[Any, bool]:
    """Configuration and --resume from `CONFIG.yaml [--resume] [--dotted.key=value ...]`."""
    from sentiment.config import load_config, parser_for

    if not arguments or "-h" in arguments or "--help" in arguments:
        usage = f"sentiment {command} CONFIG.yaml [--resume] [--dotted.key=value ...]"
        parser_for(config_class, usage=usage, description=config_class.__doc__).print_help()
        raise SystemExit(0 if arguments else 2)
    path, *rest = arguments
    if path.startswith("-"):
        raise InputError(f"{path}: the configuration file comes first: sentiment {command} CONFIG.yaml {path} ...")
    overrides = [argument for argument in rest if argument != "--resume"]
    return load_config(config_class, path, overrides), "--resume" in rest


def model_parser(command: str, description: str) -> argparse.ArgumentParser:
    """For a command that asks a model: `[--model DIR]`, and what the command adds."""
    parser = argparse.ArgumentParser(f"sentiment {command}", description=description)
    parser.add_argument("--model", metavar="DIR", help="directory or hub id; imdb-small ships, too (default: imdb)")
    return parser
