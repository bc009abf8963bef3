"""Trackers: their curves are the history, each step once, and no training depends on them."""

import logging
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from accelerate.tracking import TensorBoardTracker
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from sentiment.config import BaseConfig, DataConfig, DistillConfig, PretrainConfig, TrainConfig
from sentiment.errors import InputError, RunError
from sentiment.io.signals import Stopped
from sentiment.training import distill, finetune, pretrain, trainer
from sentiment.training.recipe import Recipe, Stage, run_recipe
from sentiment.training.tracking import tracking
from sentiment.training.trainer import Trainer
from sentiment.tutorial import gradient_flow

Curves = dict[str, list[tuple[int, float]]]


@pytest.fixture
def config(small_settings: dict[str, Any], reviews_file: Path, monkeypatch: pytest.MonkeyPatch) -> TrainConfig:
    monkeypatch.setattr(trainer, "TRACKED_STEPS", 2)
    small_settings["run"] = replace(small_settings["run"], trackers=["tensorboard"])
    return TrainConfig(**small_settings, data=DataConfig(source=str(reviews_file)), batch_reviews=8)


def directory_of(config: BaseConfig) -> Path:
    return Path(config.run.output_dir)


def elsewhere(config: TrainConfig, directory: Path, **run: Any) -> TrainConfig:
    return replace(config, run=replace(config.run, output_dir=str(directory), **run))


def curves(directory: Path) -> Curves:
    """The points that TensorBoard shows: {name: [(step, value)]}, by step.

    TensorBoard reads the files of one second in any order.
    """
    events = EventAccumulator(str(directory / "tracking" / "sentiment")).Reload()
    names = events.Tags()["scalars"]
    return {name: sorted((point.step, point.value) for point in events.Scalars(name)) for name in names}


def weights(config: BaseConfig) -> bytes:
    return (directory_of(config) / "model" / "model.safetensors").read_bytes()


def stop_in_step(monkeypatch: pytest.MonkeyPatch, step: int, stop: Callable[[], None]) -> None:
    gradient = Trainer._gradient

    def stopped(self: Trainer, batch: int, total_steps: int) -> float:
        if self.progress.step == step:
            stop()
        return gradient(self, batch, total_steps)

    monkeypatch.setattr(Trainer, "_gradient", stopped)


def fail() -> None:
    raise OSError("the power is gone")


def test_the_curves_are_the_history_and_training_is_the_same(config: TrainConfig, tmp_path: Path) -> None:
    history = finetune.train(config)
    found = curves(directory_of(config))
    for name in ("train_loss", "accuracy", "log_loss", "tokens_per_second", "seconds"):
        expected = [(row["step"], pytest.approx(row[name], rel=1e-6)) for row in history]
        assert found.pop(f"epoch/{name}") == expected, name
    assert sorted(found) == ["train/learning_rate", "train/loss"]
    last = history[-1]["step"]
    assert [step for step, _ in found["train/loss"]] == list(range(2, last + 1, 2))
    assert found["train/learning_rate"][-1][1] < max(rate for _, rate in found["train/learning_rate"]) <= 0.01
    assert any(directory_of(config).glob("tracking/sentiment/*/hparams.yml"))
    plain = elsewhere(config, tmp_path / "plain", trackers=[])
    finetune.train(plain)
    assert weights(plain) == weights(config) and not (tmp_path / "plain" / "tracking").exists()


@pytest.mark.parametrize("stop", [lambda: os.kill(os.getpid(), signal.SIGTERM), fail], ids=["signal", "error"])
def test_a_resumed_run_continues_its_curves(
    config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: Callable[[], None]
) -> None:
    """After an error, the steps since the last state are computed twice, and drawn once."""
    whole = elsewhere(config, tmp_path / "whole")
    finetune.train(whole)
    closed = []
    finish = TensorBoardTracker.finish
    monkeypatch.setattr(TensorBoardTracker, "finish", lambda self: closed.append(finish(self)))
    with monkeypatch.context() as patch:
        stop_in_step(patch, 5 if stop is not fail else 11, stop)
        with pytest.raises((Stopped, OSError)):
            finetune.train(config)
        assert len(closed) == 1
    finetune.train(replace(config, run=replace(config.run, device="auto")), resume=True)
    assert len(closed) == 2
    found, expected = curves(directory_of(config)), curves(tmp_path / "whole")
    for name in ("train/loss", "train/learning_rate", "epoch/train_loss", "epoch/accuracy"):
        assert found[name] == expected[name], name


