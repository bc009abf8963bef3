"""Teachers together: each one's answers, and the weights they get."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from sentiment import ensemble, inference
from sentiment.ensemble import member_logits
from sentiment.hardware import Hardware


def hardware(precision: str) -> Hardware:
    """A CPU's, without accelerate, which knows one precision per process."""

    def autocast() -> torch.autocast:
        return torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16")

    accelerator: Any = SimpleNamespace(device=torch.device("cpu"), mixed_precision=precision, autocast=autocast)
    return Hardware(accelerator)


def test_a_teacher_answers_the_same_with_any_number_of_threads(
    tiny_model_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inference, "BATCH_TOKENS", 20)
    monkeypatch.setattr(ensemble, "default_cache", lambda: None)
    documents = ["a wonderful film", "a terrible film", "dull and boring from start to finish"] * 5
    answers, before = [], torch.get_num_threads()
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            answers.append(member_logits(tiny_model_directory, documents, hardware("bf16")))
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(*answers)
    assert np.ptp(answers[0]) > 0.01


def test_answers_kept_by_a_former_version_are_asked_for_anew(
    tiny_model_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ensemble, "default_cache", lambda: tmp_path)
    for _ in range(2):
        member_logits(tiny_model_directory, ["great fun"], hardware("no"))
        assert len(list(tmp_path.iterdir())) == 1
    monkeypatch.setattr(ensemble, "VERSION", ensemble.VERSION + 1)
    member_logits(tiny_model_directory, ["great fun"], hardware("no"))
    assert len(list(tmp_path.iterdir())) == 2
