"""Options that several commands share: configuration, model, device and source of reviews."""

import argparse
import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentiment.cli.configurations import CONFIGURATIONS, find_configuration
from sentiment.cli.parser import CommandParser
from sentiment.cli.settings import SHORT, add_settings, add_short_options, check_contradictions, file_first
from sentiment.errors import InputError
from sentiment.io.files import expand_user
from sentiment.io.progress import step

if TYPE_CHECKING:
    from sentiment.classifier import SentimentClassifier
    from sentiment.config import DataConfig
    from sentiment.models.inference_lstm import Precision


ENDING = {"-h", "--help", "-V", "--version"}
"""Options that print something and exit, whatever else is given."""
RESUME: Mapping[str, Any] = {"--resume": {"action": "store_true", "help": "resume a run that was stopped"}}


def configured(
    command: str,
    description: str,
    config_class: Any,
    arguments: Sequence[str],
    own: Mapping[str, Any] = RESUME,
    examples: Sequence[str] = (),
) -> tuple[Any, argparse.Namespace]:
    """Parse `CONFIG.yaml [own options] [--dotted.key=value ...]`; prints the help and exits if requested.

    Args:
        command: name of the command.
        description: description in the help.
        config_class: class of the configuration.
        arguments: arguments of the command.
        own: options that are not settings: {name: keyword arguments of `add_argument`}.
        examples: calls for the end of the help, without `sentiment COMMAND`.

    Returns:
        The configuration, and the values of the own options.

    Raises:
        InputError: if the configuration or its source of reviews cannot be read, or an option is unknown.
    """
    from sentiment.config_reader import load_config

    shown = " ".join(
        f"[{name} {keywords['metavar']}]" if "metavar" in keywords else f"[{name}]" for name, keywords in own.items()
    )
    usage = f"sentiment {command} CONFIG.yaml {shown} [--dotted.key=value ...]"
    parser = CommandParser(command, description, examples, usage)
    parser.add_argument("file", metavar="CONFIG.yaml", help="YAML file of settings, or name of an installed one")
    for name, keywords in own.items():
        parser.add_argument(name, **keywords)
    add_short_options(parser, "common settings", SHORT)
    add_short_options(parser, "reading files", SHORT_READING)
    add_settings(parser, config_class)
    if not arguments:
        names = ", ".join(sorted(file.stem for file in CONFIGURATIONS.glob("*.yaml")))
        raise InputError(f"name a configuration: a YAML file, or one of {names}.")
    if "--resume" in arguments and "--resume" not in own:
        raise InputError(f"--resume: sentiment {command} saves no training states, so it cannot resume; leave it out.")
    parser.check_options(arguments)
    if all(argument.startswith("-") for argument in arguments) and not ENDING & set(arguments):
        raise InputError(file_first(parser.prog))
    options = parser.parse_args(arguments)
    config = load_config(config_class, find_configuration(options.file), overrides(options))
    check_source(config.data)
    for file in getattr(config, "short_texts", []):
        check_source(replace(config.data, source=file))
    return config, options


def overrides(options: argparse.Namespace) -> list[str]:
    """The settings on the command line, as `load_config` takes them.

    Raises:
        InputError: if two options contradict each other.
    """
    check_contradictions(options.settings)
    return [f"--{setting}={value}" if value is not None else f"--{setting}" for _, setting, value in options.settings]


def model_parser(
    command: str, description: str, examples: Sequence[str], device: bool = True, name: str = "--model"
) -> CommandParser:
    """Parser with the options `--model`, `--device` and `--threads`, to which a command adds its own.

    Args:
        command: name of the command.
        description: description in the help.
        examples: calls for the end of the help, without `sentiment COMMAND`.
        device: whether to add `--device` and `--threads`.
        name: another name for `--model`.
    """
    parser = CommandParser(command, description, examples)
    group = parser.add_argument_group("model")
    about = "model directory, hub id, or shipped model: imdb or imdb-small (default: imdb)"
    group.add_argument(name, dest="model", metavar="DIR", help=about)
    if device:
        where = "device to compute on; auto uses a GPU if there is one (default: auto)"
        group.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto", help=where)
        each = "batches of reviews to compute at a time on the CPU (default: one per CPU that this process may use)"
        group.add_argument("--threads", type=positive, metavar="N", help=each)
    return parser


def positive(text: str) -> int:
    """Argument type for a whole number of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def natural(text: str) -> int:
    """Argument type for a whole number of at least 0."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of at least 0")
    return int(text)


def port(text: str) -> int:
    """Argument type for a port: 0 to 65535."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text} is not a port, a whole number from 0 to 65535")
    return int(text)


def share(text: str) -> float:
    """Argument type for a share: above 0, below 1."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a share above 0 and below 1")
    return value


