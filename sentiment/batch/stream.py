"""Predict reviews from the command line or standard input, with one line of output per review."""

import json
import logging
import sys
from collections.abc import Sequence
from typing import BinaryIO

from sentiment.errors import InputError
from sentiment.inference.base import Prediction, Predictor

logger = logging.getLogger(__name__)

MAX_CHARACTERS = 80
"""Maximum number of characters of a review in a line of output, except as JSON."""


def predict_stream(classifier: Predictor, stream: BinaryIO, skip_bad_rows: bool, as_json: bool) -> None:
    """Predict one review per line, in order; at a terminal, each line is predicted at once.

    Args:
        classifier: the model.
        stream: standard input, or another stream of bytes.
        skip_bad_rows: skip lines that cannot be read, with a warning, instead of stopping at the first.
        as_json: print JSON objects.

    Raises:
        InputError: if a line cannot be read and `skip_bad_rows` is false.
    """
    from sentiment.batch.readers import (  # imports pyarrow, which a review given as an argument does not need
        chunks,
        text_records,
    )

    if stream.isatty():
        logger.info("reading reviews from standard input, one per line; end with Ctrl-D.")
    skipped = 0
    for chunk in chunks(text_records(stream), "text", int, size=1 if stream.isatty() else 256):
        if chunk.problems and not skip_bad_rows:
            raise InputError(f"standard input: {chunk.problems[0]}. Skip such lines with --on-bad-row=skip.")
        for problem in chunk.problems:
            logger.warning("standard input: skipped: %s", problem)
        skipped += len(chunk.problems)
        print_predictions(chunk.texts, classifier.predict(chunk.texts), as_json)
    if skipped:
        logger.warning("standard input: %d lines skipped in total.", skipped)


def print_predictions(texts: Sequence[str], predictions: Sequence[Prediction], as_json: bool) -> None:
    """Print one line per review: JSON, or the label, the score and the beginning of the text."""
    for text, prediction in zip(texts, predictions, strict=True):
        # JSON in ASCII, because arguments that are not UTF-8 contain surrogates, which cannot be printed
        print(json.dumps({"text": text} | prediction.to_dict()) if as_json else _line(text, prediction))
    sys.stdout.flush()


def _line(text: str, prediction: Prediction) -> str:
    # control characters could break the line or change the terminal
    printable = "".join(character if character.isprintable() else " " for character in text[: 4 * MAX_CHARACTERS])
    shown = " ".join(printable.split())
    if len(shown) > MAX_CHARACTERS or len(text) > 4 * MAX_CHARACTERS:
        shown = shown[: MAX_CHARACTERS - 1] + "…"
    doubt = prediction.reason or ("uncertain" if prediction.uncertain else None)
    notes = [note for note in (doubt, "truncated" if prediction.truncated else None) if note]
    suffix = f"  [{', '.join(notes)}]" if notes else ""
    return f"{prediction.label}  {prediction.score:.3f}  {shown}{suffix}"
