"""A run that is killed a hundred times ends with the weights of the run that was left alone."""

import json
import os
import random
import select
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from sentiment.config import ModelConfig, OptimizationConfig, PretrainConfig, RunConfig, TextConfig, TrainConfig
from sentiment.training import trainer
from sentiment.training.finetune import train
from sentiment.training.pretrain import pretrain

DEADLINE = 60.0
"""Seconds that one part of a run may take."""


def config_of(kind: type[Any], source: Path, directory: Path) -> Any:
    base = kind()
    more = {"batch_tokens": 200} if kind is TrainConfig else {"streams": 4, "chunk_length": 16}
    return kind(
        run=RunConfig(output_dir=str(directory), device="cpu", precision="fp32", state_every_steps=1),
        data=type(base.data)(source=str(source), validation_fraction=0.2),
        text=TextConfig(vocab_size=200, min_frequency=1, max_length=30),
        model=ModelConfig(embedding_dim=8, hidden_dim=8, embedding_dropout=0.2),
        optimization=OptimizationConfig(epochs=4, learning_rate=0.01, ema_decay=0.9),
        **more,
    )


def start(run: Callable[..., Any], config: Any) -> tuple[int, int]:
    """Run in a forked child, which spares the imports; returns its id and a pipe that tells when a save begins."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    try:
        torch.set_num_threads(1)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        save_state = trainer.save_state

        def telling(*arguments: Any) -> None:
            os.write(writing, b"s")
            save_state(*arguments)

        trainer.save_state = telling
        run(config, True)
        os._exit(0)
    finally:
        os._exit(1)


def wait_for_save(pipe: int, number: int) -> None:
    """Return when the save with that number begins, or when the child is gone."""
    for _ in range(number):
        ready, _, _ = select.select([pipe], [], [], DEADLINE)
        assert ready, "the run neither saved nor ended"
        if not os.read(pipe, 1):
            return


def finish(run: Callable[..., Any], config: Any) -> dict[str, Any]:
    """Let a run come to its end; returns the tensors of its last state, and its history."""
    child, pipe = start(run, config)
    wait_for_save(pipe, 10**6)
    os.close(pipe)
    assert os.waitpid(child, 0)[1] == 0
    directory = Path(config.run.output_dir)
    state = max((directory / "state").glob("*.safetensors"))
    history = [json.loads(line) for line in (directory / "history.jsonl").read_text().splitlines()]
    clocks = ("seconds", "tokens_per_second")
    return {
        "state": load_file(state),
        "model": load_file(directory / "model" / "model.safetensors"),
        "history": [{name: value for name, value in row.items() if name not in clocks} for row in history],
    }


def assert_same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert found["history"] == expected["history"]
    for part in ("state", "model"):
        assert found[part].keys() == expected[part].keys()
        for name, tensor in expected[part].items():
            assert torch.equal(found[part][name], tensor), name


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("run", "kind", "kills"), [(train, TrainConfig, 100), (pretrain, PretrainConfig, 40)])
def test_killed_runs_lose_nothing(run, kind: type[Any], kills: int, tmp_path: Path, capsys) -> None:
    sample = Path(trainer.__file__).parents[1] / "data" / "samples" / "train.jsonl"
    source = tmp_path / "reviews"
    source.mkdir()
    for split in ("train", "unsupervised"):
        shutil.copy(sample, source / f"{split}.jsonl")
    expected = finish(run, config_of(kind, source, tmp_path / "undisturbed"))
    chance = random.Random(1)
    done, inside, ends = 0, 0, 0
    while done < kills:
        config = config_of(kind, source, tmp_path / f"run{ends}")
        state = tmp_path / f"run{ends}" / "state"
        child, pipe = start(run, config)
        if done % 2:
            wait_for_save(pipe, chance.randint(1, 4))
            time.sleep(chance.uniform(0, 0.004))
        else:
            time.sleep(chance.uniform(0, 1.5))
        os.kill(child, signal.SIGKILL)
        os.close(pipe)
        ended = os.waitpid(child, 0)[1]
        if ended == 0:  # it was faster than the signal
            ends += 1
            continue
        assert ended == signal.SIGKILL
        done += 1
        whole = {file.stem for file in state.glob("step-*.safetensors")} == {file.stem for file in state.glob("*.json")}
        inside += bool(list(state.glob(".tmp-*"))) or not whole
    for number in range(ends + 1):
        assert_same(finish(run, config_of(kind, source, tmp_path / f"run{number}")), expected)
        assert not list((tmp_path / f"run{number}").rglob(".tmp-*"))
    assert inside >= kills // 5, f"only {inside} of {kills} kills fell into a save; aim better"
    with capsys.disabled():
        print(f"\n{run.__name__}: {done} kills, {inside} inside a save, {ends + 1} runs resumed to the undisturbed end")
