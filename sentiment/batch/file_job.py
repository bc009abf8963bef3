"""Predict all reviews of files and write the predictions to another file; stopped jobs can be resumed.

Each finished chunk is a file in `OUTPUT.partial/`, named after its rows. A resumed job continues after the last chunk.
job.json in that directory records the input and the model; a job with another input or model cannot resume it. The
output appears only when it is complete.
"""

import logging
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import asdict, dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from sentiment.config import DataConfig
from sentiment.errors import InputError, RunError
from sentiment.inference.arrow import FIELDS
from sentiment.inference.base import Predictor
from sentiment.inference.engine import OnBatch
from sentiment.inference.prediction import Predictions
from sentiment.io.files import (
    atomic_file,
    fingerprint,
    lock_directory,
    read_json,
    remove_leftovers,
    write_json,
)
from sentiment.io.formats import FileFormat
from sentiment.io.progress import estimated_total, review_bar, step
from sentiment.io.signals import Stopped, catch_signals, stop_requested
from sentiment.tables.chunk import Chunk, described, total_size
from sentiment.tables.excel import check_fits
from sentiment.tables.opening import STANDARD_INPUT, check_readable, open_output
from sentiment.tables.outputs import check_output, output_format
from sentiment.tables.reader import read_chunks
from sentiment.tables.sources import find_files
from sentiment.tables.writer import join_parts, part_ending, write_part

logger = logging.getLogger(__name__)

STANDARD_OUTPUT = STANDARD_INPUT
_PART = re.compile(r"rows-(\d{12})-(\d{12})-(\d{12})-(\d{12})")


@dataclass(frozen=True)
class Outcome:
    """Result of a job."""

    predicted: int
    """Number of rows in the output."""
    skipped: int
    """Number of rows of the input that could not be read, so they are not in the output."""
    without_text: int
    """Number of rows in the output that have no text, so they have no label."""


def predict_file(
    classifier: Predictor,
    data: DataConfig,
    output: Path,
    *,
    overwrite: bool = False,
    resume: bool = False,
) -> Outcome:
    """Predict all reviews of files; the output has the same rows and columns, plus the predictions.

    The fields of `Prediction` are the last columns. If the input already has a column of that name, the new column is
    called `predicted_...`. If there are several files, the column `file` says where a row comes from.

    Args:
        classifier: the model.
        data: the files, the column of the review, and what to do with rows that cannot be read.
        output: file to write, or "-" for standard output in the format of the input.
        overwrite: replace an existing output.
        resume: continue a stopped job after its last finished chunk.

    Raises:
        InputError: if a file cannot be used, the output exists, a row cannot be read, or there is an unfinished job
            that is not resumed or is another job.
        RunError: if the output cannot be written.
        Stopped: after SIGINT or SIGTERM, with the finished chunks kept.
    """
    files = find_files(data.source, data.format)
    source = check_readable(files[0], data.format)
    found = _output_format(output, source)
    if output != STANDARD_OUTPUT:
        check_output(output, data.source, files, overwrite)
    chunks = read_chunks(files, data, data.label_column)
    # read before anything is written, so that a wrong column or format leaves no files behind
    with nullcontext() if are_typed(files) else step(f"reading {described(Path(data.source))}", lasting=False):
        first = list(islice(chunks, 1))
    if not first:
        raise InputError(f"{data.source}: it contains no reviews.")
    with ExitStack() as stack:
        if output == STANDARD_OUTPUT or STANDARD_INPUT in files:
            if resume:
                raise InputError("--resume needs files; standard input and output cannot be resumed.")
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sentiment-")))
        else:
            directory = output.with_name(f"{output.name}.partial")
            if directory.exists() and not resume:
                raise InputError(
                    f"{directory}: an unfinished job; add --resume to continue it with the same input and model, or "
                    "delete this directory."
                )
        job = _Job(classifier, data, files, directory, part_ending(source, found), found)
        return job.run(chain(first, chunks), output)


