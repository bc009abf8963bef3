"""Predict all reviews of a file and write the predictions to another file; stopped jobs can be resumed.

Each finished chunk is a file in `OUTPUT.partial/`, named after its rows. A resumed job continues after the last chunk.
job.json in that directory records the input and the model; a job with another input or model cannot resume it. The
output appears only when it is complete.
"""

import logging
import re
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from sentiment.batch.distributed import predict_distributed
from sentiment.batch.readers import Chunk, check_readable, columns_of, read_chunks, total_size
from sentiment.batch.writers import WRITABLE, added_names, join_files, write_rows
from sentiment.errors import InputError
from sentiment.inference.base import Prediction, Predictor
from sentiment.io.files import atomic_file, fingerprint, lock_directory, read_json, remove_leftovers, write_json
from sentiment.io.signals import Stopped, catch_signals, stop_requested

logger = logging.getLogger(__name__)

ADDED = tuple(Prediction.__dataclass_fields__)
_PART = re.compile(r"rows-(\d{12})-(\d{12})-(\d{12})")


@dataclass(frozen=True)
class Outcome:
    """Result of a job."""

    predicted: int
    """Number of rows in the output."""
    skipped: int
    """Number of rows of the input that could not be read, so they are not in the output."""


def predict_file(
    classifier: Predictor,
    source: Path,
    output: Path,
    *,
    text_column: str = "text",
    skip_bad_rows: bool = False,
    resume: bool = False,
) -> Outcome:
    """Predict all reviews of a file; the output has the same rows and columns, plus the predictions.

    The fields of `Prediction` are the last columns. If the input already has a column of that name, the new column is
    called `predicted_...`.

    Args:
        classifier: the model.
        source: .txt (one review per line), .csv, .jsonl or .parquet.
        output: .csv, .jsonl or .parquet; an existing file is replaced when the new one is complete.
        text_column: column of the review.
        skip_bad_rows: skip rows that cannot be read, instead of stopping at the first.
        resume: continue a stopped job after its last finished chunk.

    Raises:
        InputError: if a file cannot be used, a row cannot be read, or there is an unfinished job that is not resumed or
            is another job.
        RunError: if the output cannot be written.
        Stopped: after SIGINT or SIGTERM, with the finished chunks kept.
    """
    check_readable(source)
    suffix = output.suffix.lower()
    if suffix not in WRITABLE:
        raise InputError(f"{output}: the output must end in {', '.join(WRITABLE)}.")
    if output.is_dir():
        raise InputError(f"{output}: is a directory; choose another output.")
    if source.resolve() == output.resolve():
        raise InputError(f"{output}: is also the input; choose another output.")
    # the first chunk is read before anything is written, so that a wrong column or file format leaves no files behind
    first = next(read_chunks(source, text_column), None)
    if first is None:
        raise InputError(f"{source}: it contains no reviews.")
    directory = output.with_name(f"{output.name}.partial")
    if directory.exists() and not resume:
        raise InputError(f"{directory}: an unfinished job; add --resume to continue it, or delete this directory.")
    names = added_names(columns_of(first.rows), ADDED)
    with lock_directory(directory), catch_signals():
        remove_leftovers(directory)
        _check_job(directory / "job.json", source, text_column, classifier)
        try:
            _predict_parts(classifier, source, directory, suffix, text_column, skip_bad_rows, names)
        except InputError:
            if not _parts(directory):
                shutil.rmtree(directory)
            raise
        outcome = _outcome(directory)
        if outcome.predicted == 0:
            shutil.rmtree(directory)
            raise InputError(f"{source}: none of its {outcome.skipped} rows can be read.")
        with atomic_file(output) as temporary:
            join_files([part for part in _parts(directory) if part.stat().st_size], suffix, temporary)
        shutil.rmtree(directory)
    return outcome


def _check_job(file: Path, source: Path, text_column: str, classifier: Predictor) -> None:
    """Write job.json, or check that an existing one describes the same job."""
    job = {"input": fingerprint(source)["sha256"], "text_column": text_column, "model": classifier.digest()}
    if not file.is_file():
        write_json(file, job)
        return
    previous = read_json(file)
    for name, value in job.items():
        if previous.get(name) != value:
            raise InputError(
                f"{file.parent}: was started with another {name} ({previous.get(name)}, now {value}); "
                "delete this directory to start again."
            )


def _predict_parts(
    classifier: Predictor,
    source: Path,
    directory: Path,
    suffix: str,
    text_column: str,
    skip_bad_rows: bool,
    names: dict[str, str],
) -> None:
    parts = _parts(directory)
    row = _numbers(parts[-1])[1] if parts else 0
    template = next((part for part in parts if part.stat().st_size), None)
    unit = "row" if source.suffix.lower() == ".parquet" else "B"
    with tqdm(total=total_size(source), unit=unit, unit_scale=True, desc="predict", mininterval=1) as bar:
        for chunk in read_chunks(source, text_column, row):
            if chunk.problems and not skip_bad_rows:
                raise InputError(
                    f"{source}: {chunk.problems[0]}. Correct it, or skip such rows with --on-bad-row=skip"
                    f"{' --resume' if _parts(directory) else ''}."
                )
            for problem in chunk.problems:
                logger.warning("%s: skipped: %s", source, problem)
            part = directory / f"rows-{row:012d}-{row + chunk.rows_read:012d}-{len(chunk.problems):012d}{suffix}"
            try:
                _predict_part(classifier, chunk, part, suffix, names, template)
            except InputError as error:
                raise InputError(f"{source}: {error}") from error
            except Stopped as stopped:
                raise _stopped(stopped.signal_number, row, directory) from None
            template = template or (part if chunk.texts else None)
            row += chunk.rows_read
            bar.update(chunk.position - bar.n)
            bar.set_postfix(reviews=row, refresh=False)
            if (number := stop_requested()) is not None:
                raise _stopped(number, row, directory)


def _stopped(number: int, row: int, directory: Path) -> Stopped:
    name = signal.Signals(number).name
    message = f"stopped by {name} after {row} rows; their predictions are in {directory}"
    return Stopped(number, f"{message}. Go on with the same command and --resume.")


def _predict_part(
    classifier: Predictor, chunk: Chunk, part: Path, suffix: str, names: dict[str, str], template: Path | None
) -> None:
    if conflicts := set(names.values()) & set(columns_of(chunk.rows)):
        raise InputError(
            f"column {conflicts.pop()!r} is missing in the first rows, so a prediction got its name; rename it."
        )
    predictions = [prediction.to_dict() for prediction in predict_distributed(classifier, chunk.texts)]
    added: dict[str, list[Any]] = {name: [row[field] for row in predictions] for field, name in names.items()}
    with atomic_file(part) as temporary:
        if chunk.texts:
            write_rows(temporary, suffix, chunk.rows, added, template)


def _parts(directory: Path) -> list[Path]:
    """Files of the finished chunks, in the order of their rows."""
    return sorted(file for file in directory.iterdir() if _PART.fullmatch(file.stem))


def _numbers(part: Path) -> tuple[int, int, int]:
    """First row, row after the last row, and number of skipped rows of a finished chunk."""
    match = _PART.fullmatch(part.stem)
    assert match is not None
    return int(match[1]), int(match[2]), int(match[3])


def _outcome(directory: Path) -> Outcome:
    numbers = [_numbers(part) for part in _parts(directory)]
    skipped = sum(broken for _, _, broken in numbers)
    return Outcome(sum(end - start for start, end, _ in numbers) - skipped, skipped)
