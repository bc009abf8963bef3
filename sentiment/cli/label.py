"""The command that helps to label reviews: it asks for those that teach the model most."""

import json
import logging
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

from sentiment.cli.options import (
    SOURCES,
    add_reading_options,
    data_config,
    load_classifier,
    loading,
    model_parser,
    path,
    positive,
)
from sentiment.errors import InputError

if TYPE_CHECKING:
    from sentiment.adaptation.labeling import Answer, Labeling

logger = logging.getLogger(__name__)

ANSWERS: "dict[str, Answer]" = {"p": "positive", "n": "negative", "s": "skip"}
KEYS = "p positive, n negative, s skip, u undo, q quit: "


def label(arguments: Sequence[str]) -> None:
    """Label the reviews that teach a model most: SOURCE --labels FILE.csv [--from MODEL]."""
    about = (
        "Label reviews in the terminal: those first that teach the model most. Each answer is written at once, and the "
        "same command goes on later. After every twenty labels the model is adapted and chooses anew."
    )
    examples = [
        "my_reviews.csv --labels labels.csv",
        "my_reviews.csv --labels labels.csv --export tasks.json --count 200",
    ]
    parser = model_parser("label", about, examples, name="--from")
    parser.add_argument("data", metavar="SOURCE", help="reviews: file, directory, pattern or hub id")
    group = parser.add_argument_group("reviews", SOURCES)
    group.add_argument("--split", default="train", help="split of SOURCE, ignored if SOURCE is a file (default: train)")
    group = parser.add_argument_group("labels")
    group.add_argument("--labels", type=path, required=True, metavar="FILE.csv", help="table of the labels")
    group = parser.add_argument_group("Label Studio")
    either = group.add_mutually_exclusive_group()
    either.add_argument("--export", type=path, metavar="FILE", help="write the next reviews as tasks, and exit")
    either.add_argument(
        "--import", dest="annotated", type=path, metavar="FILE", help="add the labels of an export, and exit"
    )
    group.add_argument("--count", type=positive, default=100, metavar="N", help="number of tasks (default: 100)")
    add_reading_options(parser, labels=False)
    options = parser.parse_args(arguments)
    data = data_config(options)
    from sentiment.tables.outputs import check_output
    from sentiment.tables.sources import local_path

    check_output(options.labels, data.source, [local_path(data.source)], overwrite=True)
    if options.export is not None and options.export.exists():
        raise InputError(f"{options.export}: already exists; choose another file for the tasks.")
    from sentiment.adaptation.labeling import Labeling
    from sentiment.data.loading import load_reviews

    with loading(options):
        classifier = load_classifier(options)
    reviews = load_reviews(data, options.split, labeled=False)
    labeling = Labeling(classifier, reviews["text"][:], options.labels)
    if options.annotated is not None:
        _import(labeling, options.annotated)
    elif options.export is not None:
        _export(labeling, options.export, options.count)
    else:
        _ask(labeling)
        name = shlex.quote(str(options.labels))
        print(f"{len(labeling.labeled)} labels in {name}. Adapt with: sentiment adapt {name} --output my-model")


def _ask(labeling: "Labeling") -> None:
    """Ask for labels until there are no more reviews, or the user quits."""
    lines = 0
    while True:
        text = labeling.next()
        if len(labeling.curve) > lines:
            lines = len(labeling.curve)
            _print_curve(labeling)
        if text is None:
            print("There are no more reviews to label.")
            return
        print(f"\n{_shown(text)}\n")
        while True:
            try:
                key = input(f"[{len(labeling.labeled)} labels] {KEYS}").strip().casefold()[:1]
            except (EOFError, KeyboardInterrupt):
                print()
                return
            if key == "q":
                return
            if key in ANSWERS:
                labeling.answer(text, ANSWERS[key])
                break
            if key == "u" and labeling.undo():
                break
            print("There is no answer to undo." if key == "u" else "Type one of p, n, s, u and q.")


def _print_curve(labeling: "Labeling") -> None:
    print("\nlabels  as it was  adapted  (accuracy, cross-validated on the labels)")
    for count, was, chosen in labeling.curve:
        print(f"{count:6d}  {was.accuracy:9.1%}  {chosen.accuracy:7.1%}  {chosen.name}")


def _shown(text: str) -> str:
    """A review for a terminal of any width; control characters could change the terminal."""
    printable = "".join(character if character.isprintable() else " " for character in text)
    return fill(printable, shutil.get_terminal_size().columns)


def _export(labeling: "Labeling", file: Path, count: int) -> None:
    from sentiment.integrations.label_studio import tasks
    from sentiment.io.files import write_json

    texts = labeling.choose(count)
    if not texts:
        raise InputError(f"{labeling.file}: has an answer for each review with words already.")
    model = labeling.classifier.name
    write_json(file, tasks(texts, labeling.classifier.predict(texts), model))
    logger.info("%d tasks: %s", len(texts), file)


def _import(labeling: "Labeling", file: Path) -> None:
    from sentiment.integrations.label_studio import annotated

    try:
        content = json.loads(file.read_bytes())
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise InputError(f"{file}: not JSON: {error}.") from error
    labels, left_out = annotated(content, str(file))
    labeling.add(labels)
    logger.info("%d labels added to %s; %d tasks have no clear one.", len(labels), labeling.file, left_out)
