"""Teachers together: each one's answers, and the weights they get."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from sentiment import ensemble, inference
from sentiment.data import Parts
from sentiment.ensemble import ensemble_logits, member_logits
from sentiment.errors import InputError
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


@pytest.fixture
def guessing(monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """N-grams and ten teachers that know nothing of the reviews "0" to "59"; their logits [60, 11]."""
    logits = np.random.default_rng(0).normal(size=(60, 11))

    def answers(documents: Sequence[str], teacher: int) -> np.ndarray:
        return logits[list(map(int, documents)), teacher]

    monkeypatch.setattr(ensemble, "baseline_logits", lambda name, train, labels, documents, _: answers(documents, 0))
    monkeypatch.setattr(ensemble, "member_logits", lambda place, documents, _: answers(documents, int(place.name)))
    return logits


TEACHERS = [Path(str(number)) for number in range(1, 11)]


def parts_of(labels: np.ndarray) -> Parts:
    return Parts(["0", "1"], np.array([0, 1], np.float32), [str(row) for row in range(len(labels))], labels)


def test_the_validation_part_is_answered_by_weights_that_did_not_see_the_label(guessing: np.ndarray) -> None:
    labels = np.random.default_rng(1).integers(0, 2, 40).astype(np.float32)
    held_out, others = ensemble_logits(TEACHERS, parts_of(labels), [str(row) for row in range(40, 60)], hardware("no"))
    weights = LogisticRegression().fit(guessing[:40], labels)
    np.testing.assert_allclose(others, weights.decision_function(guessing[40:]))
    seen = np.mean((weights.decision_function(guessing[:40]) >= 0) == labels)
    assert seen > 0.65 > 0.6 > np.mean((held_out >= 0) == labels)
    again, none = ensemble_logits(TEACHERS, parts_of(labels), [], hardware("no"))
    np.testing.assert_array_equal(again, held_out)
    assert none.shape == (0,)


def test_few_reviews_of_a_class_are_enough_and_one_is_not(guessing: np.ndarray) -> None:
    labels = np.zeros(20, np.float32)
    labels[:2] = 1
    assert ensemble_logits(TEACHERS, parts_of(labels), [], hardware("no"))[0].shape == (20,)
    labels[1] = 0
    with pytest.raises(InputError, match=r"fewer than two reviews of a class.*validation_fraction"):
        ensemble_logits(TEACHERS, parts_of(labels), [], hardware("no"))