def path(text: str) -> Path:
    """Argument type for a path; replaces `~`, which shells do not do in `--output=~/predictions.csv`."""
    try:
        return expand_user(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def load_classifier(options: argparse.Namespace, precision: "Precision" = "auto") -> "SentimentClassifier":
    """Load the model of the options of `model_parser` with torch.

    Raises:
        InputError: if the model or the device does not exist, or the model is damaged.
        RunError: if the hub cannot be reached.
    """
    from sentiment.classifier import SentimentClassifier

    device = chosen_device(options.device)
    return SentimentClassifier.from_pretrained(options.model, device, precision=precision, threads=options.threads)


def loading(options: argparse.Namespace) -> AbstractContextManager[None]:
    """Says at a terminal that the model is being loaded, which with the import of torch takes seconds."""
    return step(f"loading {options.model or 'imdb'}", lasting=False)


def chosen_device(wanted: str) -> str:
    """The device for `--device`: "cpu" or "cuda"; "auto" is "cuda" if there is a GPU.

    Raises:
        InputError: for "cuda" without a GPU.
    """
    from sentiment.inference.torch_network import choose_device

    return str(choose_device(wanted))


READING: dict[str, dict[str, Any]] = {
    "text_column": {
        "flag": "--text-column",
        "metavar": "NAME",
        "help": "column of the review (default: text, or else the one that is obviously the review)",
    },
    "label_column": {
        "flag": "--label-column",
        "metavar": "NAME",
        "help": "column of the label (default: label, or else a column such as sentiment)",
    },
    "on_bad_row": {
        "flag": "--on-bad-row",
        "choices": ["stop", "skip"],
        "help": "stop at a row that cannot be read, or skip it (default: stop)",
    },
    "format": {
        "flag": "--input-format",
        "choices": ["txt", "csv", "tsv", "json", "jsonl", "parquet", "xlsx"],
        "help": "format of the files (default: from the ending of their names)",
    },
    "delimiter": {
        "flag": "--delimiter",
        "metavar": "CHARACTER",
        "help": "character between the fields of .csv and .tsv files, or tab (default: the best for the first rows)",
    },
    "encoding": {
        "flag": "--encoding",
        "metavar": "NAME",
        "help": "encoding of text files, such as cp1252 (default: utf-8, or utf-16 with a byte order mark)",
    },
    "header": {
        "flag": "--no-header",
        "action": "store_const",
        "const": False,
        "help": "the first row of .csv, .tsv and .xlsx files is a review; columns are called 1, 2, 3, ...",
    },
    "quotes": {
        "flag": "--no-quotes",
        "action": "store_const",
        "const": False,
        "help": "quotation marks in .csv and .tsv files are ordinary characters",
    },
}
"""{data setting: option} for reading files; the settings are described in `DataConfig`."""

LABELS: dict[str, dict[str, Any]] = {
    "label_map": {
        "flag": "--label-map",
        "metavar": "NAME=MEANING,...",
        "help": "meaning of the labels: negative, positive or skip, such as 1=negative,2=positive",
    },
    "positive_from": {
        "flag": "--positive-from",
        "type": float,
        "metavar": "STARS",
        "help": "labels are ratings, positive from STARS on, negative up to --negative-to; others are left out",
    },
    "negative_to": {
        "flag": "--negative-to",
        "type": float,
        "metavar": "STARS",
        "help": "highest rating of a negative review",
    },
}
"""{data setting: option} for the meaning of labels."""

SHORT_READING = {f"data.{name}": keywords for name, keywords in (READING | LABELS).items()}
"""{setting: option} of both, for commands that have settings."""


def add_reading_options(parser: argparse.ArgumentParser, labels: bool = True) -> None:
    """Add the options for reading files and, if `labels`, those for the meaning of labels."""
    group = parser.add_argument_group("reading files")
    for name, keywords in (READING | LABELS if labels else READING).items():
        group.add_argument(keywords["flag"], dest=name, **{key: keywords[key] for key in keywords if key != "flag"})


def reading_settings(options: argparse.Namespace) -> dict[str, Any]:
    """{data setting: value} of the options of `add_reading_options` that were given."""
    found = {name: getattr(options, name, None) for name in READING | LABELS}
    return {name: value for name, value in found.items() if value is not None}


SOURCES = "SOURCE is a file, directory, pattern or hub id; samples: the sample reviews of the package"


def add_data_options(
    parser: argparse.ArgumentParser,
    about: str,
    name: str = "--data",
    split: bool = False,
    validation: bool = False,
) -> None:
    """Add options for a source of reviews: `--data SOURCE`, how to read it, and its split or validation part.

    Args:
        parser: parser of the command.
        about: help text of the source.
        name: name of the option; `--data` is required, any other is optional.
        split: whether to add `--split`.
        validation: whether to add the options of the validation split.
    """
    group = parser.add_argument_group("reviews", SOURCES)
    group.add_argument(name, dest="data", required=name == "--data", metavar="SOURCE", help=about)
    if split:
        group.add_argument(
            "--split", default="test", help="split of SOURCE, ignored if SOURCE is a file (default: test)"
        )
    if validation:
        group.add_argument(
            "--groups-file", metavar="FILE", help="text file with the group (film) of each training row, one per line"
        )
        group.add_argument(
            "--validation-fraction",
            type=share,
            metavar="SHARE",
            help="validation share of the train split, as in the training of the model (default: 0.1)",
        )
        group.add_argument(
            "--validation-seed",
            type=natural,
            metavar="SEED",
            help="seed of the validation split, as in the training of the model (default: 0)",
        )
    add_reading_options(parser)


def data_config(options: argparse.Namespace) -> "DataConfig":
    """Data settings from the options of `add_data_options`.

    Raises:
        InputError: if they contradict each other, or the files cannot be read.
    """
    from sentiment.config import DataConfig

    validation = {
        name: value
        for name in ("groups_file", "validation_fraction", "validation_seed")
        if (value := getattr(options, name, None)) is not None
    }
    config = DataConfig(source=options.data, **reading_settings(options), **validation)
    check_source(config)
    return config


def check_source(config: "DataConfig") -> None:
    """Check the files of a local source before modules that take seconds to import.

    Raises:
        InputError: if there are none, or they cannot be read.
    """
    from sentiment.tables.opening import check_readable
    from sentiment.tables.sources import find_files, is_local, local_path

    if is_local(config.source) and not local_path(config.source).is_dir():
        for file in find_files(config.source, config.format):
            check_readable(file, config.format)
