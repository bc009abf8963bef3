"""A pretrained model that does not fit is rejected before the reviews are read."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sentiment.config import DataConfig, DistillConfig, TrainConfig
from sentiment.errors import InputError
from sentiment.training.distill import distill
from sentiment.training.finetune import train

NOWHERE = DataConfig(source="where/there/is/nothing")


@pytest.fixture
def settings(small_settings: dict[str, Any], tiny_model_directory: Path, tiny_classifier: Any) -> dict[str, Any]:
    """Those that start from the tiny model, and fit it."""
    sizes = {name: value for name, value in tiny_classifier.checkpoint.model_settings.items() if name != "vocab_size"}
    model = replace(small_settings["model"], **sizes)
    return {**small_settings, "model": model, "data": NOWHERE, "pretrained": str(tiny_model_directory)}


def test_a_model_that_fits_is_loaded(settings: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="where/there/is/nothing"):
        train(TrainConfig(**settings))


def test_the_other_reading_direction_is_rejected(settings: dict[str, Any]) -> None:
    backward = {**settings, "text": replace(settings["text"], direction="backward")}
    for run in (lambda: train(TrainConfig(**backward)), lambda: distill(DistillConfig(**backward))):
        with pytest.raises(InputError, match=r"learned to read forward, but text\.direction is backward; start from"):
            run()


def test_shorter_word_vectors_are_rejected(settings: dict[str, Any]) -> None:
    wide = {**settings, "model": replace(settings["model"], embedding_dim=100)}
    for run in (lambda: train(TrainConfig(**wide)), lambda: distill(DistillConfig(**wide))):
        with pytest.raises(InputError, match=r"embedding_dim can be [0-9]+ or less"):
            run()
