"""The training loop: a run that is stopped, damaged or split into parts ends like an undisturbed run."""

import json
import math
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sentiment.config import OptimizationConfig, RunConfig
from sentiment.data.batching import EncodedReviews
from sentiment.errors import InputError, RunError
from sentiment.inference import engine
from sentiment.io import signals
from sentiment.io.signals import Stopped
from sentiment.models.language_model import LanguageModel
from sentiment.models.lstm import SentimentRNN
from sentiment.training import trainer
from sentiment.training.checkpointing import load_latest_state
from sentiment.training.hardware import Hardware
from sentiment.training.objective import SentimentObjective
from sentiment.training.pretrain import LanguageModelObjective
from sentiment.training.trainer import Trainer, moving_average, slanted_triangle

CPU = torch.device("cpu")
KINDS = ["sentiment", "language model"]
OPTIMISATION = OptimizationConfig(epochs=2, learning_rate=0.01, ema_decay=0.9, weight_decay=0.01)


def encoded(count: int, seed: int) -> EncodedReviews:
    generator = np.random.default_rng(seed)
    ids = [generator.integers(3, 20, generator.integers(1, 12)) for _ in range(count)]
    return EncodedReviews(ids, generator.integers(0, 2, count))


def make(
    kind: str, directory: Path, dropout: float = 0.3, optimization: OptimizationConfig = OPTIMISATION, **run: Any
) -> Trainer:
    torch.manual_seed(0)
    objective: Any
    model: nn.Module
    if kind == "sentiment":
        objective = SentimentObjective(encoded(30, 1), encoded(10, 2), 64, 1, CPU)
        model = SentimentRNN(20, 6, 5, dropout=dropout, embedding_dropout=dropout, head_dropout=dropout)
    else:
        objective = LanguageModelObjective(
            encoded(30, 1), encoded(10, 2), streams=4, chunk_length=7, seed=1, device=CPU
        )
        # as with dropout: words that are drawn, or nothing that a part of a batch would draw anew
        model = LanguageModel(20, 6, 5, dropout=dropout, output_dropout=dropout, negatives=6 if dropout else 0)
    config = RunConfig(output_dir=str(directory), device="cpu", precision="fp32", **run)
    return Trainer(model, objective, optimization, config, Hardware.choose("cpu", "fp32"), lambda model, figures: None)


def outcome(trainer: Trainer) -> dict[str, Tensor]:
    """Everything that the run has learned."""
    return {name: tensor.clone() for name, tensor in trainer._tensors().items()}


def assert_equal(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert torch.equal(found[name], tensor), name


def plain_history(trainer: Trainer) -> list[dict[str, Any]]:
    clocks = ("seconds", "tokens_per_second")
    return [{name: value for name, value in row.items() if name not in clocks} for row in trainer.progress.history]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Trainer]:
    finished: dict[str, Trainer] = {}

    def get(kind: str) -> Trainer:
        if kind not in finished:
            finished[kind] = make(kind, tmp_path_factory.mktemp("undisturbed"))
            finished[kind].fit()
        return finished[kind]

    return get


