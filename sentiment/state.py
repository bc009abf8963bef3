"""Training states: everything a run needs to go on as if it had never stopped.

A state is one safetensors file (tensors, and the progress as JSON in its header) plus a manifest with the file's size
and SHA-256. The last two are kept, so that a damaged one costs minutes, not the run.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from sentiment.errors import InputError
from sentiment.files import check_fingerprint, fingerprint, read_json, replacing, write_json

KEPT = 2


@dataclass
class Progress:
    """How far a run has come; with the tensors, all that a resumed run needs.

    Random numbers need no state of their own: those of a step follow from (seed, step, process).
    """

    step: int = 0
    """Optimiser steps taken."""
    epoch: int = 0
    """Epoch under way, from 0."""
    batch: int = 0
    """Batches of this epoch already trained on."""
    loss_sum: float = 0.0
    """Sum of this epoch's batch losses."""
    tokens: int = 0
    """Tokens of this epoch already trained on."""
    seconds: float = 0.0
    """Training time of this epoch, validation left out."""
    best: float | None = None
    """Best validation figure so far."""
    history: list[dict[str, Any]] = field(default_factory=list)
    """One row per finished epoch."""
    skipped: int = 0
    """Batches of the run left out because their loss or gradient was not finite."""
    skipped_in_epoch: int = 0
    """Those of this epoch."""
    parts: int = 1
    """Parts in which a batch is computed; doubled whenever memory ran out."""

    def start_epoch(self, epoch: int) -> None:
        """Go to the first batch of an epoch."""
        self.epoch, self.batch, self.tokens, self.skipped_in_epoch = epoch, 0, 0, 0
        self.loss_sum, self.seconds = 0.0, 0.0


def save_state(directory: Path, progress: Progress, tensors: dict[str, Tensor]) -> None:
    """Write a state, then drop all but the last two.

    States of later steps are dropped too: they are damaged ones, which the run that writes this state passed over.

    Raises:
        RunError: if it cannot be written.
    """
    file = directory / f"step-{progress.step:09d}.safetensors"
    with replacing(file) as temporary:
        contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        save_file(contiguous, temporary, metadata={"progress": json.dumps(asdict(progress))})
        manifest = fingerprint(temporary)
    write_json(file.with_suffix(".json"), manifest)
    states = _states(directory)
    kept = [state for state in states if state <= file][:KEPT]
    for state in set(states) - set(kept):
        state.with_suffix(".json").unlink(missing_ok=True)
        state.unlink()


def load_newest_state(directory: Path) -> tuple[Progress, dict[str, Tensor], list[str]] | None:
    """The newest intact state, and a sentence for each damaged one that was passed over; None if there is none.

    Raises:
        InputError: if states exist and all of them are damaged.
    """
    complaints: list[str] = []
    for file in _states(directory):
        try:
            check_fingerprint(file, read_json(file.with_suffix(".json")))
            with safe_open(file, framework="pt") as tensors:
                progress = Progress(**json.loads(tensors.metadata()["progress"]))
                return progress, {name: tensors.get_tensor(name) for name in tensors.keys()}, complaints  # noqa: SIM118
        except (InputError, SafetensorError, KeyError, TypeError, ValueError) as error:
            complaints.append(f"{file.name} is damaged and was passed over ({error})")
    if complaints:
        raise InputError(
            f"{directory}: no intact training state: {'; '.join(complaints)}. Delete the directory to start again."
        )
    return None


def _states(directory: Path) -> list[Path]:
    """State files, newest first."""
    return sorted(directory.glob("step-*.safetensors"), reverse=True)
