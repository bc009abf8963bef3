"""The directory of a run: one process at work in it, its settings and versions on record, its states taken up."""

import json
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml
from tqdm import tqdm

from sentiment.config import AnyConfig, load_config
from sentiment.errors import InputError
from sentiment.files import clear_leftovers, locked, write_json, write_text
from sentiment.hardware import Hardware

PACKAGES = ("torch", "torchtext", "datasets", "scikit-learn", "numpy", "accelerate")
FREE = {f"run.{name}" for name in ("output_dir", "device", "state_every_minutes", "state_every_steps")} | {
    "run.skip_nonfinite_batches"
}
"""Settings that a resumed run may change: none of them decides what is learnt."""


def say(message: str) -> None:
    """A message for the person at the terminal, beside the progress bar."""
    tqdm.write(message, file=sys.stderr)


@contextmanager
def open_run(config: AnyConfig, hardware: Hardware, resume: bool) -> Iterator[Path]:
    """Hold the run's directory for the length of the block; say where the run computes, record how it is set.

    Raises:
        InputError: if another process holds it, if it holds a run and that is not to be resumed, or if that run has
            other settings.
        RunError: if it cannot be written.
    """
    directory = Path(config.run.output_dir)
    is_main = hardware.accelerator.is_main_process
    with locked(directory) if is_main else nullcontext():
        if is_main:
            for place in (directory, directory / "state"):
                clear_leftovers(place)
            _check_former(config, directory, resume)
            say(f"training on {hardware}; run directory {directory}")
            write_text(directory / "config.yaml", yaml.safe_dump(_plain(config), sort_keys=False))
            machine = {"python": platform.python_version(), "machine": platform.machine(), "hardware": str(hardware)}
            write_json(directory / "versions.json", machine | {name: version(name) for name in PACKAGES})
        hardware.accelerator.wait_for_everyone()
        yield directory


def _check_former(config: AnyConfig, directory: Path, resume: bool) -> None:
    if not any((directory / "state").glob("step-*")):
        if resume:
            say(f"{directory}: no saved state yet; starting from the beginning.")
        return
    if not resume:
        raise InputError(
            f"{directory}: holds a run already; add --resume to go on with it, or choose another run.output_dir."
        )
    former = _flat(_plain(load_config(type(config), directory / "config.yaml")))
    now = _flat(_plain(config))
    changed = [
        f"{name}={former[name]}, now {now[name]}" for name in now if name not in FREE and former[name] != now[name]
    ]
    if changed:
        raise InputError(
            f"{directory}: was begun with {'; '.join(changed)}. Resume with the former settings, or choose another "
            "run.output_dir."
        )


def _plain(config: AnyConfig) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(asdict(config)))
    return plain


def _flat(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """{"run": {"seed": 1}} → {"run.seed": 1}."""
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return flat
