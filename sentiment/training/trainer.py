"""The training loop for all kinds of training: language model, supervised, distillation.

- An `Objective` defines the batches, the loss and the validation metric. The rest is here: optimizer steps, learning
  rates, weight averaging, saving, resuming, stopping.
- The random numbers of a step follow from (seed, step, process), and the order of an epoch from (seed, epoch). So a
  resumed run is bit for bit equal to an uninterrupted one.
- The rows of a batch are shared among the processes, and split further if memory runs out. The gradients of the parts
  add up to the gradient of the batch; each process and part draws its own dropout masks.
"""

import copy
import logging
import math
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from sentiment.config import OptimizationConfig, RunConfig
from sentiment.errors import InputError, RunError
from sentiment.io.signals import Stopped, catch_signals, stop_requested
from sentiment.training.checkpointing import Progress, load_latest_state, restore_training, save_state, training_tensors
from sentiment.training.hardware import Hardware
from sentiment.training.memory import freed_memory_kept
from sentiment.training.objective import Objective
from sentiment.training.run import record_epoch
from sentiment.training.tracking import log_figures

logger = logging.getLogger(__name__)

TRACKED_STEPS = 10
"""Steps between two points of a curve."""


def slanted_triangle(step: int, total_steps: int, warmup_fraction: float) -> float:
    """Learning rate relative to its peak: linear rise, then linear fall to 0.01 (Howard & Ruder 2018, eq. 3)."""
    peak = max(1, int(total_steps * warmup_fraction))
    if step < peak:
        return (step + 1) / peak
    return 0.01 + 0.99 * max(0.0, (total_steps - step) / max(1, total_steps - peak))


def moving_average(decay: float) -> Callable[[Sequence[Tensor], Sequence[Tensor], Tensor | int], None]:
    """Updates an exponential moving average of weights: averaged weights, present weights, number of steps so far.

    The decay grows with the steps up to the given one. So a short run does not keep its random start.
    """

    def update(averaged: Sequence[Tensor], present: Sequence[Tensor], steps: Tensor | int) -> None:
        warm = (1 + float(steps)) / (10 + float(steps))
        get_ema_multi_avg_fn(min(decay, warm))(averaged, present, steps)

    return update


