"""What several commands of the command line take: a configuration, or a model and where it computes, and reviews."""

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


RESUME: Mapping[str, Any] = {"--resume": {"action": "store_true", "help": "go on with a run that was stopped"}}


def configured(
    command: str, description: str, config_class: Any, arguments: Sequence[str], own: Mapping[str, Any] = RESUME
) -> tuple[Any, argparse.Namespace]:
    """Configuration and the command's own options, from `CONFIG.yaml [own options] [--dotted.key=value ...]`.

    Args:
        command: its name.
        description: for its help.
        config_class: of the configuration.
        arguments: of the command line.
        own: options of this command that are no settings, each with its keyword arguments of `add_argument`.

    Raises:
        InputError: for a configuration that cannot be read, or another option.
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
        raise InputError(f"--resume: sentiment {command} saves no state to go on from; leave it out.")
    if not others or others[0].startswith("-"):
        raise InputError(f"{' '.join(arguments)}: the configuration file comes first: {parser.prog} ...")
    return load_config(config_class, others[0], others[1:]), options


def model_parser(command: str, description: str, device: bool = True) -> argparse.ArgumentParser:
    """For a command that asks a model: `[--model DIR] [--device auto]`, and what the command adds.

    Args:
        command: its name.
        description: for its help.
        device: whether it is the user's choice where the model computes.
    """
    parser = argparse.ArgumentParser(f"sentiment {command}", description=description)
    parser.add_argument(
        "--model", metavar="DIR", help="model directory, hub id, or a shipped model: imdb, imdb-small (default: imdb)"
    )
    if device:
        where = "device to compute on; auto takes a GPU if there is one (default: auto)"
        parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto", help=where)
    return parser


def path(text: str) -> Path:
    """A path, `~` written out, for argparse: shells leave it as it is in `--output=~/answers.csv`."""
    try:
        return expand_user(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


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


def add_data_options(
    parser: argparse.ArgumentParser, about: str, name: str = "--data", split: bool = False, validation: bool = False
) -> None:
    """`--data SOURCE`, the columns of it that hold reviews and labels, and where they are of use two more.

    Args:
        parser: of the command.
        about: which reviews these are, for the help.
        name: of the option in place of `--data`, which has to be given; another may be left out.
        split: whether the user names one of its splits.
        validation: whether a validation part is set aside, for which the settings of the model's training are given.
    """
    parser.add_argument(name, dest="data", required=name == "--data", metavar="SOURCE", help=about)
    if split:
        parser.add_argument(
            "--split", default="test", help="split of SOURCE; ignored if SOURCE is a file (default: test)"
        )
    parser.add_argument("--text-column", default="text", metavar="NAME", help="column of the review (default: text)")
    parser.add_argument(
        "--label-column", default="label", metavar="NAME", help="column of the label, 0 or 1 (default: label)"
    )
    if validation:
        from jsonargparse.typing import NonNegativeInt, OpenUnitInterval

        aside = "as in the training of the model (default: %(default)s)"
        parser.add_argument(
            "--groups-file", metavar="FILE", help="film of each training row, one a line, as in data.groups_file"
        )
        parser.add_argument("--validation-fraction", type=OpenUnitInterval, default=0.1, metavar="SHARE", help=aside)
        parser.add_argument("--validation-seed", type=NonNegativeInt, default=0, metavar="SEED", help=aside)


def data_config(options: argparse.Namespace) -> "DataConfig":
    """What `add_data_options` has read."""
    from sentiment.config import DataConfig

    validation = {
        name: getattr(options, name)
        for name in ("groups_file", "validation_fraction", "validation_seed")
        if hasattr(options, name)
    }
    return DataConfig(options.data, options.text_column, options.label_column, **validation)
