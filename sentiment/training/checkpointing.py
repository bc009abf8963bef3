"""Training states: everything that a run needs to resume exactly where it stopped.

A state is a safetensors file (tensors, and the progress as JSON in its header) and a manifest with the file's size and
SHA-256. The last two states are kept: if one is damaged, the run resumes from the other.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from sentiment.errors import InputError
from sentiment.io.files import atomic_file, check_fingerprint, fingerprint, read_json, write_json

KEPT = 2
"""Number of states that are kept."""


@dataclass
class Progress:
    """How far a run has come.

    Random number generators are not saved: the random numbers of a step follow from (seed, step, process).
    """

    step: int = 0
    """Optimizer steps taken."""
    epoch: int = 0
    """Current epoch, from 0."""
    batch: int = 0
    """Batches finished in this epoch."""
    loss_sum: float = 0.0
    """Sum of this epoch's batch losses."""
    tokens: int = 0
    """Tokens trained on in this epoch."""
    seconds: float = 0.0
    """Training time of this epoch, without validation."""
    best: float | None = None
    """Best value of the validation metric so far."""
    history: list[dict[str, Any]] = field(default_factory=list)
    """One row per finished epoch."""
    skipped: int = 0
    """Batches of the run that were skipped because their loss or gradient was not finite."""
    skipped_in_epoch: int = 0
    """Batches skipped in this epoch."""
    parts: int = 1
    """Number of parts that a batch is split into; doubled whenever memory runs out."""

    def start_epoch(self, epoch: int) -> None:
        """Move to the first batch of an epoch."""
        self.epoch, self.batch, self.tokens, self.skipped_in_epoch = epoch, 0, 0, 0
        self.loss_sum, self.seconds = 0.0, 0.0


def save_state(directory: Path, progress: Progress, tensors: dict[str, Tensor]) -> None:
    """Write a state, then delete all but the last two.

    States of later steps are deleted, too. They are damaged: the run that writes this state skipped them.

    Raises:
        RunError: if the state cannot be written.
    """
    file = directory / f"step-{progress.step:09d}.safetensors"
    with atomic_file(file) as temporary:
        contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        save_file(contiguous, temporary, metadata={"progress": json.dumps(asdict(progress))})
        manifest = fingerprint(temporary)
    write_json(file.with_suffix(".json"), manifest)
    states = _states(directory)
    kept = [state for state in states if state <= file][:KEPT]
    for state in set(states) - set(kept):
        state.with_suffix(".json").unlink(missing_ok=True)
        state.unlink()


def load_latest_state(directory: Path) -> tuple[Progress, dict[str, Tensor], list[str]] | None:
    """The newest intact state, with a message for each damaged state that was skipped; None if there are no states.

    Raises:
        InputError: if states exist and all of them are damaged.
    """
    messages: list[str] = []
    for file in _states(directory):
        try:
            check_fingerprint(file, read_json(file.with_suffix(".json")))
            with safe_open(file, framework="pt") as tensors:
                progress = Progress(**json.loads(tensors.metadata()["progress"]))
                return progress, {name: tensors.get_tensor(name) for name in tensors.keys()}, messages  # noqa: SIM118
        except (InputError, SafetensorError, KeyError, TypeError, ValueError) as error:
            messages.append(f"{file.name} is damaged and was skipped ({error})")
    if messages:
        raise InputError(
            f"{directory}: no intact training state: {'; '.join(messages)}. Delete the directory to start again."
        )
    return None


def _states(directory: Path) -> list[Path]:
    """State files, newest first."""
    return sorted(directory.glob("step-*.safetensors"), reverse=True)


def training_tensors(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    averaged: AveragedModel | None,
    carried: Mapping[str, Tensor],
) -> dict[str, Tensor]:
    """All tensors of a training state in one flat dictionary; `restore_training` loads them again.

    Args:
        model: the network.
        optimizer: its optimizer.
        averaged: the averaged network, or None.
        carried: tensors that the objective carries from batch to batch (`Objective.carried`).
    """
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    for index, values in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": tensor for name, tensor in values.items()}
    if averaged is not None:
        tensors |= {f"averaged.{name}": tensor for name, tensor in averaged.state_dict().items()}
    return tensors | {f"carried.{name}": tensor for name, tensor in carried.items()}


def restore_training(
    tensors: Mapping[str, Tensor],
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    averaged: AveragedModel | None,
) -> dict[str, Tensor]:
    """Load the result of `training_tensors` into the same objects; returns the tensors for `Objective.carry`.

    Raises:
        RuntimeError, KeyError, ValueError, IndexError: if the tensors belong to another network.
    """
    parts: dict[str, dict[str, Tensor]] = {"model": {}, "optimizer": {}, "averaged": {}, "carried": {}}
    for name, tensor in tensors.items():
        part, _, rest = name.partition(".")
        parts["optimizer" if part == "optimiser" else part][rest] = tensor  # "optimiser": written by version 0.1
    model.load_state_dict(parts["model"])
    if averaged is not None:
        averaged.load_state_dict(parts["averaged"])
    _load_optimizer(optimizer, parts["optimizer"])
    return parts["carried"]


def _load_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    state = optimizer.state_dict()
    state["state"] = {}
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for name, tensor in tensors.items():
        index, _, key = name.partition(".")
        if tensor.dim() and tensor.shape != parameters[int(index)].shape:
            raise ValueError(f"optimizer.{name} has shape {list(tensor.shape)}")
        state["state"].setdefault(int(index), {})[key] = tensor
    optimizer.load_state_dict(state)