@pytest.fixture
def stop_after(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Send a signal to this process during a step of a run."""

    def arm(steps: int, number: int = signal.SIGTERM) -> None:
        gradient, done = Trainer._gradient, list[int]()

        def interrupted(self: Trainer, batch: int, total_steps: int) -> float:
            if self.progress.step + 1 == steps and not done:
                done.append(steps)
                os.kill(os.getpid(), number)
            return gradient(self, batch, total_steps)

        monkeypatch.setattr(Trainer, "_gradient", interrupted)

    return arm


@pytest.mark.parametrize("steps", [1, 3, 4, 7])
@pytest.mark.parametrize("kind", KINDS)
def test_a_resumed_run_equals_an_uninterrupted_one(
    undisturbed, stop_after, tmp_path: Path, kind: str, steps: int
) -> None:
    whole = undisturbed(kind)
    stop_after(steps)
    with pytest.raises(Stopped, match=f"stopped by SIGTERM at step {steps}; .*--resume") as stopped:
        make(kind, tmp_path).fit()
    assert stopped.value.exit_code == 143
    resumed = make(kind, tmp_path)
    resumed.fit()
    assert resumed.progress.step > 7
    assert_equal(outcome(resumed), outcome(whole))
    assert plain_history(resumed) == plain_history(whole)
    assert [json.loads(line)["epoch"] for line in (tmp_path / "history.jsonl").read_text().splitlines()] == [1, 2]


def test_after_a_stop_during_validation_only_validation_is_repeated(undisturbed, tmp_path: Path, monkeypatch) -> None:
    whole, validate = undisturbed("sentiment"), SentimentObjective.validate
    before = signal.getsignal(signal.SIGINT)

    def interrupted(self: SentimentObjective, model: nn.Module) -> dict[str, float]:
        os.kill(os.getpid(), signal.SIGINT)
        return validate(self, model)

    monkeypatch.setattr(SentimentObjective, "validate", interrupted)
    with pytest.raises(Stopped, match="during validation") as stopped:
        make("sentiment", tmp_path).fit()
    assert stopped.value.exit_code == 130
    monkeypatch.setattr(SentimentObjective, "validate", validate)
    resumed = make("sentiment", tmp_path)
    resumed.fit()
    assert_equal(outcome(resumed), outcome(whole))
    assert signal.getsignal(signal.SIGINT) is before


def test_validation_is_as_precise_with_one_thread_as_with_two(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(engine, "BATCH_TOKENS", 20)
    validated, threads = {}, torch.get_num_threads()
    trainer = make("sentiment", tmp_path)
    assert trainer.averaged is not None
    modes = (False, True) if torch.ops.mkldnn._is_mkldnn_bf16_supported() else (False,)
    try:
        for bf16 in modes:
            monkeypatch.setattr(trainer.accelerator, "autocast", lambda on=bf16: torch.autocast("cpu", enabled=on))
            for count in (1, 2):
                torch.set_num_threads(count)
                trainer._finish_epoch()
                validated[bf16, count] = trainer.objective.validation_logits
    finally:
        torch.set_num_threads(threads)
    for bf16 in modes:
        np.testing.assert_array_equal(validated[bf16, 1], validated[bf16, 2])
    if True not in modes:
        pytest.skip("float32 holds; this CPU does not compute LSTMs in bf16, so autocast was not tested")
    assert (validated[True, 1] != validated[False, 1]).any()


def test_the_second_interrupt_ends_the_process() -> None:
    with signals.catch_signals():
        os.kill(os.getpid(), signal.SIGINT)
        assert signals.stop_requested() == signal.SIGINT
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
    assert signals.stop_requested() is None


@pytest.mark.parametrize("damage", ["truncate", "flip", "no manifest", "manifest"])
def test_a_damaged_state_is_skipped(undisturbed, stop_after, tmp_path: Path, caplog, damage: str) -> None:
    caplog.set_level("INFO", "sentiment")
    whole = undisturbed("sentiment")
    stop_after(3)
    with pytest.raises(Stopped):
        make("sentiment", tmp_path, state_every_steps=2).fit()
    newest = tmp_path / "state" / "step-000000003.safetensors"
    data = bytearray(newest.read_bytes())
    if damage == "truncate":
        newest.write_bytes(data[:1000])
    elif damage == "flip":
        data[-100] ^= 1
        newest.write_bytes(data)
    elif damage == "manifest":
        newest.with_suffix(".json").write_text("{")
    else:
        newest.with_suffix(".json").unlink()
    resumed = make("sentiment", tmp_path)
    resumed.fit()
    messages = caplog.text
    assert "step-000000003.safetensors is damaged and was skipped" in messages and "resumed at step 2" in messages
    assert_equal(outcome(resumed), outcome(whole))
    assert len(list((tmp_path / "state").iterdir())) == 4


def test_a_run_without_an_intact_state_is_rejected(stop_after, tmp_path: Path) -> None:
    stop_after(3)
    with pytest.raises(Stopped):
        make("sentiment", tmp_path).fit()
    for file in (tmp_path / "state").glob("*.safetensors"):
        file.write_bytes(b"")
    with pytest.raises(InputError, match=r"no intact training state: step-000000003.safetensors is damaged"):
        make("sentiment", tmp_path).fit()


def test_a_state_of_another_network_is_rejected(stop_after, tmp_path: Path) -> None:
    stop_after(3)
    with pytest.raises(Stopped):
        make("sentiment", tmp_path).fit()
    with pytest.raises(InputError, match="the saved state belongs to another network") as refused:
        make("language model", tmp_path).fit()
    assert "\n" not in str(refused.value)


def poisoned(objective: Any, batches: set[int]) -> None:
    loss = objective.loss
    objective.loss = lambda model, batch, rows: loss(model, batch, rows) * (math.nan if batch in batches else 1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_loss_that_is_not_finite_stops_before_the_step(tmp_path: Path, kind: str) -> None:
    trainer = make(kind, tmp_path, state_every_steps=1)
    poisoned(trainer.objective, {2})
    with pytest.raises(RunError, match=r"the loss is nan at step 2 \(epoch 1, batch 2\)"):
        trainer.fit()
    progress, tensors, _ = load_latest_state(tmp_path / "state") or pytest.fail("no state")
    assert progress.step == 2
    assert_equal(outcome(trainer), tensors)


@pytest.mark.parametrize("kind", KINDS)
def test_nonfinite_batches_are_skipped_if_allowed(tmp_path: Path, kind: str, caplog) -> None:
    trainer = make(kind, tmp_path, skip_nonfinite_batches=2)
    poisoned(trainer.objective, {2})
    trainer.fit()
    assert trainer.progress.skipped == 2
    assert all(torch.isfinite(tensor).all() for tensor in outcome(trainer).values())
    assert all(math.isfinite(row["train_loss"]) for row in trainer.progress.history)
    assert "batch 2); that batch is skipped" in caplog.text
    trainer = make(kind, tmp_path / "again", skip_nonfinite_batches=1)
    poisoned(trainer.objective, {2})
    with pytest.raises(RunError, match="epoch 2, batch 2"):
        trainer.fit()


def test_a_gradient_that_is_not_finite_stops_the_run(tmp_path: Path) -> None:
    trainer = make("sentiment", tmp_path)
    loss = trainer.objective.loss
    # the value is finite, its derivative at 0 is not
    trainer.objective.loss = lambda model, batch, rows: loss(model, batch, rows) + (loss(model, batch, rows) * 0).sqrt()
    before = outcome(trainer)
    with pytest.raises(RunError, match="the gradient's norm is nan at step 0"):
        trainer.fit()
    assert_equal(outcome(trainer), before)


def short_of_memory(objective: Any, largest: int) -> Iterator[int]:
    loss = objective.loss

    def limited(model: nn.Module, batch: int, rows: slice) -> Tensor:
        if rows.stop - rows.start > largest:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return loss(model, batch, rows)

    objective.loss = limited


@pytest.mark.parametrize("kind", KINDS)
def test_out_of_memory_divides_the_batch_and_changes_nothing(tmp_path: Path, kind: str) -> None:
    whole, divided = make(kind, tmp_path / "whole", dropout=0), make(kind, tmp_path / "divided", dropout=0)
    short_of_memory(divided.objective, 3)
    whole.fit()
    divided.fit()
    assert divided.progress.parts >= 2
    for name, tensor in outcome(whole).items():
        assert torch.allclose(outcome(divided)[name], tensor, atol=1e-5), name
    assert divided.progress.history[-1]["train_loss"] == pytest.approx(
        whole.progress.history[-1]["train_loss"], rel=1e-5
    )


def test_the_lstm_state_is_carried_through_all_parts(tmp_path: Path) -> None:
    trainer = make("language model", tmp_path, dropout=0)
    objective, model = trainer.objective, trainer.plain_model
    assert isinstance(objective, LanguageModelObjective)
    objective.start_epoch(0)
    _, memory = model(*objective._tensors(objective._streams, 0))
    expected, _ = model(*objective._tensors(objective._streams, 1), memory)
    forgetful, _ = model(*objective._tensors(objective._streams, 1))
    for rows in (slice(0, 1), slice(1, 4)):
        objective.loss(model, 0, rows)
    assert objective.loss(model, 1, slice(0, 4)).item() == pytest.approx(forgetful.item())  # no step is taken yet
    for rows in (slice(0, 1), slice(1, 4)):
        objective.loss(model, 0, rows)
    objective.commit()
    assert objective.loss(model, 1, slice(0, 4)).item() == pytest.approx(expected.item())
    assert expected.item() != pytest.approx(forgetful.item())


def test_out_of_memory_with_a_single_row_is_an_error(tmp_path: Path) -> None:
    trainer = make("sentiment", tmp_path)
    short_of_memory(trainer.objective, 0)
    with pytest.raises(RunError, match=r"out of memory at step 0 .* even with one row at a time"):
        trainer.fit()


def test_cpu_memory_errors_are_recognized() -> None:
    assert trainer._is_out_of_memory(
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate")
    )
    assert not trainer._is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))


def test_slanted_triangle_rises_and_falls() -> None:
    rates = [slanted_triangle(step, 100, 0.1) for step in range(100)]
    assert rates[9] == max(rates) == 1 and rates[0] == pytest.approx(0.1) and 0.01 < rates[-1] < 0.03
    assert rates[:10] == sorted(rates[:10]) and rates[9:] == sorted(rates[9:], reverse=True)


def test_layers_are_unfrozen_one_by_one_from_the_top(tmp_path: Path) -> None:
    trainer = make("sentiment", tmp_path)
    trainer.optimization = replace(OPTIMISATION, unfreeze_fraction=0.5)
    rates = []
    trainer.objective.start_epoch(0)
    for step in range(12):
        trainer.progress.step = step
        trainer._gradient(0, 12)
        rates.append([group["lr"] > 0 for group in trainer.optimizer.param_groups])
    assert [sum(row) for row in rates] == [1, 1, 2, 2, 3, 3, 4, 4, 4, 4, 4, 4]
    assert all(row == sorted(row, reverse=True) for row in rates)  # head first, embedding last


def test_the_start_has_its_share_in_what_is_kept(tmp_path: Path) -> None:
    def kept(directory: str, **settings: float) -> dict[str, Tensor]:
        found: list[dict[str, Tensor]] = []
        fresh = make("sentiment", tmp_path / directory, optimization=replace(OPTIMISATION, epochs=1, **settings))
        fresh.keep_best = lambda model, figures: found.append(outcome_of(model))
        fresh.fit()
        assert_equal(outcome_of(fresh.plain_model), trained.setdefault("weights", outcome_of(fresh.plain_model)))
        return found[0]

    def outcome_of(model: nn.Module) -> dict[str, Tensor]:
        return {name: value.clone() for name, value in model.state_dict().items()}

    trained: dict[str, dict[str, Tensor]] = {}
    start = outcome_of(make("sentiment", tmp_path / "start").plain_model)
    none, all_, half = kept("none"), kept("all", start_share=1.0), kept("half", start_share=0.5)
    assert_equal(all_, start)
    for name, value in half.items():
        torch.testing.assert_close(value, (start[name] + none[name]) / 2)
    assert not torch.equal(none["encoder.embedding.weight"], start["encoder.embedding.weight"])


def test_the_average_of_a_short_run_does_not_keep_its_start() -> None:
    def after(steps: int) -> float:
        averaged, present = [torch.zeros(1)], [torch.ones(1)]
        for step in range(1, steps + 1):
            moving_average(0.99)(averaged, present, step)
        return float(averaged[0])

    assert after(5) > 0.99 > 1 - 0.99**5 and after(57) > 0.999
    averaged = [torch.zeros(1)]
    moving_average(0.99)(averaged, [torch.ones(1)], 10_000)
    assert float(averaged[0]) == pytest.approx(0.01)


def test_of_epochs_with_equal_accuracy_that_of_the_lowest_log_loss_is_kept(tmp_path: Path, monkeypatch) -> None:
    validated = iter([(0.9, 0.5), (0.9, 0.3), (0.95, 0.6)])
    kept: list[float] = []

    def validate(self: SentimentObjective, model: nn.Module) -> dict[str, float]:
        return dict(zip(("accuracy", "log_loss"), next(validated), strict=True))

    monkeypatch.setattr(SentimentObjective, "validate", validate)
    trainer = make("sentiment", tmp_path / "run", optimization=replace(OPTIMISATION, epochs=3))
    trainer.keep_best = lambda model, figures: kept.append(figures["log_loss"])
    trainer.fit()
    assert kept == [0.5, 0.3]