def _output_format(output: Path, source: FileFormat) -> FileFormat:
    if output == STANDARD_OUTPUT:
        return FileFormat("csv" if source.name == "txt" else source.name)
    return output_format(output)


@dataclass(frozen=True)
class _Job:
    """A job and its directory of finished parts."""

    classifier: Predictor
    data: DataConfig
    files: Sequence[Path]
    directory: Path
    ending: str
    output_format: FileFormat

    def run(self, chunks: Iterable[Chunk], output: Path) -> Outcome:
        """Predict what is not yet predicted, then join the parts."""
        resumable = STANDARD_INPUT not in self.files and output != STANDARD_OUTPUT
        with lock_directory(self.directory), catch_signals():
            remove_leftovers(self.directory)
            if resumable:
                with step(f"reading {self.data.source}", lasting=False):  # all of it, for its hash
                    self._check()
            try:
                text_columns = self._predict(chunks)
            except (InputError, RunError) as error:
                if not self._parts():
                    shutil.rmtree(self.directory)
                if isinstance(error, RunError) or not self.directory.exists():
                    raise
                kept = f"The predictions so far are in {self.directory}; delete it if you change the input."
                raise InputError(f"{error} {kept}") from error
            outcome = self._outcome()
            if outcome.predicted == 0:
                shutil.rmtree(self.directory)
                reason = (
                    f"none of its {outcome.skipped} rows can be read" if outcome.skipped else "it contains no reviews"
                )
                raise InputError(f"{self.data.source}: {reason}.")
            self._join(output, text_columns)
            shutil.rmtree(self.directory)
        return outcome

    def _check(self) -> None:
        """Write job.json, or check that an existing one describes the same job."""
        file = self.directory / "job.json"
        job = {
            "input": {str(path): fingerprint(path)["sha256"] for path in self.files},
            "way of reading": way_of_reading(self.data),
            "output": self.output_format.name,
            "model": self.classifier.digest(),
        }
        if not file.is_file():
            write_json(file, job)
            return
        previous = read_json(file)
        for name, value in job.items():
            if previous.get(name) != value:
                raise InputError(
                    f"{file.parent}: was started with another {name}, so it cannot be continued; delete this directory "
                    "to start again."
                )

    def _predict(self, chunks: Iterable[Chunk]) -> set[str]:
        """Write a part for each chunk that has none; returns the columns of the review, one per kind of file."""
        parts = self._parts()
        done, row = _numbers(parts[-1])[1] if parts else 0, 0
        text_columns: set[str] = set()
        written = sum(end - start - skipped for start, end, skipped, _ in map(_numbers, parts))
        size = total_size(self.files)
        with review_bar(None, "predict", done) as bar:
            for chunk in chunks:
                end = row + chunk.rows_read
                bar.total = estimated_total(end, chunk.position, size)
                text_columns.add(chunk.text_column)
                if end > done:
                    if row < done:
                        raise InputError(
                            f"{self.directory}: is of another version; delete this directory to start again."
                        )
                    self._check_chunk(chunk, row, written + len(chunk.texts))
                    self._predict_chunk(chunk, row, end, bar.update)
                    bar.update(end - bar.n)  # rows that cannot be read
                    written += len(chunk.texts)
                row = end
                if (number := stop_requested()) is not None:
                    raise self._stopped(number, row)
            bar.total = row
        return text_columns

    def _check_chunk(self, chunk: Chunk, row: int, written: int) -> None:
        if chunk.problems and self.data.on_bad_row == "stop":
            raise InputError(
                f"{described(chunk.file)}: {chunk.problems[0]}. Correct it, or skip such rows with --on-bad-row=skip"
                f"{' --resume' if self._parts() else ''}."
            )
        for problem in chunk.problems:
            logger.warning("%s: skipped: %s", described(chunk.file), problem)
        try:
            check_fits(chunk, written, self.output_format)
        except InputError as error:
            raise InputError(f"{described(chunk.file)}: {error}") from error

    def _predict_chunk(self, chunk: Chunk, row: int, end: int, on_batch: OnBatch) -> None:
        try:
            predictions = predict_texts(self.classifier, chunk.texts, on_batch)
        except Stopped as stopped:
            raise self._stopped(stopped.signal_number, row) from None
        added = predictions.columns()
        if len(self.files) > 1:
            added = {"file": [str(chunk.file)] * len(predictions)} | added
        without_text = sum(text is None for text in chunk.texts)
        numbers = (row, end, len(chunk.problems), without_text)
        name = f"rows-{'-'.join(f'{number:012d}' for number in numbers)}{self.ending}"
        with atomic_file(self.directory / name) as temporary:
            if chunk.texts:
                try:
                    write_part(temporary, chunk, added, self._types, self.ending)
                except InputError as error:
                    raise InputError(f"{described(chunk.file)}: {error}") from error

    @property
    def _types(self) -> pa.Schema:
        return pa.schema([*([pa.field("file", pa.string())] if len(self.files) > 1 else []), *FIELDS])

    def _stopped(self, number: int, row: int) -> Stopped:
        message = f"stopped by {signal.Signals(number).name} after {row} rows"
        if self.directory.name.endswith(".partial"):
            message += f"; their predictions are in {self.directory}. Go on with the same command and --resume"
        return Stopped(number, f"{message}.")

    def _join(self, output: Path, text_columns: set[str]) -> None:
        parts = [part for part in self._parts() if part.stat().st_size]
        found = check_readable(self.files[0], self.data.format)
        textual = found.name in ("csv", "tsv")
        if output == STANDARD_OUTPUT:
            with open_output(sys.stdout.buffer, self.output_format.compression) as stream:
                join_parts(parts, stream, self.output_format, self._types, text_columns, textual)
            return
        with (
            step(f"writing {output}", lasting=False),
            atomic_file(output) as temporary,
            temporary.open("wb") as file,
            open_output(file, self.output_format.compression) as stream,
        ):
            join_parts(parts, stream, self.output_format, self._types, text_columns, textual)

    def _parts(self) -> list[Path]:
        """Files of the finished chunks, in the order of their rows."""
        return sorted(file for file in self.directory.iterdir() if _PART.fullmatch(file.stem))

    def _outcome(self) -> Outcome:
        numbers = [_numbers(part) for part in self._parts()]
        skipped = sum(broken for _, _, broken, _ in numbers)
        predicted = sum(end - start for start, end, _, _ in numbers) - skipped
        return Outcome(predicted, skipped, sum(empty for *_, empty in numbers))


def are_typed(files: Sequence[Path]) -> bool:
    """Whether the reviews come from a terminal, where a line that moves would be in the way."""
    return STANDARD_INPUT in files and sys.stdin.isatty()


def predict_texts(classifier: Predictor, texts: Sequence[str | None], on_batch: OnBatch | None = None) -> Predictions:
    """Predict texts in order; a row without a text has the prediction of an empty one.

    `on_batch` is called with the number of texts of each finished batch.

    Raises:
        Stopped: after SIGINT or SIGTERM.
    """
    return classifier.predict_columns([text or "" for text in texts], on_batch=on_batch)


def way_of_reading(data: DataConfig) -> dict[str, Any]:
    """The settings that decide which rows and texts a file has; the same in all runs of a job."""
    settings = asdict(data)
    names = ("text_column", "label_column", "format", "delimiter", "encoding", "header", "quotes")
    return {name: settings[name] for name in names}


def _numbers(part: Path) -> tuple[int, int, int, int]:
    """Of a finished chunk: first row, row after the last row, skipped rows, rows without a text."""
    match = _PART.fullmatch(part.stem)
    assert match is not None
    return int(match[1]), int(match[2]), int(match[3]), int(match[4])
