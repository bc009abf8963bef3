"""The command that adapts a model to reviews of your own."""

import logging
from collections.abc import Sequence

from sentiment.cli.options import (
    SOURCES,
    add_reading_options,
    data_config,
    load_classifier,
    loading,
    model_parser,
    path,
)

logger = logging.getLogger(__name__)


def adapt(arguments: Sequence[str]) -> None:
    """Adapt a model to labeled reviews: SOURCE --output DIR [--from MODEL]."""
    about = (
        "Adapt a model to labeled reviews of your own, from eight on. Cross-validation chooses how much changes; the "
        "model stays as it is if nothing clearly helps."
    )
    examples = [
        "my_reviews.csv --output my-model",
        "my_reviews.csv --output my-model --from imdb-small --positive-from 4 --negative-to 2",
    ]
    parser = model_parser("adapt", about, examples, name="--from")
    parser.add_argument("data", metavar="SOURCE", help="labeled reviews: file, directory, pattern or hub id")
    group = parser.add_argument_group("reviews", SOURCES)
    group.add_argument("--split", default="train", help="split of SOURCE, ignored if SOURCE is a file (default: train)")
    group = parser.add_argument_group("output")
    group.add_argument("--output", type=path, required=True, metavar="DIR", help="write the adapted model to DIR")
    add_reading_options(parser)
    options = parser.parse_args(arguments)
    data = data_config(options)
    from sentiment.persistence.model_directory import check_place

    check_place(options.output)
    from sentiment.data.loading import load_reviews
    from sentiment.training.adaptation import BAND_REVIEWS, adapt

    with loading(options):
        classifier = load_classifier(options)
    logger.info("reading %s", data.source)
    reviews = load_reviews(data, options.split)
    found = adapt(classifier, reviews["text"][:], reviews["label"][:], data.source)
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
        print(f"* chosen: {found.chosen.name}. The rows are cross-validated on {found.chosen.reviews:,} reviews.")
    if not found.own_band:
        print(f"The limit of uncertain answers stays as it was; {BAND_REVIEWS} reviews or more would move it.")
    found.classifier.save_pretrained(options.output)
    logger.info("model: %s", options.output)
