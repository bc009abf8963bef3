"""The run directory: locked while a run uses it; holds the run's settings, versions, states and history."""

import json
import logging
import platform
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
import yaml
from tqdm import tqdm

from sentiment.config import AnyConfig
from sentiment.config_reader import load_config
from sentiment.errors import InputError
from sentiment.io.files import lock_directory, read_json, remove_leftovers, write_json, write_text
from sentiment.training.hardware import Hardware
from sentiment.training.threads import choose_threads
from sentiment.training.tracking import tracking

logger = logging.getLogger(__name__)

PACKAGES = ("torch", "torchtext", "datasets", "scikit-learn", "numpy", "accelerate")
CHANGEABLE = {f"run.{name}" for name in ("output_dir", "device", "state_every_minutes", "state_every_steps")} | {
    "run.skip_nonfinite_batches",
    "run.trackers",
}
"""Settings that may change when a run is resumed, because they do not affect what is learned."""


@contextmanager
def open_run(config: AnyConfig, hardware: Hardware, resume: bool) -> Iterator[Path]:
    """Context manager that locks the run directory, sets the threads, starts the trackers, and records the run.

    On record are its settings, the hardware and the versions of packages.

    Args:
        config: all settings.
        hardware: device and precision.
        resume: whether a run in the directory may be continued.

    Raises:
        InputError: if another process uses the directory, if it holds a run and `resume` is false, or if that run has
            other settings.
        RunError: if the directory cannot be written, or a tracker cannot start.
    """
    directory = Path(config.run.output_dir)
    is_main = hardware.accelerator.is_main_process
    with lock_directory(directory) if is_main else nullcontext():
        if is_main:
            for place in (directory, directory / "state"):
                remove_leftovers(place)
            _check_previous_run(config, directory, resume)
        with _threads(config, directory) as reason:
            if is_main:
                logger.info(f"training on {hardware} ({reason}), run directory {directory}")
                write_text(directory / "config.yaml", yaml.safe_dump(_plain(config), sort_keys=False))
                machine = {"python": platform.python_version(), "machine": platform.machine()}
                used = {"hardware": str(hardware), "threads": torch.get_num_threads()}
                write_json(directory / "versions.json", machine | used | {name: version(name) for name in PACKAGES})
            resumed = has_state(directory)
            with tracking(hardware.accelerator, directory, flat_settings(config), resumed):
                hardware.accelerator.wait_for_everyone()
                yield directory


def has_state(directory: Path) -> bool:
    """Whether the run directory has a saved state, of the run or of its parts."""
    return any((directory / "state").glob("*"))


@contextmanager
def _threads(config: AnyConfig, directory: Path) -> Iterator[str]:
    """Context manager in which torch has the threads of the run: those with which it began, if there is a state.

    Yields:
        Why it is this number.
    """
    threads, reason, before = None, "as when the run began", torch.get_num_threads()
    if has_state(directory):
        # version 0.1 recorded no number and left it to torch
        threads = read_json(directory / "versions.json").get("threads", before)
    if threads is None:
        threads, reason = choose_threads(config.run.threads)
    torch.set_num_threads(threads)
    try:
        yield reason
    finally:
        torch.set_num_threads(before)


def _check_previous_run(config: AnyConfig, directory: Path, resume: bool) -> None:
    if not has_state(directory):
        if resume:
            logger.info(f"{directory}: no saved state yet; starting from the beginning.")
        return
    if not resume:
        raise InputError(
            f"{directory}: already holds a run; add --resume to continue it, or choose another run.output_dir."
        )
    previous = flat_settings(load_config(type(config), directory / "config.yaml"))
    now = flat_settings(config)
    changed = [
        f"{name}={previous[name]}, now {now[name]}"
        for name in now
        if name not in CHANGEABLE and previous[name] != now[name]
    ]
    if changed:
        raise InputError(
            f"{directory}: was started with {'; '.join(changed)}. Resume with the same settings, or choose another "
            "run.output_dir."
        )


def _plain(config: AnyConfig) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(asdict(config)))
    return plain


def flat_settings(config: AnyConfig) -> dict[str, Any]:
    """All settings by their dotted names, as plain values: {"run.seed": 1, ...}."""
    return _flat(_plain(config))


def _flat(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """{"run": {"seed": 1}} → {"run.seed": 1}."""
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return flat


def record_epoch(directory: Path, history: list[dict[str, Any]], shown: bool = True) -> None:
    """Write history.jsonl and, if `shown`, print its last row.

    Raises:
        RunError: if the file cannot be written.
    """
    write_text(directory / "history.jsonl", "".join(json.dumps(row) + "\n" for row in history))
    if shown:
        tqdm.write(_table_row(history[-1], header=len(history) == 1))


def _table_row(row: dict[str, Any], header: bool) -> str:
    """A row of the history as a line of a table; the first row comes with the header."""
    shown = {name: f"{value:.4f}" if isinstance(value, float) else str(value) for name, value in row.items()}
    shown["tokens_per_second"], shown["seconds"] = f"{row['tokens_per_second']:.0f}", f"{row['seconds']:.0f}"
    widths = {name: max(len(name), 8) for name in shown}
    line = "  ".join(f"{value:>{widths[name]}}" for name, value in shown.items())
    return ("  ".join(f"{name:>{widths[name]}}" for name in shown) + "\n" + line) if header else line
