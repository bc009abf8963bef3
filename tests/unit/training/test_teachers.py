"""The ensemble of teachers: predictions and weights."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from sentiment.data.splitting import Parts
from sentiment.data.texts import Texts
from sentiment.errors import InputError
from sentiment.inference import engine
from sentiment.training import teachers
from sentiment.training.hardware import Hardware
from sentiment.training.teachers import EnsembleLogits, Teacher, ensemble_logits, load_teacher
from sentiment.training.transfer import TransferTexts


def hardware(precision: str) -> Hardware:
    """A CPU's, without accelerate, which knows one precision per process."""

    def autocast() -> torch.autocast:
        return torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16")

    accelerator: Any = SimpleNamespace(
        device=torch.device("cpu"), mixed_precision=precision, autocast=autocast, is_main_process=True
    )
    return Hardware(accelerator)


def test_a_teacher_predicts_the_same_with_any_number_of_threads(
    tiny_model_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BATCH_TOKENS", 20)
    monkeypatch.setattr(teachers, "cache_directory", lambda: None)
    documents = ["a wonderful film", "a terrible film", "dull and boring from start to finish"] * 5
    logits, before = [], torch.get_num_threads()
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            teacher = load_teacher(str(tiny_model_directory), hardware("bf16"))
            logits.append(teacher.logits(Texts(documents, documents), hardware("bf16")))
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(*logits)
    assert np.ptp(logits[0]) > 0.01


def test_cached_predictions_of_another_version_are_not_used(
    tiny_model_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teachers, "cache_directory", lambda: tmp_path)
    teacher = load_teacher(str(tiny_model_directory), hardware("no"))
    for _ in range(2):
        teacher.logits(Texts.tokenized(["great fun"]), hardware("no"))
        assert len(list(tmp_path.iterdir())) == 1
    monkeypatch.setattr(teachers, "VERSION", teachers.VERSION + 1)
    teacher.logits(Texts.tokenized(["great fun"]), hardware("no"))
    assert len(list(tmp_path.iterdir())) == 2


@pytest.fixture
def guessing(monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """N-grams and ten teachers that know nothing of the reviews "0" to "59"; their logits [60, 11]."""
    logits = np.random.default_rng(0).normal(size=(60, 11))

    def predict(documents: Sequence[str], teacher: int) -> np.ndarray:
        return logits[list(map(int, documents)), teacher]

    monkeypatch.setattr(teachers, "baseline_logits", lambda name, train, labels, documents, _: predict(documents, 0))
    monkeypatch.setattr(Teacher, "logits", lambda self, texts, _: predict(texts.documents, int(self.name)))
    return logits


LSTM: Any = "a checkpoint"
TEACHERS = [
    Teacher(str(number), lambda *_: torch.empty(0), lambda texts: [], "", LSTM if number < 9 else None)
    for number in range(1, 11)
]


def numbered(start: int, stop: int) -> Texts:
    names = [str(row) for row in range(start, stop)]
    return Texts(names, names)


def parts_of(labels: np.ndarray) -> Parts:
    names = [str(row) for row in range(len(labels))]
    return Parts(["0", "1"], np.array([0, 1], np.float32), names, labels, ["0", "1"], names)


def test_the_validation_part_is_predicted_by_cross_validation(guessing: np.ndarray) -> None:
    labels = np.random.default_rng(1).integers(0, 2, 40).astype(np.float32)
    found = ensemble_logits(TEACHERS, parts_of(labels), numbered(40, 60), hardware("no"))
    held_out, others = found.validation, found.texts
    weights = LogisticRegression().fit(guessing[:40], labels)
    np.testing.assert_allclose(others, weights.decision_function(guessing[40:]))
    seen = np.mean((weights.decision_function(guessing[:40]) >= 0) == labels)
    assert seen > 0.65 > 0.6 > np.mean((held_out >= 0) == labels)
    again = ensemble_logits(TEACHERS, parts_of(labels), numbered(40, 41), hardware("no"))
    np.testing.assert_array_equal(again.validation, held_out)
    np.testing.assert_allclose(again.texts, others[:1], rtol=1e-12)  # one row is multiplied by another routine


def test_each_label_needs_two_validation_reviews(guessing: np.ndarray) -> None:
    labels = np.zeros(20, np.float32)
    labels[:2] = 1
    assert ensemble_logits(TEACHERS, parts_of(labels), numbered(0, 0), hardware("no")).validation.shape == (20,)
    labels[1] = 0
    with pytest.raises(InputError, match=r"fewer than two reviews of a label.*validation_fraction"):
        ensemble_logits(TEACHERS, parts_of(labels), numbered(0, 0), hardware("no"))


def test_transformers_are_weighted_by_themselves(guessing: np.ndarray) -> None:
    labels = np.random.default_rng(1).integers(0, 2, 40).astype(np.float32)
    found = ensemble_logits(TEACHERS, parts_of(labels), numbered(40, 60), hardware("no"))
    alone = LogisticRegression().fit(guessing[:40, 9:], labels).decision_function(guessing[40:, 9:])
    np.testing.assert_allclose(found.transformers, alone)
    lstms = [teacher for teacher in TEACHERS if teacher.checkpoint is not None]
    found = ensemble_logits(lstms, parts_of(labels), numbered(40, 60), hardware("no"))
    np.testing.assert_array_equal(found.transformers, found.texts)


def test_a_student_learns_edits_from_transformers_and_sentences_on_which_all_agree() -> None:
    found = EnsembleLogits(np.zeros(0), np.array([1.0, 1.0, 1.0, 1.0, -1.0]), np.array([-3.0, -3.0, 3.0, -3.0, -3.0]))
    transfer = TransferTexts(numbered(0, 5), edited=slice(1, 5), sentences=slice(2, 5))
    logits, kept = transfer.targets(found, 0.75)
    np.testing.assert_allclose(logits, [1.0, -2.0, 2.5, -2.0, -2.5])
    assert kept.tolist() == [True, True, True, False, True]