class Trainer:
    """Trains a network on an objective, from the start or from the last saved state.

    Args:
        model: the network, on any device.
        objective: batches, loss and validation metric.
        optimization: epochs, learning rate and other settings of the optimizer.
        run: run directory, seed, and how often to save the state.
        hardware: device, precision and processes.
        keep_best: called with the network and its metrics after each epoch with the best validation metric so far.
        part_of: bar of a larger work, in tokens, of which this run is a short part. It then shows no bars and rows of
            its own, and saves its state only by time and when it is stopped.
    """

    def __init__(
        self,
        model: nn.Module,
        objective: Objective,
        optimization: OptimizationConfig,
        run: RunConfig,
        hardware: Hardware,
        keep_best: Callable[[nn.Module, dict[str, Any]], None],
        part_of: Any = None,
    ) -> None:
        self.part_of = part_of
        self.objective, self.optimization, self.run, self.hardware = objective, optimization, run, hardware
        self.accelerator, self.keep_best = hardware.accelerator, keep_best
        self.directory = Path(run.output_dir)
        self.progress = Progress()
        self.saved_at, self.saving_seconds, self.states = time.monotonic(), 0.0, 0
        self.plain_model = model.to(self.accelerator.device)
        groups = [
            {"params": list(layer.parameters()), "peak": optimization.learning_rate * optimization.layer_decay**depth}
            for depth, layer in enumerate(reversed(objective.layers(model)))
        ]
        self.optimizer = torch.optim.AdamW(
            groups, lr=optimization.learning_rate, weight_decay=optimization.weight_decay, fused=True
        )
        self.averaged = (
            AveragedModel(model, multi_avg_fn=moving_average(optimization.ema_decay))
            if optimization.ema_decay
            else None
        )
        # before any saved state is loaded: a resumed run starts from the same weights
        wanted = model.state_dict() if optimization.start_share else {}
        self.start = {name: value.clone() for name, value in wanted.items()}
        # evaluation_mode adds only autocast; `_agree` adds up the gradients, once all parts of a batch are computed
        self.model = self.accelerator.prepare_model(model, evaluation_mode=True)

    def fit(self) -> list[dict[str, Any]]:
        """Train all epochs; continue from the last saved state in the run directory if there is one.

        Returns:
            The history: one row per epoch.

        Raises:
            Stopped: after SIGINT or SIGTERM, with the state saved.
            InputError: if the saved states are damaged or belong to another network.
            RunError: if a loss is not finite, a single row does not fit in memory, or a file cannot be written.
        """
        carried = self._resume()
        started = time.monotonic()
        total_steps = sum(len(self.objective.start_epoch(epoch)) for epoch in range(self.optimization.epochs))
        try:
            with catch_signals(), freed_memory_kept():
                self._train_epochs(total_steps, carried)
        finally:
            self._log_saving_time(time.monotonic() - started)
        return self.progress.history

    def _train_epochs(self, total_steps: int, carried: dict[str, Tensor]) -> None:
        while self.progress.epoch < self.optimization.epochs:
            tokens = self.objective.start_epoch(self.progress.epoch)
            self.objective.carry(carried)
            carried = {}
            self._train_epoch(tokens, total_steps)
            if self.part_of is None:
                self._save()  # after a stop during validation, only the validation is repeated
            self._finish_epoch()
            if self.part_of is None:
                self._save()

    def _log_saving_time(self, seconds: float) -> None:
        if self.states and self.accelerator.is_main_process and self.part_of is None:
            each, share = 1000 * self.saving_seconds / self.states, self.saving_seconds / seconds
            logger.info(f"{self.states} states saved, {each:.0f} ms each, {share:.2%} of the time.")

    def _train_epoch(self, tokens: Sequence[int], total_steps: int) -> None:
        """Train on the remaining batches of the epoch."""
        progress = self.progress
        with self._bar(tokens) as bar:
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
                if progress.step % TRACKED_STEPS == 0:
                    rate = self.optimizer.param_groups[0]["lr"]  # of the top layer
                    self._track("train", {"loss": loss, "learning_rate": rate})
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

    def _bar(self, tokens: Sequence[int]) -> AbstractContextManager[Any]:
        if self.part_of is not None:
            self.part_of.update(sum(tokens[: self.progress.batch]))
            return nullcontext(self.part_of)
        return tqdm(
            total=sum(tokens),
            initial=sum(tokens[: self.progress.batch]),
            unit="tok",
            unit_scale=True,
            desc=f"epoch {self.progress.epoch + 1}/{self.optimization.epochs}",
            disable=not self.accelerator.is_main_process,
            mininterval=1,
        )

    def _track(self, kind: str, figures: dict[str, Any]) -> None:
        log_figures(self.accelerator, self.directory, kind, self.progress.step, figures)

    def _train_loss(self) -> float:
        """Mean loss of this epoch's batches so far, without skipped batches."""
        return self.progress.loss_sum / max(1, self.progress.batch - self.progress.skipped_in_epoch)

    def _gradient(self, batch: int, total_steps: int) -> float:
        """Compute the gradient of this process's rows of a batch; returns their share of the loss.

        Raises:
            RunError: if not even a single row fits in memory.
        """
        step, config = self.progress.step, self.optimization
        share = slanted_triangle(step, total_steps, config.warmup_fraction) if config.schedule == "triangular" else 1.0
        joins = config.unfreeze_fraction * total_steps / max(1, len(self.optimizer.param_groups) - 1)
        for depth, group in enumerate(self.optimizer.param_groups):
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
                        "row at a time; reduce text.max_length, chunk_length or the sizes under model."
                    ) from error
            # outside of the except block, which keeps the failed tensors alive
            self.progress.parts *= 2
            torch.cuda.empty_cache()
            logger.warning(f"out of memory at step {step}: batches are now computed in {self.progress.parts} parts.")

    def _accumulate(self, batch: int, rows: slice) -> float:
        """Forward and backward pass over the rows, in `progress.parts` parts; returns the sum of their losses."""
        seeds = np.random.SeedSequence([self.run.seed, self.progress.step, self.accelerator.process_index])
        torch.manual_seed(int(seeds.generate_state(1, np.uint64)[0] >> 1))
        self.model.train()
        self.optimizer.zero_grad()
        total, count = 0.0, rows.stop - rows.start
        bounds = [rows.start + count * part // self.progress.parts for part in range(self.progress.parts + 1)]
        for start, stop in pairwise(bounds):
            if start < stop:
                loss = self.objective.loss(self.model, batch, slice(start, stop))
                self.accelerator.backward(loss)
                total += float(loss.detach())
        return total

    def _agree(self, loss: float) -> tuple[float, int, bool]:
        """Add up the gradients and losses of all processes.

        Returns:
            The loss of the batch, the number of a signal to stop or 0, and whether to save a state; the same in every
            process.
        """
        # only the clock of the main process counts, since clocks differ
        due = self.accelerator.is_main_process and self._save_is_due()
        if self.accelerator.num_processes == 1:
            return loss, stop_requested() or 0, due
        parameters = [parameter for group in self.optimizer.param_groups for parameter in group["params"]]
        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        requests = [float(stop_requested() == signal.SIGINT), float(stop_requested() == signal.SIGTERM), float(due)]
        sums = torch.tensor([loss, *requests], device=self.accelerator.device)
        self.hardware.add_up([*(parameter.grad for parameter in parameters), sums])
        loss, interrupted, terminated, any_due = sums.tolist()
        signal_number = signal.SIGINT if interrupted else signal.SIGTERM if terminated else 0
        return loss, int(signal_number), any_due > 0

    def _step(self, loss: float) -> None:
        """Take one optimizer step; skip the batch if its loss or gradient is not finite.

        Raises:
            RunError: if more batches would be skipped than run.skip_nonfinite_batches allows.
        """
        progress = self.progress
        norm = float(nn.utils.clip_grad_norm_(self.model.parameters(), self.optimization.gradient_clip))
        if math.isfinite(loss) and math.isfinite(norm):
            self.optimizer.step()
            self.objective.commit()
            if self.averaged is not None:
                self.averaged.update_parameters(self.plain_model)
            progress.loss_sum += loss
            return
        where = f"step {progress.step} (epoch {progress.epoch + 1}, batch {progress.batch})"
        what = f"the loss is {loss}" if not math.isfinite(loss) else f"the gradient's norm is {norm}"
        if progress.skipped >= self.run.skip_nonfinite_batches:
            raise RunError(
                f"{what} at {where}; saved states are not affected. Reduce optimization.learning_rate, check the "
                "batch, or allow skipped batches with run.skip_nonfinite_batches."
            )
        progress.skipped += 1
        progress.skipped_in_epoch += 1
        if self.accelerator.is_main_process:
            logger.warning(f"{what} at {where}; that batch is skipped.")

    def _finish_epoch(self) -> None:
        """Validate, keep the network if it is the best so far, and add a row to the history."""
        progress, objective = self.progress, self.objective
        network = self._network().eval()
        try:
            with self.accelerator.autocast():
                metrics = objective.validate(network)
        except Stopped as stopped:
            if self.part_of is not None:
                self._save()
            message = f"stopped during validation; the state is saved in {self.directory / 'state'}"
            raise Stopped(stopped.signal_number, f"{message}. Go on with the same command and --resume.") from None
        value = metrics[objective.metric]
        sign = 1 if objective.higher_is_better else -1
        better = progress.best is None or bool(sign * value > sign * progress.best)
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
            progress.best = value
            if self.accelerator.is_main_process:
                self.keep_best(network, metrics)
        self._track("epoch", {name: value for name, value in row.items() if name not in ("epoch", "step", "best")})
        progress.start_epoch(progress.epoch + 1)
        if self.accelerator.is_main_process:
            record_epoch(self.directory, progress.history, shown=self.part_of is None)

    def _network(self) -> nn.Module:
        """The network that is validated: averaged over the steps, then with the start (Wortsman et al. 2022)."""
        network: nn.Module = self.plain_model if self.averaged is None else self.averaged.module
        if not self.optimization.start_share:
            return network
        network = copy.deepcopy(network)
        for name, value in network.state_dict().items():
            value.lerp_(self.start[name], self.optimization.start_share)
        return network

    def _save_is_due(self) -> bool:
        """Whether to save after the current step; called before `progress.step` is increased."""
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
        carried = {name: tensor.clone() for name, tensor in self.objective.carried().items()}
        self.hardware.add_up(list(carried.values()))
        return training_tensors(self.plain_model, self.optimizer, self.averaged, carried)

    def _resume(self) -> dict[str, Tensor]:
        """Load the last saved state, if there is one; returns the tensors for `Objective.carry`."""
        state = load_latest_state(self.directory / "state")
        if state is None:
            return {}
        self.progress, tensors, messages = state
        if self.accelerator.is_main_process:
            for message in messages:
                logger.warning(message)
            logger.info(f"resumed at step {self.progress.step} (epoch {self.progress.epoch + 1}).")
        try:
            return restore_training(tensors, self.plain_model, self.optimizer, self.averaged)
        except (RuntimeError, KeyError, ValueError, IndexError) as error:
            reason = " ".join(str(error).split())
            raise InputError(f"{self.directory}: the saved state belongs to another network: {reason}") from error


def _is_out_of_memory(error: BaseException) -> bool:
    # torch has an out-of-memory exception only for CUDA
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "DefaultCPUAllocator" in str(error)
