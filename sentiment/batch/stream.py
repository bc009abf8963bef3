"""Reviews from the command line or a pipe, answered one line each on standard output."""

import json
import logging
import sys
from collections.abc import Sequence
from typing import BinaryIO

from sentiment.errors import InputError
from sentiment.inference.base import Prediction, Predictor

logger = logging.getLogger(__name__)

SHOWN = 80
"""Characters of a review in a line for people."""


def predict_stream(classifier: Predictor, stream: BinaryIO, skip_bad_rows: bool, as_json: bool) -> None:
    """Answer one review a line, in order; a person who types gets each answer at once.

    Raises:
        InputError: at the first line that is not UTF-8, unless such lines are skipped, which is reported.
    """
    from sentiment.batch.readers import (  # pyarrow, which a review given as an argument does without
        chunks,
        text_records,
    )

    if stream.isatty():
        logger.info("reading reviews from standard input, one a line; end with Ctrl-D.")
    skipped = 0
    for chunk in chunks(text_records(stream), "text", int, size=1 if stream.isatty() else 256):
        if chunk.problems and not skip_bad_rows:
            raise InputError(f"standard input: {chunk.problems[0]}. Skip such lines with --on-bad-row=skip.")
        for problem in chunk.problems:
            logger.warning("standard input: skipped: %s", problem)
        skipped += len(chunk.problems)
        print_predictions(chunk.texts, classifier.predict(chunk.texts), as_json)
    if skipped:
        logger.warning("standard input: %d lines skipped in all.", skipped)


def print_predictions(texts: Sequence[str], predictions: Sequence[Prediction], as_json: bool) -> None:
    """One line a review: JSON, or label, the label's probability and the beginning of the text."""
    for text, prediction in zip(texts, predictions, strict=True):
        # JSON in ASCII: half a surrogate pair, as the shell hands over bytes that are not UTF-8, has no other spelling
        print(json.dumps({"text": text} | prediction.to_dict()) if as_json else _line(text, prediction))
    sys.stdout.flush()


def _line(text: str, prediction: Prediction) -> str:
    # control characters could end the line or steer the terminal
    shown = " ".join("".join(character if character.isprintable() else " " for character in text[: 4 * SHOWN]).split())
    if len(shown) > SHOWN or len(text) > 4 * SHOWN:
        shown = shown[: SHOWN - 1] + "…"
    unsure = prediction.reason or ("uncertain" if prediction.uncertain else None)
    notes = [note for note in (unsure, "truncated" if prediction.truncated else None) if note]
    noted = f"  [{', '.join(notes)}]" if notes else ""
    return f"{prediction.label}  {prediction.score:.3f}  {shown}{noted}"
