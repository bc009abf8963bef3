"""The training loop, one for every kind of training: supervised, language model, distillation.

Notable:
- what is learnt is an `Objective`; how it is learnt (steps, rates, averaging, saving, resuming, stopping) is here;
- the random numbers of a step follow from (seed, step, process), and the order of an epoch from (seed, epoch), so a
  resumed run equals an uninterrupted one bit for bit;
- accelerate chooses the device, autocasts to bf16 and joins processes.
"""

import json
import math
import platform
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
import yaml
from accelerate import Accelerator
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from sentiment.config import OptimisationConfig, RunConfig
from sentiment.errors import InputError, RunError
from sentiment.files import write_json, write_text
from sentiment.state import Progress, load_newest_state, save_state


class Objective(Protocol):
    """What a run learns. A batch is known by its number in the epoch."""

    metric: str
    """Validation figure that chooses the best epoch."""
    higher_is_better: bool

    def start_epoch(self, epoch: int) -> Sequence[int]:
        """Order the epoch's batches and return the tokens of each."""

    def loss(self, model: nn.Module, batch: int) -> Tensor:
        """Mean loss of one batch, with gradient."""

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Figures of the validation part, `metric` among them."""

    def layers(self, model: nn.Module) -> list[nn.Module]:
        """The network's parts from bottom to top, for rates by depth."""

    def carried(self) -> dict[str, Tensor]:
        """Tensors that pass from batch to batch and belong to a saved state."""

    def carry(self, tensors: dict[str, Tensor]) -> None:
        """Take back what `carried` gave."""


