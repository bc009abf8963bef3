"""A transformer is fine-tuned, stopped and resumed, and teaches an LSTM with copies of texts."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from sentiment.config import DataConfig, DistillConfig, OptimizationConfig, RunConfig, TransformerConfig
from sentiment.data.batching import EncodedReviews
from sentiment.errors import InputError
from sentiment.io.signals import Stopped
from sentiment.persistence.transformer import load_transformer
from sentiment.training import trainer, transfer
from sentiment.training.distill import distill, evaluate_teachers
from sentiment.training.recipe import load_recipe, run_recipe
from sentiment.training.transformer import shortest, train_transformer


@pytest.fixture
def source(tmp_path: Path, reviews: list[tuple[str, int]]) -> DataConfig:
    """A labeled split, and an unlabeled one of longer reviews."""
    rows = [{"text": f"{text} {number}", "label": label} for number in range(8) for text, label in reviews]
    more = [
        {"text": f"{a['text']}. It was {b['text']} to me.", "label": -1} for a, b in zip(rows, rows[2:], strict=False)
    ]
    for split, lines in (("train", rows), ("unsupervised", more)):
        (tmp_path / f"{split}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return DataConfig(source=str(tmp_path), validation_fraction=0.2)


@pytest.fixture
def config(tmp_path: Path, source: DataConfig, tiny_transformer: Path) -> TransformerConfig:
    return TransformerConfig(
        run=RunConfig(
            output_dir=str(tmp_path / "transformer"), device="cpu", precision="fp32", threads=1, state_every_steps=3
        ),
        data=source,
        optimization=OptimizationConfig(epochs=2, learning_rate=0.01, layer_decay=0.9),
        transformer=str(tiny_transformer),
        max_length=32,
    )


def test_it_learns_and_is_saved_as_transformers_does(config: TransformerConfig, tmp_path: Path) -> None:
    history = train_transformer(config)
    assert history[-1]["accuracy"] > 0.8 and history[-1]["log_loss"] < history[0]["train_loss"]
    model = load_transformer(str(tmp_path / "transformer" / "model"))
    assert model.network.config.id2label == {0: "negative", 1: "positive"}
    metrics = json.loads((tmp_path / "transformer" / "model" / "metrics.json").read_text())
    assert metrics["accuracy"] == max(row["accuracy"] for row in history)


def test_a_resumed_run_is_equal_to_the_bit(
    config: TransformerConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_transformer(config)
    steps = iter(range(100))
    monkeypatch.setattr(trainer, "stop_requested", lambda: 15 if next(steps) >= 10 else 0)
    stopped = replace(config, run=replace(config.run, output_dir=str(tmp_path / "stopped")))
    with pytest.raises(Stopped):
        train_transformer(stopped)
    monkeypatch.undo()
    train_transformer(stopped, resume=True)
    one, other = (load_file(tmp_path / name / "model" / "model.safetensors") for name in ("transformer", "stopped"))
    for name, tensor in one.items():
        np.testing.assert_array_equal(tensor, other[name])


def test_the_shortest_reviews_are_read(config: TransformerConfig) -> None:
    reviews = EncodedReviews([[1] * length for length in (5, 2, 9, 2, 7, 2)], [0.0, 0.1, 0.2, 0.3, 0.4, 0.5])
    chosen = shortest(reviews, 4, seed=1)
    assert chosen.lengths.tolist() == [5, 2, 2, 2]
    np.testing.assert_allclose(chosen.labels, [0.0, 0.1, 0.3, 0.5])
    of_equals = {tuple(shortest(reviews, 1, seed).labels.tolist()) for seed in range(20)}
    assert len(of_equals) == 3  # drawn, since reviews are often sorted by label
    assert shortest(reviews, 0, seed=1).lengths.tolist() == reviews.lengths.tolist()
    assert train_transformer(replace(config, reviews=20))[0]["step"] == 1


def test_it_teaches_an_lstm(
    config: TransformerConfig,
    tmp_path: Path,
    source: DataConfig,
    small_settings: dict[str, Any],
    tiny_model_directory: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    train_transformer(config)
    made = []
    monkeypatch.setattr(
        transfer, "copies", lambda texts, *_: made.append(list(texts)) or [text.upper() for text in texts]
    )
    monkeypatch.setattr(transfer, "find_substitutes", lambda *_: None)
    teachers = [str(tiny_model_directory), str(tmp_path / "transformer" / "model")]
    student = DistillConfig(
        **small_settings,
        data=source,
        pretrained=str(tiny_model_directory),
        teachers=teachers,
        sentences=10,
        counterfactuals=5,
        opinions=24,
        transformer_share=1.0,
    )
    distill(student)
    assert [len(texts) for texts in made] == [5, 10]
    assert all("." in text for text in made[0])
    found = json.loads((tmp_path / "run" / "teachers.json").read_text())
    assert found["teachers"] == teachers and found["accuracy"] > 0.8
    assert evaluate_teachers(student, "train")["accuracy"] > 0.8
    with pytest.raises(InputError, match="need a model directory as the first of the teachers"):
        distill(replace(student, teachers=[], run=replace(student.run, output_dir=str(tmp_path / "none"))))


def test_it_is_a_stage_of_a_recipe(config: TransformerConfig, tmp_path: Path, tiny_transformer: Path) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text(
        json.dumps(
            {
                "output_dir": str(tmp_path / "recipe"),
                "defaults": {"model.hidden_dim": 8, "run.precision": "fp32", "data.source": config.data.source},
                "stages": {
                    "minilm": {
                        "task": "transformer",
                        "settings": {"transformer": str(tiny_transformer), "max_length": 32},
                    }
                },
            }
        )
    )
    recipe = load_recipe(file, {"optimization.epochs": 1, "text.max_length": 20})
    run_recipe(recipe)
    weights = tmp_path / "recipe" / "minilm" / "model" / "model.safetensors"
    before = weights.stat().st_mtime_ns
    run_recipe(recipe)
    assert weights.stat().st_mtime_ns == before


def test_a_missing_library_is_said_before_any_work(
    config: TransformerConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sentiment.persistence.transformer.importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"transformers is not installed; install it with: .*\[teachers\]"):
        train_transformer(config)
    file = tmp_path / "recipe.yaml"
    stages = {"first": {"task": "train"}, "minilm": {"task": "transformer"}}
    file.write_text(json.dumps({"output_dir": str(tmp_path / "recipe"), "stages": stages}))
    with pytest.raises(InputError, match="transformers is not installed"):
        run_recipe(load_recipe(file))
    assert not (tmp_path / "recipe").exists()
