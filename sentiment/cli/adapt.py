"""The command that adapts a model to reviews of your own."""

import logging
import shutil
from argparse import SUPPRESS
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentiment.cli.options import RESUME, SHORT_READING, SOURCES, check_source, overrides
from sentiment.cli.parser import CommandParser
from sentiment.cli.settings import SHORT, SettingAction, add_settings, add_short_options
from sentiment.io.progress import step

if TYPE_CHECKING:
    from sentiment.adaptation.adapt import Adaptation
    from sentiment.config import AdaptConfig, DataConfig

logger = logging.getLogger(__name__)

OWN: dict[str, dict[str, Any]] = {
    "pretrained": {"flag": "--from", "metavar": "MODEL"},
    "unlabeled": {"flag": "--unlabeled", "metavar": "SOURCE"},
    "keep_imdb": {"flag": "--keep-imdb", "const": True},
}
"""{setting: its short option} of this command."""


def adapt(arguments: Sequence[str]) -> None:
    """Adapt a model to labeled reviews: SOURCE --output DIR [--from MODEL] [--dotted.key=value ...]."""
    from sentiment.config import AdaptConfig
    from sentiment.config_reader import load_config

    about = (
        "Adapt a model to labeled reviews of your own, from eight on. Cross-validation chooses how much changes; the "
        "model stays as it is if nothing clearly helps."
    )
    examples = [
        "my_reviews.csv --output my-model",
        "my_reviews.csv --output my-model --from imdb-small --positive-from 4 --negative-to 2",
    ]
    usage = "sentiment adapt SOURCE --output DIR [--from MODEL] [--dotted.key=value ...]"
    parser = CommandParser("adapt", about, examples, usage)
    group = parser.add_argument_group("reviews", SOURCES)
    group.add_argument("source", metavar="SOURCE", help="labeled reviews: file, directory, pattern or hub id")
    group.add_argument("--split", default="train", help="split of SOURCE, ignored if SOURCE is a file (default: train)")
    for name, keywords in RESUME.items():
        parser.add_argument(name, **keywords)
    common = {setting: keywords for setting, keywords in SHORT.items() if setting != "data.source"}
    add_short_options(parser, "common settings", OWN | common)
    add_short_options(parser, "reading files", SHORT_READING)
    parser.add_argument("--unlabelled", action=SettingAction, setting="unlabeled", help=SUPPRESS)
    add_settings(parser, AdaptConfig)
    options = parser.parse_args(arguments)
    given = [*overrides(options), f"--data.source={options.source}"]
    config = load_config(AdaptConfig, None, given)
    if not config.run.output_dir:
        parser.error("the following arguments are required: --output")
    check_source(config.data)
    if config.unlabeled is not None:
        check_source(_unlabeled_config(config))
    from sentiment.persistence.model_directory import check_place

    check_place(Path(config.run.output_dir))
    from sentiment.adaptation.adapt import adapt, run_directory, settings_for
    from sentiment.classifier import SentimentClassifier
    from sentiment.data.loading import load_reviews
    from sentiment.inference.torch_network import choose_device

    with step(f"loading {config.pretrained}", lasting=False):
        device = choose_device(config.run.device)
        classifier = SentimentClassifier.from_pretrained(config.pretrained, device)
    logger.info("reading %s", config.data.source)
    reviews = load_reviews(config.data, options.split)
    by_number = [f"--{setting}={value}" for setting, value in settings_for(len(reviews), config.keep_imdb).items()]
    config = load_config(AdaptConfig, None, [*by_number, *given])
    found = adapt(classifier, reviews["text"][:], reviews["label"][:], config, _unlabeled(config), options.resume)
    found.classifier.save_pretrained(config.run.output_dir)
    shutil.rmtree(run_directory(config))
    _print(found)
    logger.info("model: %s", config.run.output_dir)


def _unlabeled(config: "AdaptConfig") -> list[str]:
    """The unlabeled reviews, read like the labeled ones; none if there is no source of them."""
    from sentiment.data.loading import load_reviews

    if config.unlabeled is None:
        return []
    logger.info("reading %s", config.unlabeled)
    texts: list[str] = load_reviews(_unlabeled_config(config), "train", labeled=False)["text"][:]
    return texts


def _unlabeled_config(config: "AdaptConfig") -> "DataConfig":
    """Where the unlabeled reviews are; they may have another format than the labeled ones."""
    assert config.unlabeled is not None
    return replace(
        config.data, source=config.unlabeled, format=None, delimiter=None, group_column=None, groups_file=None
    )


def _print(found: "Adaptation") -> None:
    from sentiment.adaptation.adapt import BAND_REVIEWS

    print("what changes              accuracy  95% interval      log loss   gain")
    for change in found.changes:
        low, high = change.accuracy_95
        mark = "*" if change is found.chosen else ""
        print(
            f"{change.name:24s}  {change.accuracy:7.2%}  {low:.2%} to {high:.2%}  {change.log_loss:8.3f}  "
            f"{change.gain:+.3f} \u00b1 {change.gain_error:.3f} {mark}".rstrip()
        )
    if found.chosen is found.changes[0]:
        print("No change clearly helps, so the weights stay as they were.")
    else:
        tested = f"{found.chosen.reviews:,} reviews that were not trained on"
        print(f"* chosen: {found.chosen.name}. Each row is measured on {tested}.")
    before, after = found.unknown
    if after < before:
        print(f"Unknown words in the reviews, repetitions counted: {before:,} before, {after:,} now.")
    if not found.own_band:
        print(f"The limit of uncertain answers stays as it was; {BAND_REVIEWS} reviews or more would move it.")
    if found.movies is not None:
        was, now = found.movies
        print(
            f"{was.reviews} sample reviews of movies: accuracy {was.accuracy:.1%} before, {now.accuracy:.1%} now; log "
            f"loss {was.log_loss:.3f} before, {now.log_loss:.3f} now."
        )
