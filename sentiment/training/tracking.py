"""Trackers, which draw the curves of a run: TensorBoard, Trackio, MLflow and W&B, through accelerate.

What they write is in the run directory, below `tracking`, unless their own environment variables name another place.
Only W&B sends anything elsewhere, which is what it is for.
`tracking/record.json` holds what was sent: a resumed run computes some steps again, but sends them once.
"""

import importlib
import logging
import os
import shutil
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentiment.errors import InputError, RunError
from sentiment.io.files import read_json, write_json

if TYPE_CHECKING:
    from accelerate import Accelerator

logger = logging.getLogger(__name__)

PROJECT = "sentiment"
"""The project, or experiment, to which trackers assign all runs."""


def check_trackers(trackers: Sequence[str]) -> None:
    """Check that the packages of the trackers are installed.

    Raises:
        InputError: if one is missing.
    """
    if not trackers:
        return
    from accelerate.tracking import get_available_trackers

    available = {str(name) for name in get_available_trackers()}
    if missing := [name for name in trackers if name not in available]:
        raise InputError(
            f"run.trackers needs {' and '.join(missing)}, not installed here; install with: pip install "
            f"{' '.join(missing)}"
        )


@contextmanager
def tracking(accelerator: "Accelerator", directory: Path, settings: Mapping[str, Any], resumed: bool) -> Iterator[None]:
    """Context manager in which the accelerator's trackers are open; only the main process opens them.

    Args:
        accelerator: knows the trackers (`log_with`).
        directory: the run directory.
        settings: the settings of the run, by dotted name.
        resumed: whether the run goes on, and so do its curves.

    Raises:
        RunError: if a tracker cannot start.
    """
    if not accelerator.is_main_process:
        yield
        return
    place = directory.resolve() / "tracking"
    if not resumed:  # what a run left that ended before its first state
        shutil.rmtree(place, ignore_errors=True)
    if not accelerator.log_with:
        yield
        return
    place.mkdir(parents=True, exist_ok=True)
    accelerator.project_configuration.logging_dir = str(place)
    with _local(place):
        _start(accelerator, directory, place, settings)
        try:
            yield
        finally:
            _finish(accelerator)


def log_figures(accelerator: "Accelerator", directory: Path, kind: str, step: int, figures: Mapping[str, Any]) -> None:
    """Send figures to the open trackers, unless they were sent before the run was resumed.

    Args:
        accelerator: has the trackers.
        directory: the run directory.
        kind: group of the figures, which stands before their names: "train" or "epoch".
        step: optimizer steps taken.
        figures: numbers by name.
    """
    if not accelerator.trackers:
        return
    file = directory / "tracking" / "record.json"
    record = read_json(file)
    if step <= record["steps"].get(kind, 0):
        return
    try:
        accelerator.log({f"{kind}/{name}": float(value) for name, value in figures.items()}, step)
    except Exception as error:  # whatever a tracker raises, the training is worth more than its curves
        logger.warning(f"{_names(accelerator)} failed at step {step}, so the curves end here: {_one_line(error)}")
        _finish(accelerator)
        return
    record["steps"][kind] = step
    write_json(file, record)


def _start(accelerator: "Accelerator", directory: Path, place: Path, settings: Mapping[str, Any]) -> None:
    file = place / "record.json"
    record = read_json(file) if file.is_file() else {"id": uuid.uuid4().hex, "mlflow": None, "started": [], "steps": {}}
    name, started = str(directory), record["started"]
    init: dict[str, dict[str, Any]] = {
        "wandb": {"name": name, "id": record["id"], "resume": "allow"},
        "mlflow": {"run_name": name, "run_id": record["mlflow"]},
        "trackio": {"name": name, "resume": "allow" if "trackio" in started else "never"},
    }
    if os.environ["MLFLOW_TRACKING_URI"] == _mlflow_store(place):
        init["mlflow"]["logging_dir"] = (place / "mlruns").as_uri()
    try:
        with redirect_stdout(sys.stderr):
            accelerator.init_trackers(PROJECT, init_kwargs=init)
            for tracker in accelerator.trackers:
                if tracker.name not in started:
                    tracker.store_init_configuration({name: _plain(value) for name, value in settings.items()})
    except Exception as error:  # each tracker has errors of its own
        for tracker in accelerator.trackers:  # also those that did not start, and cannot be closed
            with suppress(Exception):
                tracker.finish()
        accelerator.trackers.clear()
        names = _names(accelerator)
        hint = " (without an account, set WANDB_MODE=offline)" if "wandb" in names else ""
        raise RunError(f"run.trackers: cannot start {names}{hint}: {_one_line(error)}") from error
    for tracker in accelerator.trackers:
        if tracker.name == "mlflow":
            record["mlflow"] = tracker.tracker.info.run_id
    record["started"] = sorted({*started, *(tracker.name for tracker in accelerator.trackers)})
    write_json(file, record)


def _finish(accelerator: "Accelerator") -> None:
    """Close the trackers; not by `end_training`, which would end the other processes' group for the next run, too."""
    for tracker in accelerator.trackers:
        try:
            with redirect_stdout(sys.stderr):
                if tracker.name == "trackio":  # its tracker leaves the run to be finished again when Python ends
                    importlib.import_module("trackio").finish()
                else:
                    tracker.finish()
        except Exception as error:
            logger.warning(f"{tracker.name} failed at its end: {_one_line(error)}")
    accelerator.trackers.clear()


@contextmanager
def _local(place: Path) -> Iterator[None]:
    """Context manager in which the trackers write to `place` only, where the environment says nothing else."""
    local = {
        "MLFLOW_DISABLE_TELEMETRY": "true",  # it would report its use to its makers
        "MLFLOW_TRACKING_URI": _mlflow_store(place),
        "TRACKIO_DIR": str(place / "trackio"),
        "WANDB_DIR": str(place),
    }
    added = {name: value for name, value in local.items() if not os.environ.get(name)}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


def _mlflow_store(place: Path) -> str:
    return f"sqlite:///{place / 'mlflow.db'}"


def _names(accelerator: "Accelerator") -> str:
    return " or ".join(map(str, accelerator.log_with))


def _plain(value: Any) -> Any:
    return ", ".join(map(str, value)) if isinstance(value, list) else value


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
