"""This project's training loop, as it is and with one thing changed at a time.

Everything runs through `sentiment.training.trainer.Trainer`; a change is made to a trainer before it starts.
"""

import copy
import io
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from accelerate.state import AcceleratorState
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from benchmarks.speed.training_job import Epoch, Job
from sentiment.models.lstm import SentimentRNN, pool
from sentiment.models.sizing import build_network
from sentiment.training.hardware import Hardware
from sentiment.training.memory import return_freed_memory
from sentiment.training.objective import SentimentObjective
from sentiment.training.trainer import Trainer


@dataclass(frozen=True)
class Variant:
    """What differs from the configuration."""

    precision: str | None = None
    objective: type[SentimentObjective] = SentimentObjective
    model: type[SentimentRNN] = SentimentRNN
    change: Callable[[Trainer], None] = lambda trainer: None


def new_trainer(job: Job, variant: Variant, directory: Path, epochs: int) -> Trainer:
    """A trainer that has not begun."""
    config = job.config
    AcceleratorState._reset_state(reset_partial_state=True)  # it keeps a process to one precision
    hardware = Hardware.choose(config.run.device, variant.precision or config.run.precision)
    objective = variant.objective(
        job.train,
        job.validation,
        config.batch_tokens,
        config.run.seed,
        hardware.accelerator.device,
        adversarial=config.adversarial,
    )
    torch.manual_seed(config.run.seed)
    model = build_network(SentimentRNN, {"vocab_size": job.vocab_size, **asdict(config.model)})
    assert isinstance(model, SentimentRNN)
    model.__class__ = variant.model  # the same weights, run by other code
    run, optimization = replace(config.run, output_dir=str(directory)), replace(config.optimization, epochs=epochs)
    trainer = Trainer(model, objective, optimization, run, hardware, lambda model, metrics: None)
    variant.change(trainer)
    return trainer


@contextmanager
def quiet() -> Iterator[None]:
    """A block without progress bars and tables."""
    with redirect_stderr(io.StringIO()), redirect_stdout(io.StringIO()):
        yield


def train_variant(job: Job, variant: Variant) -> Epoch:
    """One epoch through the trainer; validation and saved states are not counted."""
    measured = Epoch(0, 0, int(job.train.lengths.sum()))
    reviews = copy.copy(job.train)
    plain_batch = reviews.batch

    def batch(rows: Sequence[int] | np.ndarray) -> Any:
        started = time.monotonic()
        found = plain_batch(rows)
        measured.waited += time.monotonic() - started
        return found

    reviews.batch = batch  # type: ignore[method-assign]
    with TemporaryDirectory() as directory, quiet():
        trainer = new_trainer(replace(job, train=reviews), variant, Path(directory), 1)
        started = time.monotonic()
        trainer.objective.start_epoch(0)
        ordering = time.monotonic() - started
        history = trainer.fit()
    measured.waited += ordering
    measured.seconds = history[-1]["seconds"] + ordering
    return measured


def plain_optimizer(trainer: Trainer) -> None:
    """AdamW's loop over parameters in Python, torch's default on a CPU, in place of its fused kernel."""
    defaults = {name: trainer.optimizer.defaults[name] for name in ("lr", "weight_decay")}
    trainer.optimizer = torch.optim.AdamW(trainer.optimizer.param_groups, **defaults)
    for group in trainer.optimizer.param_groups:
        group["fused"] = False


class _SparseAndDense:
    """An optimizer that steps the embedding's rows of a batch alone, and everything else densely.

    SparseAdam's moments rest for words that a batch lacks. The embedding's gradient is put aside before gradients are
    clipped, for torch clips no sparse ones.
    """

    def __init__(self, dense: torch.optim.Optimizer, weight: Tensor, settings: dict[str, Any]) -> None:
        self.dense, self.weight = dense, weight
        self.sparse = torch.optim.SparseAdam([weight], lr=settings["lr"])
        self.sparse.param_groups[0]["peak"] = settings["peak"]
        self.param_groups = [*dense.param_groups, *self.sparse.param_groups]
        self.state_dict = dense.state_dict
        self._aside: Tensor | None = None
        weight.register_post_accumulate_grad_hook(self._put_aside)

    def _put_aside(self, weight: Tensor) -> None:
        self._aside, weight.grad = weight.grad, None

    def zero_grad(self) -> None:
        self.dense.zero_grad()
        self._aside = None

    def step(self) -> None:
        self.dense.step()
        self.weight.grad = self._aside
        self.sparse.step()
        self.weight.grad = None


