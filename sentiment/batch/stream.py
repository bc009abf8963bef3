"""Print predictions, one line per review: of arguments, of standard input, or of files."""

import json
import logging
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO

from sentiment.errors import InputError
from sentiment.inference.base import Predictor
from sentiment.inference.prediction import Prediction
from sentiment.io.progress import estimated_total, review_bar

if TYPE_CHECKING:
    from pathlib import Path

    from sentiment.config import DataConfig
    from sentiment.tables.chunk import Chunk

logger = logging.getLogger(__name__)

MAX_CHARACTERS = 80
"""Maximum number of characters of a review in a line of output, except as JSON."""


def predict_lines(classifier: Predictor, stream: BinaryIO, skip_bad_rows: bool, as_json: bool) -> None:
    """Predict one review per line, in order; at a terminal, each line is predicted at once.

    Args:
        classifier: the model.
        stream: standard input, or another stream of bytes.
        skip_bad_rows: skip lines that cannot be read, with a warning, instead of stopping at the first.
        as_json: print JSON objects.

    Raises:
        InputError: if a line cannot be read and `skip_bad_rows` is false, or the stream is a table.
    """
    # imports pyarrow, which a review given as an argument does not need
    from sentiment.tables.opening import STANDARD_INPUT
    from sentiment.tables.reader import line_chunks

    terminal = stream.isatty()
    if terminal:
        logger.info("reading reviews from standard input, one per line; end with Ctrl-D.")
    chunks = line_chunks(stream, 1 if terminal else 256)
    _predict_chunks(classifier, [STANDARD_INPUT], chunks, skip_bad_rows, as_json)


def predict_and_print(classifier: Predictor, data: "DataConfig", as_json: bool) -> None:
    """Predict all reviews of files and print the predictions.

    Raises:
        InputError: if a file cannot be read; or a row, if `data.on_bad_row` is "stop".
    """
    from sentiment.tables.reader import read_chunks
    from sentiment.tables.sources import find_files

    files = find_files(data.source, data.format)
    chunks = read_chunks(files, data, data.label_column)
    _predict_chunks(classifier, files, chunks, data.on_bad_row == "skip", as_json, data.source)


def _predict_chunks(
    classifier: Predictor,
    files: "Sequence[Path]",
    chunks: "Iterator[Chunk]",
    skip_bad_rows: bool,
    as_json: bool,
    source: str = "",
) -> None:
    """Predict and print; no reviews are an error if there is a `source`, but no lines on standard input are none."""
    from sentiment.batch.file_job import are_typed, predict_texts
    from sentiment.tables.chunk import described, total_size

    skipped = without_text = reviews = 0
    shown = sys.stderr.isatty() and _writes_to_file() and not are_typed(files)
    with review_bar(None, "predict", shown=shown) as bar:
        for chunk in chunks:
            where = described(chunk.file)
            if chunk.problems and not skip_bad_rows:
                raise InputError(f"{where}: {chunk.problems[0]}. Correct it, or skip such rows with --on-bad-row=skip.")
            for problem in chunk.problems:
                logger.warning("%s: skipped: %s", where, problem)
            reviews += len(chunk.texts)
            skipped += len(chunk.problems)
            without_text += chunk.texts.count(None)
            texts = ["" if text is None else text for text in chunk.texts]
            bar.total = estimated_total(reviews + skipped, chunk.position, total_size(files))
            predictions = predict_texts(classifier, chunk.texts, bar.update)
            print_predictions(texts, predictions.rows(), as_json)
            bar.update(len(chunk.problems))
        bar.total = reviews + skipped
    if not reviews and source:
        raise InputError(f"{source}: it contains no reviews.")
    if skipped:
        logger.warning("%s skipped in total.", counted(skipped, "row"))
    if without_text:
        logger.warning("%s without a text, so without a label.", counted(without_text, "row"))


def _writes_to_file() -> bool:
    """Whether standard output is a file; a pipe may end at the terminal, where a bar would stand between the lines."""
    try:
        return stat.S_ISREG(os.fstat(sys.stdout.fileno()).st_mode)
    except OSError:  # standard output was replaced by an object without a file
        return False


def counted(number: int, noun: str) -> str:
    """`1 row`, `2 rows`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def print_predictions(texts: Sequence[str], predictions: Sequence[Prediction], as_json: bool) -> None:
    """Print one line per review: JSON, or the label, the score and the beginning of the text."""
    for text, prediction in zip(texts, predictions, strict=True):
        # JSON in ASCII, because arguments that are not UTF-8 contain surrogates, which cannot be printed
        print(json.dumps({"text": text} | prediction.to_dict()) if as_json else _line(text, prediction))
    sys.stdout.flush()


def beginning(text: str) -> str:
    """The beginning of a text for one line of a terminal."""
    # control characters could break the line or change the terminal
    printable = "".join(character if character.isprintable() else " " for character in text[: 4 * MAX_CHARACTERS])
    shown = " ".join(printable.split())
    if len(shown) > MAX_CHARACTERS or len(text) > 4 * MAX_CHARACTERS:
        shown = shown[: MAX_CHARACTERS - 1] + "…"
    return shown


def _line(text: str, prediction: Prediction) -> str:
    doubt = prediction.reason or ("uncertain" if prediction.uncertain else None)
    notes = [note for note in (doubt, "truncated" if prediction.truncated else None) if note]
    suffix = f"  [{', '.join(notes)}]" if notes else ""
    label, score = prediction.label or "no label", "-    " if prediction.score is None else f"{prediction.score:.3f}"
    return f"{label}  {score}  {beginning(text)}{suffix}"