class Stopped(Exception):  # noqa: N818  # not an error: the person asked for it
    """A run stopped by a signal, its state saved."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        self.exit_code = 128 + signal_number


class StopRequest:
    """Remembers a SIGINT or SIGTERM until the loop reaches a good moment to stop; a second SIGINT stops at once."""

    def __init__(self) -> None:
        self.signal_number: int | None = None

    @contextmanager
    def listening(self) -> Iterator["StopRequest"]:
        """Handle both signals inside the block."""
        former = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        for number in former:
            signal.signal(number, self._remember)
        try:
            yield self
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)

    def _remember(self, number: int, frame: Any) -> None:
        self.signal_number = number
        signal.signal(signal.SIGINT, signal.SIG_DFL)


@dataclass(frozen=True)
class Hardware:
    """Where the run computes."""

    accelerator: Accelerator

    @classmethod
    def choose(cls, device: str, precision: str) -> "Hardware":
        """Resolve `auto`.

        Raises:
            InputError: if a GPU is demanded where there is none.
        """
        if device == "cuda" and not torch.cuda.is_available():
            raise InputError("run.device is cuda, but torch sees no GPU here; use --run.device=cpu or auto.")
        cpu = device == "cpu" or not torch.cuda.is_available()
        if precision == "auto":
            has_bf16 = torch.cpu.get_capabilities().get("avx512_bf16") if cpu else torch.cuda.is_bf16_supported()
            precision = "bf16" if has_bf16 else "fp32"
        return cls(Accelerator(cpu=cpu, mixed_precision="bf16" if precision == "bf16" else "no"))

    def __str__(self) -> str:
        device = self.accelerator.device
        name = torch.cuda.get_device_name(device) if device.type == "cuda" else f"{torch.get_num_threads()} threads"
        precision = "bf16" if self.accelerator.mixed_precision == "bf16" else "fp32"
        return f"{device.type} ({name}), {precision}, {self.accelerator.num_processes} process(es)"


def slanted_triangle(step: int, total_steps: int, warmup_fraction: float) -> float:
    """Share of the peak rate at a step: linear rise, linear fall to a hundredth (Howard & Ruder 2018, eq. 3)."""
    peak = max(1, int(total_steps * warmup_fraction))
    if step < peak:
        return (step + 1) / peak
    return 0.01 + 0.99 * max(0.0, (total_steps - step) / max(1, total_steps - peak))


class Trainer:
    """Runs an objective to its end, or on from its last saved state.

    Args:
        model: the network, on any device.
        objective: what it learns.
        optimisation: how.
        run: where, and how often its state is saved.
        hardware: device and precision.
        keep_best: called with the network and its figures whenever validation gives the best figure so far.
    """

    def __init__(
        self,
        model: nn.Module,
        objective: Objective,
        optimisation: OptimisationConfig,
        run: RunConfig,
        hardware: Hardware,
        keep_best: Callable[[nn.Module, dict[str, Any]], None],
    ) -> None:
        self.objective, self.optimisation, self.run = objective, optimisation, run
        self.accelerator, self.keep_best = hardware.accelerator, keep_best
        self.directory = Path(run.output_dir)
        self.progress = Progress()
        groups = [
            {"params": list(layer.parameters()), "peak": optimisation.learning_rate * optimisation.layer_decay**depth}
            for depth, layer in enumerate(reversed(objective.layers(model)))
        ]
        optimiser = torch.optim.AdamW(
            groups, lr=optimisation.learning_rate, weight_decay=optimisation.weight_decay, fused=True
        )
        self.plain_model = model
        self.averaged = (
            AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(optimisation.ema_decay))
            if optimisation.ema_decay
            else None
        )
        self.model, self.optimiser = self.accelerator.prepare(model, optimiser)

    def fit(self, resume: bool) -> list[dict[str, Any]]:
        """Train all epochs.

        Returns:
            The history: one row per epoch.

        Raises:
            Stopped: after SIGINT or SIGTERM, with the state saved.
            RunError: for a loss that is not finite, or a full disk.
            InputError: for a run directory that holds a run already, unless it is resumed.
        """
        carried = self._open_directory(resume)
        sizes = [len(self.objective.start_epoch(epoch)) for epoch in range(self.optimisation.epochs)]
        total_steps = sum(sizes)
        saved_at = time.monotonic()
        with StopRequest().listening() as stop:
            while self.progress.epoch < self.optimisation.epochs:
                tokens = self.objective.start_epoch(self.progress.epoch)
                self.objective.carry(carried)
                carried = {}
                with self._bar(tokens) as bar:
                    for batch in range(self.progress.batch, len(tokens)):
                        started = time.monotonic()
                        loss = self._step(batch, total_steps)
                        progress = self.progress
                        progress.step += 1
                        progress.batch += 1
                        progress.loss_sum += loss
                        progress.tokens += tokens[batch]
                        progress.seconds += time.monotonic() - started
                        bar.update(tokens[batch])
                        bar.set_postfix(loss=f"{progress.loss_sum / progress.batch:.4f}", refresh=False)
                        if stop.signal_number is not None or self._save_is_due(saved_at):
                            self._save()
                            saved_at = time.monotonic()
                        if stop.signal_number is not None:
                            raise Stopped(stop.signal_number)
                self._finish_epoch()
                self._save()
                saved_at = time.monotonic()
        return self.progress.history

    def _bar(self, tokens: Sequence[int]) -> "tqdm[Any]":
        description = f"epoch {self.progress.epoch + 1}/{self.optimisation.epochs}"
        done = sum(tokens[: self.progress.batch])
        hidden = not self.accelerator.is_main_process
        return tqdm(
            total=sum(tokens), initial=done, unit="tok", unit_scale=True, desc=description, disable=hidden, mininterval=1
        )

    def _step(self, batch: int, total_steps: int) -> float:
        """One optimiser step; returns the batch's mean loss."""
        step, config = self.progress.step, self.optimisation
        share = slanted_triangle(step, total_steps, config.warmup_fraction) if config.schedule == "triangular" else 1.0
        for group in self.optimiser.param_groups:
            group["lr"] = group["peak"] * share
        seeds = np.random.SeedSequence([self.run.seed, step, self.accelerator.process_index])
        torch.manual_seed(int(seeds.generate_state(1, np.uint64)[0] >> 1))
        self.model.train()
        loss = self.objective.loss(self.model, batch)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise RunError(
                f"the loss is {value} at step {step} (epoch {self.progress.epoch + 1}, batch {batch}); the last saved "
                "state is untouched. Lower optimisation.learning_rate, or look at that batch."
            )
        self.accelerator.backward(loss)
        self.accelerator.clip_grad_norm_(self.model.parameters(), config.gradient_clip)
        self.optimiser.step()
        self.optimiser.zero_grad()
        if self.averaged is not None:
            self.averaged.update_parameters(self.plain_model)
        return value

    def _finish_epoch(self) -> None:
        """Validate, keep the network if it is the best so far, add a row to the history."""
        progress, objective = self.progress, self.objective
        judged = self.plain_model if self.averaged is None else self.averaged.module
        judged.eval()
        with self.accelerator.autocast():
            metrics = objective.validate(judged)
        figure = metrics[objective.metric]
        better = progress.best is None or (figure > progress.best if objective.higher_is_better else figure < progress.best)
        row = {
            "epoch": progress.epoch + 1,
            "step": progress.step,
            "train_loss": progress.loss_sum / max(1, progress.batch),
            "tokens_per_second": progress.tokens / max(progress.seconds, 1e-9),
            "seconds": progress.seconds,
            **metrics,
            "best": better,
        }
        progress.history.append(row)
        if better:
            progress.best = figure
            if self.accelerator.is_main_process:
                self.keep_best(judged, metrics)
        progress.epoch, progress.batch, progress.loss_sum, progress.tokens, progress.seconds = progress.epoch + 1, 0, 0.0, 0, 0.0
        if self.accelerator.is_main_process:
            lines = "".join(json.dumps(line) + "\n" for line in progress.history)
            write_text(self.directory / "history.jsonl", lines)
            tqdm.write(_table_row(row, header=len(progress.history) == 1))

    def _open_directory(self, resume: bool) -> dict[str, Tensor]:
        """Take up the last saved state, if there is one; returns the tensors that the objective carries."""
        state = load_newest_state(self.directory / "state")
        if state is None:
            if resume:
                tqdm.write(f"{self.directory}: no saved state yet; starting from the beginning.")
            return {}
        if not resume:
            raise InputError(
                f"{self.directory}: holds a run already; add --resume to go on with it, or choose another run.output_dir."
            )
        self.progress, tensors, complaints = state
        for complaint in complaints:
            tqdm.write(complaint)
        tqdm.write(f"resumed at step {self.progress.step} (epoch {self.progress.epoch + 1}).")
        return self._load_tensors(tensors)

    def _save_is_due(self, saved_at: float) -> bool:
        every = self.run.state_every_steps
        if every and self.progress.step % every == 0:
            return True
        return time.monotonic() - saved_at > 60 * self.run.state_every_minutes

    def _save(self) -> None:
        if self.accelerator.is_main_process:
            save_state(self.directory / "state", self.progress, self._tensors())
        self.accelerator.wait_for_everyone()

    def _tensors(self) -> dict[str, Tensor]:
        tensors = {f"model.{name}": tensor for name, tensor in self.plain_model.state_dict().items()}
        for index, values in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{index}.{name}": tensor for name, tensor in values.items()}
        if self.averaged is not None:
            tensors |= {f"averaged.{name}": tensor for name, tensor in self.averaged.state_dict().items()}
        return tensors | {f"carried.{name}": tensor for name, tensor in self.objective.carried().items()}

    def _load_tensors(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        parts: dict[str, dict[str, Tensor]] = {"model": {}, "optimiser": {}, "averaged": {}, "carried": {}}
        for name, tensor in tensors.items():
            part, _, rest = name.partition(".")
            parts[part][rest] = tensor
        try:
            self.plain_model.load_state_dict(parts["model"])
            if self.averaged is not None:
                self.averaged.load_state_dict(parts["averaged"])
        except RuntimeError as error:
            raise InputError(f"{self.directory}: the saved state is of another network; {error}") from error
        optimiser = self.optimiser.state_dict()
        optimiser["state"] = {}
        for name, tensor in parts["optimiser"].items():
            index, _, key = name.partition(".")
            optimiser["state"].setdefault(int(index), {})[key] = tensor
        self.optimiser.load_state_dict(optimiser)
        return parts["carried"]


def _table_row(row: dict[str, Any], header: bool) -> str:
    """A history row as a line of the table of epochs, under its header when it is the first."""
    shown = {name: f"{value:.4f}" if isinstance(value, float) else str(value) for name, value in row.items()}
    shown["tokens_per_second"], shown["seconds"] = f"{row['tokens_per_second']:.0f}", f"{row['seconds']:.0f}"
    widths = {name: max(len(name), 8) for name in shown}
    line = "  ".join(f"{value:>{widths[name]}}" for name, value in shown.items())
    return ("  ".join(f"{name:>{widths[name]}}" for name in shown) + "\n" + line) if header else line


def open_run(config: Any, hardware: Hardware) -> Path:
    """Say where the run computes, and record its settings and versions in its directory.

    Raises:
        RunError: if the directory cannot be written.
    """
    directory = Path(config.run.output_dir)
    if hardware.accelerator.is_main_process:
        tqdm.write(f"training on {hardware}; run directory {directory}")
        write_text(directory / "config.yaml", yaml.safe_dump(json.loads(json.dumps(asdict(config))), sort_keys=False))
        versions = {name: version(name) for name in ("torch", "torchtext", "datasets", "scikit-learn", "numpy", "accelerate")}
        machine = {"python": platform.python_version(), "machine": platform.machine(), "hardware": str(hardware)}
        write_json(directory / "versions.json", machine | versions)
    return directory