def sparse_embedding(trainer: Trainer) -> None:
    """A gradient of the embedding that holds the batch's words alone, with an Adam for such."""
    model = trainer.plain_model
    assert isinstance(model, SentimentRNN)
    embedding = model.encoder.embedding
    embedding.sparse = True
    groups = trainer.optimizer.param_groups
    own = next(group for group in groups if any(weight is embedding.weight for weight in group["params"]))
    others = [group for group in groups if group is not own]
    dense = torch.optim.AdamW(others, weight_decay=trainer.optimization.weight_decay, fused=True)
    trainer.optimizer = _SparseAndDense(dense, embedding.weight, own)  # type: ignore[assignment]


class UnsortedObjective(SentimentObjective):
    """Batches of reviews of any length, as many batches as of like length, each padded to its longest review."""

    def start_epoch(self, epoch: int) -> Sequence[int]:
        """Shuffle; tokens of each batch."""
        count = len(super().start_epoch(epoch))
        order = np.random.default_rng([self.seed, epoch]).permutation(len(self.train))
        self._batches = np.array_split(order, count)
        return [int(self.train.lengths[rows].sum()) for rows in self._batches]


class PackedSentimentRNN(SentimentRNN):
    """The same network on packed sequences: no padding is computed."""

    def forward(self, input_ids: Tensor, lengths: Tensor, perturbation: Tensor | None = None) -> Tensor:
        """Logits of positive: [batch, time], [batch] → [batch]."""
        encoder = self.encoder
        assert perturbation is None and not encoder.weight_dropout
        packed = pack_padded_sequence(
            encoder.embed(input_ids), lengths.clamp(min=1).cpu(), batch_first=True, enforce_sorted=False
        )
        for depth, layer in enumerate(encoder.layers):
            if depth:
                packed = self._drop(packed, len(lengths))
            packed, _ = layer(packed)
        outputs, _ = pad_packed_sequence(packed, batch_first=True, total_length=input_ids.shape[1])
        with torch.autocast(outputs.device.type, enabled=False):
            return self.head(pool(outputs.float(), lengths, self.pooling)).squeeze(1)

    def _drop(self, packed: PackedSequence, batch: int) -> PackedSequence:
        rate = self.encoder.dropout
        if not (self.training and rate):
            return packed
        if not self.encoder.variational:
            return packed._replace(data=F.dropout(packed.data, rate))
        mask = F.dropout(packed.data.new_ones(batch, packed.data.shape[1]), rate)
        review = torch.cat([torch.arange(int(size), device=mask.device) for size in packed.batch_sizes])
        return packed._replace(data=packed.data * mask[review])


def memory_returned(trainer: Trainer) -> None:
    """Memory that a step frees goes back to the system, as glibc does it by itself."""
    train_epoch = trainer._train_epoch

    def change_and_train(tokens: Sequence[int], total_steps: int) -> None:
        return_freed_memory()
        train_epoch(tokens, total_steps)

    trainer._train_epoch = change_and_train  # type: ignore[method-assign]


CHANGES = {
    "fp32": Variant(precision="fp32"),
    "AdamW not fused": Variant(change=plain_optimizer),
    "packed sequences": Variant(model=PackedSentimentRNN),
    "batches not sorted by length": Variant(objective=UnsortedObjective),
    "sparse embedding gradient": Variant(change=sparse_embedding),
    "freed memory returned": Variant(change=memory_returned),
}
