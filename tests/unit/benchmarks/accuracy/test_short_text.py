from argparse import Namespace
from pathlib import Path

import pytest

from benchmarks.accuracy import short_text
from benchmarks.accuracy.short_text import VARIANTS, evaluate, student_configs
from sentiment.config import DataConfig
from sentiment.training import distill


def test_students_differ_in_the_short_texts_alone(tmp_path: Path) -> None:
    data = DataConfig(source="reviews", groups_file="films.txt")
    first, *others = student_configs(data, 500, tmp_path).values()
    assert (first.crops, first.grammar_sentences, first.unlabeled_reviews) == (0, 0, 500)
    assert (first.optimization.epochs, first.adversarial.weight) == (1, 0)
    learned = [(one.crops > 0, one.grammar_sentences > 0, one.batch_reviews) for one in others]
    assert learned == [(True, False, 64), (False, True, 64), (True, True, 64), (True, True, 0)]
    for one in others:
        assert (one.model, one.optimization, one.adversarial) == (first.model, first.optimization, first.adversarial)
        assert (one.teachers, one.pretrained, one.data) == (first.teachers, first.pretrained, first.data)
        assert one.run.output_dir != first.run.output_dir


def test_each_student_is_trained_evaluated_and_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluated = []

    def evaluate(model: Path, data: DataConfig) -> dict[str, float]:
        evaluated.append(model)
        return {"one sentence": 0.8, "last sentence": 0.7, "checklist tests failed": 0.25}

    monkeypatch.setattr(distill, "distill", lambda config, resume: [{"accuracy": 0.5}, {"accuracy": 0.9}])
    monkeypatch.setattr(short_text, "evaluate", evaluate)
    page = short_text.run(Namespace(data="reviews", groups_file=None, unlabeled=500, output=tmp_path))
    assert len(set(evaluated)) == len(VARIANTS) and all(model.name == "model" for model in evaluated)
    assert "| whole reviews alone | `--crops=0 --grammar_sentences=0` | 90.0% | 80.0% | 70.0% | 25.0% |" in page
    assert (tmp_path / "short_text.md").read_text() == page


def test_a_student_is_evaluated_by_its_answers(
    tiny_model_directory: Path, reviews_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    found = evaluate(tiny_model_directory, DataConfig(source=str(reviews_file), validation_fraction=0.2))
    assert list(found) == ["one sentence", "last sentence", "checklist tests failed"]
    assert 0 < found["one sentence"] < 1 and 0 < found["checklist tests failed"] < 1
