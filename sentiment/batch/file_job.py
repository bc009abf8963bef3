"""Long jobs on files: every review of one file predicted into another, which appears when it is whole.

Each finished chunk is a small file in `OUTPUT.partial/`, named after the rows it answers, so a killed job goes on after
the last of them. job.json there says what the job is; a job on other input or another model does not take it up.
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
    """What became of a job."""

    predicted: int
    """Rows in the output."""
    skipped: int
    """Broken rows of the input that the output lacks."""


def predict_file(
    classifier: Predictor,
    source: Path,
    output: Path,
    *,
    text_column: str = "text",
    skip_bad_rows: bool = False,
    resume: bool = False,
) -> Outcome:
    """Predict a file of reviews into another; order and all other columns are kept.

    The fields of `Prediction` come last as columns; where the input has
    one of these names already, ours is called `predicted_...`.

    Args:
        classifier: the model.
        source: .txt (one review a line), .csv, .jsonl or .parquet.
        output: .csv, .jsonl or .parquet; a former file stays until the new one is whole.
        text_column: column that holds the review.
        skip_bad_rows: go on past rows that cannot be read, in place of stopping at the first.
        resume: go on after the last finished chunk of a job that was stopped.

    Raises:
        InputError: for files that cannot be used, a broken row, or an unfinished job of another kind.
        RunError: if the output cannot be written.
        Stopped: after SIGINT or SIGTERM, with the finished chunks kept.
    """
    check_readable(source)
    suffix = output.suffix.lower()
    if suffix not in WRITABLE:
        raise InputError(f"{output}: give an output that ends in {', '.join(WRITABLE)}.")
    if output.is_dir():
        raise InputError(f"{output}: is a directory; choose another output.")
    if source.resolve() == output.resolve():
        raise InputError(f"{output}: is the input itself; choose another output.")
    # the first chunk is read before anything is written: a wrong column or kind of file leaves nothing behind
    first = next(read_chunks(source, text_column), None)
    if first is None:
        raise InputError(f"{source}: no reviews in it.")
    directory = output.with_name(f"{output.name}.partial")
    if directory.exists() and not resume:
        raise InputError(f"{directory}: an unfinished job; add --resume to go on with it, or delete that directory.")
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
    """Record what the job is, or compare with the record."""
    job = {"input": fingerprint(source)["sha256"], "text_column": text_column, "model": classifier.digest()}
    if not file.is_file():
        write_json(file, job)
        return
    former = read_json(file)
    for name, value in job.items():
        if former.get(name) != value:
            raise InputError(
                f"{file.parent}: was begun with another {name} ({former.get(name)}, now {value}); "
                "delete that directory to begin anew."
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
    like = next((part for part in parts if part.stat().st_size), None)
    unit = "row" if source.suffix.lower() == ".parquet" else "B"
    with tqdm(total=total_size(source), unit=unit, unit_scale=True, desc="predict", mininterval=1) as bar:
        for chunk in read_chunks(source, text_column, row):
            if chunk.problems and not skip_bad_rows:
                raise InputError(
                    f"{source}: {chunk.problems[0]}. Repair it, or skip such rows with --on-bad-row=skip"
                    f"{' --resume' if _parts(directory) else ''}."
                )
            for problem in chunk.problems:
                logger.warning("%s: skipped: %s", source, problem)
            part = directory / f"rows-{row:012d}-{row + chunk.rows_read:012d}-{len(chunk.problems):012d}{suffix}"
            try:
                _predict_part(classifier, chunk, part, suffix, names, like)
            except InputError as error:
                raise InputError(f"{source}: {error}") from error
            except Stopped as stopped:
                raise _stopped(stopped.signal_number, row, directory) from None
            like = like or (part if chunk.texts else None)
            row += chunk.rows_read
            bar.update(chunk.position - bar.n)
            bar.set_postfix(reviews=row, refresh=False)
            if (number := stop_requested()) is not None:
                raise _stopped(number, row, directory)


def _stopped(number: int, row: int, directory: Path) -> Stopped:
    name = signal.Signals(number).name
    kept = f"stopped by {name} after {row} rows, which are kept in {directory}"
    return Stopped(number, f"{kept}; go on with the same command and --resume.")


def _predict_part(
    classifier: Predictor, chunk: Chunk, part: Path, suffix: str, names: dict[str, str], like: Path | None
) -> None:
    if taken := set(names.values()) & set(columns_of(chunk.rows)):
        raise InputError(f"column {taken.pop()!r} occurs first after the first rows, and the output needs that name.")
    answers = [prediction.to_dict() for prediction in predict_distributed(classifier, chunk.texts)]
    added: dict[str, list[Any]] = {name: [answer[field] for answer in answers] for field, name in names.items()}
    with atomic_file(part) as temporary:
        if chunk.texts:
            write_rows(temporary, suffix, chunk.rows, added, like)


def _parts(directory: Path) -> list[Path]:
    """Finished chunks, first rows first."""
    return sorted(file for file in directory.iterdir() if _PART.fullmatch(file.stem))


def _numbers(part: Path) -> tuple[int, int, int]:
    """First row, row after the last, and broken rows of a part."""
    match = _PART.fullmatch(part.stem)
    assert match is not None
    return int(match[1]), int(match[2]), int(match[3])


def _outcome(directory: Path) -> Outcome:
    numbers = [_numbers(part) for part in _parts(directory)]
    skipped = sum(broken for _, _, broken in numbers)
    return Outcome(sum(end - start for start, end, _ in numbers) - skipped, skipped)