def test_a_run_that_begins_again_begins_its_curves_again(config: TrainConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        stop_in_step(patch, 4, fail)  # before the first state
        with pytest.raises(OSError, match="power"):
            finetune.train(config)
    first = curves(directory_of(config))["train/loss"]
    finetune.train(replace(config, run=replace(config.run, seed=2)))
    found = curves(directory_of(config))["train/loss"]
    assert found[: len(first)] != first and [step for step, _ in found] == sorted({step for step, _ in found})


def test_trackers_may_be_added_when_a_run_is_resumed(config: TrainConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        stop_in_step(patch, 5, lambda: os.kill(os.getpid(), signal.SIGTERM))
        with pytest.raises(Stopped):
            finetune.train(elsewhere(config, directory_of(config), trackers=[]))
    history = finetune.train(config, resume=True)
    assert [step for step, _ in curves(directory_of(config))["train/loss"]] == list(
        range(8, history[-1]["step"] + 1, 2)
    )


def test_every_training_and_the_recipe_refuse_a_missing_package_first(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("accelerate.tracking.get_available_trackers", lambda: ["tensorboard"])
    run = replace(config.run, trackers=["wandb", "tensorboard", "mlflow"])
    missing = r"^run.trackers needs wandb and mlflow, not installed here; install with: pip install wandb mlflow$"
    calls: list[tuple[Callable[[Any], Any], BaseConfig]] = [
        (finetune.train, TrainConfig(run=run, pretrained="no-such-model")),
        (pretrain.pretrain, PretrainConfig(run=run, data=DataConfig(source="no-such-file.csv"))),
        (distill.distill, DistillConfig(run=run, pretrained="no-such-model")),
        (gradient_flow.compare, TrainConfig(run=run, data=DataConfig(source="no-such-file.csv"))),
    ]
    for call, settings in calls:
        with pytest.raises(InputError, match=missing):
            call(settings)
    stages = {
        "first": Stage("first", "train", None, (), elsewhere(config, tmp_path / "recipe" / "first")),
        "second": Stage("second", "train", "first", (), replace(config, run=run)),
    }
    with pytest.raises(InputError, match=missing):
        run_recipe(Recipe(tmp_path / "recipe", stages, {}))
    assert not directory_of(config).exists() and not (tmp_path / "recipe").exists()


def test_a_tracker_that_cannot_start_is_said_in_one_sentence(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TensorBoardTracker, "start", lambda self: fail())
    with pytest.raises(RunError, match=r"^run.trackers: cannot start tensorboard: the power is gone$"):
        finetune.train(config)


def test_a_tracker_that_fails_ends_its_curves_and_not_the_training(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(TensorBoardTracker, "log", lambda self, values, step: fail())
    with caplog.at_level(logging.WARNING):
        history = finetune.train(config)
    assert len(history) == 2
    said = [message for message in caplog.messages if "tensorboard" in message]
    assert said == ["tensorboard failed at step 2, so the curves end here: the power is gone"]


def test_only_the_main_process_opens_trackers(tmp_path: Path) -> None:
    with tracking(SimpleNamespace(is_main_process=False, log_with=["tensorboard"]), tmp_path / "run", {}, False):
        assert not (tmp_path / "run").exists()


def test_the_environment_of_the_caller_decides_and_comes_back(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKIO_DIR", "/mine")
    for name in ("WANDB_DIR", "MLFLOW_TRACKING_URI", "MLFLOW_DISABLE_TELEMETRY"):
        monkeypatch.delenv(name, raising=False)
    seen: dict[str, str] = {}
    stop_in_step(monkeypatch, 1, lambda: seen.update(os.environ))
    finetune.train(config)
    place = directory_of(config).resolve() / "tracking"
    assert (seen["TRACKIO_DIR"], seen["WANDB_DIR"]) == ("/mine", str(place))
    assert seen["MLFLOW_TRACKING_URI"] == f"sqlite:///{place / 'mlflow.db'}"
    assert seen["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert os.environ["TRACKIO_DIR"] == "/mine" and "WANDB_DIR" not in os.environ
