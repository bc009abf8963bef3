"""What several commands of the command line take: a configuration, or a model and where it computes."""

import argparse
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sentiment.errors import InputError

if TYPE_CHECKING:
    from sentiment.classifier import SentimentClassifier


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


def model_parser(command: str, description: str, device: bool = True) -> argparse.ArgumentParser:
    """For a command that asks a model: `[--model DIR] [--device auto]`, and what the command adds.

    Args:
        command: its name.
        description: for its help.
        device: whether it is the user's choice where the model computes.
    """
    parser = argparse.ArgumentParser(f"sentiment {command}", description=description)
    parser.add_argument("--model", metavar="DIR", help="directory or hub id; imdb-small ships, too (default: imdb)")
    if device:
        where = "where it computes; auto takes a GPU when there is one (default: auto)"
        parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto", help=where)
    return parser


def load_classifier(options: argparse.Namespace) -> "SentimentClassifier":
    """The model of `model_parser`'s options, read by torch.

    Raises:
        InputError: if there is no such model, or no such device.
        RunError: if the hub cannot be reached.
    """
    from sentiment.classifier import SentimentClassifier

    return SentimentClassifier.from_pretrained(options.model, chosen_device(options.device))


def chosen_device(wanted: str) -> str:
    """ "cpu" or "cuda"; `auto` is resolved as a training resolves it, to the GPU where there is one.

    Raises:
        InputError: if a GPU is demanded where there is none.
    """
    if wanted == "cpu":
        return wanted
    import torch

    processes = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))  # torchrun's, on this machine; each needs its own GPU
    if torch.cuda.is_available() and (processes == 1 or torch.cuda.device_count() >= processes):
        return "cuda"
    if wanted == "cuda":
        found = f"{torch.cuda.device_count()} GPU(s) here for {processes} process(es)"
        raise InputError(f"--device is cuda, but torch sees {found}; use --device cpu or auto.")
    return "cpu"
