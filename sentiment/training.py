"""The training loop, one for every kind of training: supervised, language model, distillation.

Notable:
- what is learnt is an `Objective`; how it is learnt (steps, rates, averaging, saving, resuming, stopping) is here;
- the random numbers of a step follow from (seed, step, process), and the order of an epoch from (seed, epoch), so a
  resumed run equals an uninterrupted one bit for bit;
- a batch is divided by rows: among the processes, and further where memory runs out; gradients of the parts add up to
  the gradient of the whole; random masks are drawn anew for each process and part.
"""

import math
import signal
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from sentiment.config import OptimisationConfig, RunConfig
from sentiment.errors import InputError, RunError
from sentiment.hardware import Hardware
from sentiment.history import record_epoch
from sentiment.objective import Objective
from sentiment.run_directory import say
from sentiment.state import Progress, load_newest_state, save_state
from sentiment.stopping import Stopped, listening, requested


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
        hardware: device, precision and processes.
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
        self.objective, self.optimisation, self.run, self.hardware = objective, optimisation, run, hardware
        self.accelerator, self.keep_best = hardware.accelerator, keep_best
        self.directory = Path(run.output_dir)
        self.progress = Progress()
        self.saved_at, self.saving_seconds, self.states = time.monotonic(), 0.0, 0
        self.plain_model = model.to(self.accelerator.device)
        groups = [
            {"params": list(layer.parameters()), "peak": optimisation.learning_rate * optimisation.layer_decay**depth}
            for depth, layer in enumerate(reversed(objective.layers(model)))
        ]
        self.optimiser = torch.optim.AdamW(
            groups, lr=optimisation.learning_rate, weight_decay=optimisation.weight_decay, fused=True
        )
        self.averaged = (
            AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(optimisation.ema_decay))
            if optimisation.ema_decay
            else None
        )
        # evaluation_mode: autocast alone; gradients of the processes are added up here, after parts of a batch were
        self.model = self.accelerator.prepare_model(model, evaluation_mode=True)

    def fit(self) -> list[dict[str, Any]]:
        """Train all epochs, from the last saved state in the run's directory if there is one.

        Returns:
            The history: one row per epoch.

        Raises:
            Stopped: after SIGINT or SIGTERM, with the state saved.
            RunError: for a loss that is not finite, a batch that no memory holds, or a full disk.
        """
        carried = self._take_up_state()
        begun = time.monotonic()
        total_steps = sum(len(self.objective.start_epoch(epoch)) for epoch in range(self.optimisation.epochs))
        try:
            with listening():
                self._train_epochs(total_steps, carried)
        finally:
            self._say_cost_of_states(time.monotonic() - begun)
        return self.progress.history

    def _train_epochs(self, total_steps: int, carried: dict[str, Tensor]) -> None:
        while self.progress.epoch < self.optimisation.epochs:
            tokens = self.objective.start_epoch(self.progress.epoch)
            self.objective.carry(carried)
            carried = {}
            self._train_epoch(tokens, total_steps)
            self._save()  # a stop during validation then costs the validation alone
            self._finish_epoch()
            self._save()

    def _say_cost_of_states(self, seconds: float) -> None:
        if self.states and self.accelerator.is_main_process:
            each, share = 1000 * self.saving_seconds / self.states, self.saving_seconds / seconds
            say(f"{self.states} states saved, {each:.0f} ms each, {share:.2%} of the time.")

    def _train_epoch(self, tokens: Sequence[int], total_steps: int) -> None:
        """The rest of the epoch's batches."""
        progress = self.progress
        with tqdm(
            total=sum(tokens),
            initial=sum(tokens[: progress.batch]),
            unit="tok",
            unit_scale=True,
            desc=f"epoch {progress.epoch + 1}/{self.optimisation.epochs}",
            disable=not self.accelerator.is_main_process,
            mininterval=1,
        ) as bar:
            for batch in range(progress.batch, len(tokens)):
                started = time.monotonic()
                loss = self._gradient(batch, total_steps)
                loss, signal_number, save_is_due = self._agree(loss)
                self._step(loss)
                progress.step += 1
                progress.batch += 1
                progress.tokens += tokens[batch]
                progress.seconds += time.monotonic() - started
                bar.update(tokens[batch])
                bar.set_postfix(loss=f"{self._train_loss():.4f}", refresh=False)
                if signal_number or save_is_due:
                    self._save()
                if signal_number:
                    name = signal.Signals(signal_number).name
                    raise Stopped(
                        signal_number,
                        f"stopped by {name} at step {progress.step}; the state is saved in {self.directory / 'state'}. "
                        "Go on with the same command and --resume.",
                    )

    def _train_loss(self) -> float:
        """Mean loss of this epoch's batches so far, those without a finite loss left out."""
        return self.progress.loss_sum / max(1, self.progress.batch - self.progress.skipped_in_epoch)

    def _gradient(self, batch: int, total_steps: int) -> float:
        """Leave this process's share of the batch's gradient in the parameters; returns its share of the loss.

        Raises:
            RunError: if memory does not hold even a single row.
        """
        step, config = self.progress.step, self.optimisation
        share = slanted_triangle(step, total_steps, config.warmup_fraction) if config.schedule == "triangular" else 1.0
        joins = config.unfreeze_fraction * total_steps / max(1, len(self.optimiser.param_groups) - 1)
        for depth, group in enumerate(self.optimiser.param_groups):
            group["lr"] = group["peak"] * share if step >= depth * joins else 0.0
        rows = self.hardware.share(self.objective.size(batch))
        while True:
            try:
                return self._accumulate(batch, rows)
            except (MemoryError, RuntimeError) as error:
                if not _is_out_of_memory(error):
                    raise
                if self.progress.parts >= rows.stop - rows.start:
                    raise RunError(
                        f"out of memory at step {step} (epoch {self.progress.epoch + 1}, batch {batch}), even with one "
                        "row at a time; lower text.max_length, chunk_length or the sizes under model."
                    ) from error
            # outside of the handler, which keeps the failed tensors alive
            self.progress.parts *= 2
            torch.cuda.empty_cache()
            say(f"out of memory at step {step}: from now on a batch is computed in {self.progress.parts} parts.")

    def _accumulate(self, batch: int, rows: slice) -> float:
        """Forward and backward over the rows, in as many parts as memory has demanded so far."""
        seeds = np.random.SeedSequence([self.run.seed, self.progress.step, self.accelerator.process_index])
        torch.manual_seed(int(seeds.generate_state(1, np.uint64)[0] >> 1))
        self.model.train()
        self.optimiser.zero_grad()
        total, count = 0.0, rows.stop - rows.start
        bounds = [rows.start + count * part // self.progress.parts for part in range(self.progress.parts + 1)]
        for start, stop in pairwise(bounds):
            if start < stop:
                loss = self.objective.loss(self.model, batch, slice(start, stop))
                self.accelerator.backward(loss)
                total += float(loss.detach())
        return total

    def _agree(self, loss: float) -> tuple[float, int, bool]:
        """Add up gradients and losses of the processes.

        Returns:
            The batch's loss, the number of the signal that asks to stop or 0, and whether a state is to be saved;
            every process gets the same.
        """
        # by the clock of the main process: clocks of two differ
        due = self.accelerator.is_main_process and self._save_is_due()
        if self.accelerator.num_processes == 1:
            return loss, requested() or 0, due
        parameters = [parameter for group in self.optimiser.param_groups for parameter in group["params"]]
        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        wishes = [float(requested() == signal.SIGINT), float(requested() == signal.SIGTERM), float(due)]
        votes = torch.tensor([loss, *wishes], device=self.accelerator.device)
        self.hardware.add_up([*(parameter.grad for parameter in parameters), votes])
        loss, interrupted, terminated, due_somewhere = votes.tolist()
        signal_number = signal.SIGINT if interrupted else signal.SIGTERM if terminated else 0
        return loss, int(signal_number), due_somewhere > 0

    def _step(self, loss: float) -> None:
        """One optimiser step, unless loss or gradient are not finite.

        Raises:
            RunError: if more batches went wrong than run.skip_nonfinite_batches tolerates.
        """
        progress = self.progress
        norm = float(nn.utils.clip_grad_norm_(self.model.parameters(), self.optimisation.gradient_clip))
        if math.isfinite(loss) and math.isfinite(norm):
            self.optimiser.step()
            self.objective.commit()
            if self.averaged is not None:
                self.averaged.update_parameters(self.plain_model)
            progress.loss_sum += loss
            return
        where = f"step {progress.step} (epoch {progress.epoch + 1}, batch {progress.batch})"
        what = f"the loss is {loss}" if not math.isfinite(loss) else f"the gradient's norm is {norm}"
        if progress.skipped >= self.run.skip_nonfinite_batches:
            raise RunError(
                f"{what} at {where}; the weights and the last saved state are as they were before. Lower "
                "optimisation.learning_rate, look at that batch, or tolerate some with run.skip_nonfinite_batches."
            )
        progress.skipped += 1
        progress.skipped_in_epoch += 1
        if self.accelerator.is_main_process:
            say(f"{what} at {where}; that batch is left out.")

    def _finish_epoch(self) -> None:
        """Validate, keep the network if it is the best so far, add a row to the history."""
        progress, objective = self.progress, self.objective
        judged = self.plain_model if self.averaged is None else self.averaged.module
        judged.eval()
        try:
            with self.accelerator.autocast():
                metrics = objective.validate(judged)
        except Stopped as stopped:
            message = f"stopped while validating; the state is saved in {self.directory / 'state'}"
            raise Stopped(stopped.signal_number, f"{message}. Go on with the same command and --resume.") from None
        figure = metrics[objective.metric]
        sign = 1 if objective.higher_is_better else -1
        better = progress.best is None or bool(sign * figure > sign * progress.best)
        row = {
            "epoch": progress.epoch + 1,
            "step": progress.step,
            "train_loss": self._train_loss(),
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
        progress.start_epoch(progress.epoch + 1)
        if self.accelerator.is_main_process:
            record_epoch(self.directory, progress.history)

    def _save_is_due(self) -> bool:
        """Asked before the step's number is raised."""
        every = self.run.state_every_steps
        if every and (self.progress.step + 1) % every == 0:
            return True
        return time.monotonic() - self.saved_at > 60 * self.run.state_every_minutes

    def _save(self) -> None:
        started = time.monotonic()
        tensors = self._tensors()
        if self.accelerator.is_main_process:
            save_state(self.directory / "state", self.progress, tensors)
        self.accelerator.wait_for_everyone()
        self.saved_at = time.monotonic()
        self.saving_seconds += self.saved_at - started
        self.states += 1

    def _tensors(self) -> dict[str, Tensor]:
        tensors = {f"model.{name}": tensor for name, tensor in self.plain_model.state_dict().items()}
        for index, values in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{index}.{name}": tensor for name, tensor in values.items()}
        if self.averaged is not None:
            tensors |= {f"averaged.{name}": tensor for name, tensor in self.averaged.state_dict().items()}
        carried = {name: tensor.clone() for name, tensor in self.objective.carried().items()}
        self.hardware.add_up(list(carried.values()))
        return tensors | {f"carried.{name}": tensor for name, tensor in carried.items()}

    def _take_up_state(self) -> dict[str, Tensor]:
        """Go to the last saved state, if there is one; returns the tensors that the objective carries."""
        state = load_newest_state(self.directory / "state")
        if state is None:
            return {}
        self.progress, tensors, complaints = state
        if self.accelerator.is_main_process:
            for complaint in complaints:
                say(complaint)
            say(f"resumed at step {self.progress.step} (epoch {self.progress.epoch + 1}).")
        parts: dict[str, dict[str, Tensor]] = {"model": {}, "optimiser": {}, "averaged": {}, "carried": {}}
        try:
            for name, tensor in tensors.items():
                part, _, rest = name.partition(".")
                parts[part][rest] = tensor
            self.plain_model.load_state_dict(parts["model"])
            if self.averaged is not None:
                self.averaged.load_state_dict(parts["averaged"])
            self._load_optimiser(parts["optimiser"])
        except (RuntimeError, KeyError, ValueError, IndexError) as error:
            reason = " ".join(str(error).split())
            raise InputError(f"{self.directory}: the saved state is of another network: {reason}") from error
        return parts["carried"]

    def _load_optimiser(self, tensors: dict[str, Tensor]) -> None:
        optimiser = self.optimiser.state_dict()
        optimiser["state"] = {}
        parameters = [parameter for group in self.optimiser.param_groups for parameter in group["params"]]
        for name, tensor in tensors.items():
            index, _, key = name.partition(".")
            if tensor.dim() and tensor.shape != parameters[int(index)].shape:
                raise ValueError(f"optimiser.{name} has shape {list(tensor.shape)}")
            optimiser["state"].setdefault(int(index), {})[key] = tensor
        self.optimiser.load_state_dict(optimiser)


def _is_out_of_memory(error: BaseException) -> bool:
    # torch has an exception of its own for CUDA alone
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "DefaultCPUAllocator" in str(error)
