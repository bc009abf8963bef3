"""Options that several commands share: configuration, model, device and source of reviews."""

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentiment.errors import InputError
from sentiment.io.files import expand_user

if TYPE_CHECKING:
    from sentiment.classifier import SentimentClassifier
    from sentiment.config import DataConfig


RESUME: Mapping[str, Any] = {"--resume": {"action": "store_true", "help": "resume a run that was stopped"}}


def configured(
    command: str, description: str, config_class: Any, arguments: Sequence[str], own: Mapping[str, Any] = RESUME
) -> tuple[Any, argparse.Namespace]:
    """Parse `CONFIG.yaml [own options] [--dotted.key=value ...]`; prints the help and exits if requested.

    Args:
        command: name of the command.
        description: description in the help.
        config_class: class of the configuration.
        arguments: arguments of the command.
        own: options that are not settings: {name: keyword arguments of `add_argument`}.

    Returns:
        The configuration, and the values of the own options.

    Raises:
        InputError: if the configuration cannot be read, or an option is unknown.
    """
    from sentiment.config import load_config, parser_for

    parser = argparse.ArgumentParser(f"sentiment {command} CONFIG.yaml", add_help=False, allow_abbrev=False)
    for name, keywords in own.items():
        parser.add_argument(name, **keywords)
    if not arguments or "-h" in arguments or "--help" in arguments:
        usage = f"{parser.format_usage().removeprefix('usage: ').strip()} [--dotted.key=value ...]"
        described = parser_for(config_class, usage=usage, description=description)
        for name, keywords in own.items():
            described.add_argument(name, **keywords)
        described.print_help()
        raise SystemExit(0 if arguments else 2)
    options, others = parser.parse_known_args(arguments)
    if "--resume" in others:
        raise InputError(f"--resume: sentiment {command} saves no training states, so it cannot resume; leave it out.")
    if not others or others[0].startswith("-"):
        raise InputError(f"{' '.join(arguments)}: the configuration file must come first: {parser.prog} ...")
    return load_config(config_class, others[0], others[1:]), options


def model_parser(command: str, description: str, device: bool = True) -> argparse.ArgumentParser:
    """Parser with the options `--model` and `--device`, to which a command adds its own.

    Args:
        command: name of the command.
        description: description in the help.
        device: whether to add `--device`.
    """
    parser = argparse.ArgumentParser(f"sentiment {command}", description=description)
    parser.add_argument(
        "--model", metavar="DIR", help="model directory, hub id, or shipped model: imdb or imdb-small (default: imdb)"
    )
    if device:
        where = "device to compute on; auto uses a GPU if there is one (default: auto)"
        parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto", help=where)
    return parser


def path(text: str) -> Path:
    """Argument type for a path; replaces `~`, which shells do not do in `--output=~/predictions.csv`."""
    try:
        return expand_user(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def load_classifier(options: argparse.Namespace) -> "SentimentClassifier":
    """Load the model of the options of `model_parser` with torch.

    Raises:
        InputError: if the model or the device does not exist, or the model is damaged.
        RunError: if the hub cannot be reached.
    """
    from sentiment.classifier import SentimentClassifier

    return SentimentClassifier.from_pretrained(options.model, chosen_device(options.device))


def chosen_device(wanted: str) -> str:
    """Choose "cpu" or "cuda"; "auto" is "cuda" if there is a GPU for each process on this machine.

    Raises:
        InputError: for "cuda" without enough GPUs.
    """
    if wanted == "cpu":
        return wanted
    import torch

    processes = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))  # set by torchrun; each process needs its own GPU
    if torch.cuda.is_available() and (processes == 1 or torch.cuda.device_count() >= processes):
        return "cuda"
    if wanted == "cuda":
        found = f"{torch.cuda.device_count()} GPU(s) for {processes} process(es)"
        raise InputError(f"--device is cuda, but torch sees {found}; use --device cpu or auto.")
    return "cpu"


def add_data_options(
    parser: argparse.ArgumentParser, about: str, name: str = "--data", split: bool = False, validation: bool = False
) -> None:
    """Add options for a source of reviews: `--data SOURCE`, its columns, and its split or validation part.

    Args:
        parser: parser of the command.
        about: help text of the source.
        name: name of the option; `--data` is required, any other is optional.
        split: whether to add `--split`.
        validation: whether to add the options of the validation split.
    """
    parser.add_argument(name, dest="data", required=name == "--data", metavar="SOURCE", help=about)
    if split:
        parser.add_argument(
            "--split", default="test", help="split of SOURCE, ignored if SOURCE is a file (default: test)"
        )
    parser.add_argument("--text-column", default="text", metavar="NAME", help="column of the review (default: text)")
    parser.add_argument(
        "--label-column", default="label", metavar="NAME", help="column of the label, 0 or 1 (default: label)"
    )
    if validation:
        from jsonargparse.typing import NonNegativeInt, OpenUnitInterval

        parser.add_argument(
            "--groups-file", metavar="FILE", help="text file with the group (film) of each training row, one per line"
        )
        parser.add_argument(
            "--validation-fraction",
            type=OpenUnitInterval,
            default=0.1,
            metavar="SHARE",
            help="validation share of the train split, as in the training of the model (default: 0.1)",
        )
        parser.add_argument(
            "--validation-seed",
            type=NonNegativeInt,
            default=0,
            metavar="SEED",
            help="seed of the validation split, as in the training of the model (default: 0)",
        )


def data_config(options: argparse.Namespace) -> "DataConfig":
    """Data settings from the options of `add_data_options`."""
    from sentiment.config import DataConfig

    validation = {
        name: getattr(options, name)
        for name in ("groups_file", "validation_fraction", "validation_seed")
        if hasattr(options, name)
    }
    return DataConfig(options.data, options.text_column, options.label_column, **validation)
