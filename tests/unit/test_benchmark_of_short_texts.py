from pathlib import Path

import pytest

from benchmarks import short_texts
from benchmarks.short_texts import VARIANTS, Student, settings, table
from sentiment.config import DataConfig


def test_students_differ_in_the_short_texts_alone(tmp_path: Path) -> None:
    data = DataConfig("reviews", groups_file="films.txt")
    first, *others = (settings(reads, data, 500, tmp_path) for reads in VARIANTS)
    assert (first.crops, first.short_reviews, first.unlabelled_reviews) == (0, 0, 500)
    read = [(one.crops > 0, one.short_reviews > 0, one.batch_reviews) for one in others]
    assert read == [(True, False, 64), (False, True, 64), (True, True, 64), (True, True, 0)]
    for one in others:
        assert (one.model, one.optimisation, one.adversarial) == (first.model, first.optimisation, first.adversarial)
        assert (one.teachers, one.pretrained, one.data) == (first.teachers, first.pretrained, first.data)
        assert one.run.output_dir != first.run.output_dir


def test_each_student_is_trained_judged_and_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judged = []

    def judge(reads: str, whole: float, model: Path, data: DataConfig) -> Student:
        judged.append(model)
        return Student(reads, whole, 0.8, 0.7, 0.25)

    monkeypatch.setattr(short_texts, "distil", lambda config, resume: [{"accuracy": 0.5}, {"accuracy": 0.9}])
    monkeypatch.setattr(short_texts, "judge", judge)
    page = short_texts.run(DataConfig("reviews"), 500, tmp_path)
    assert len(set(judged)) == len(VARIANTS) and all(model.name == "model" for model in judged)
    assert "| whole reviews alone | `--crops=0 --short_reviews=0` | 90.0% | 80.0% | 70.0% | 25.0% |" in page
    assert (tmp_path / "short_texts.md").read_text() == page + "\n"


def test_a_student_is_judged_by_what_it_says(
    tiny_model_directory: Path, reviews_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    data = DataConfig(str(reviews_file), validation_fraction=0.2)
    found = short_texts.judge("whole reviews alone", 0.6, tiny_model_directory, data)
    assert found.whole == 0.6 and 0 < found.sentence < 1 and 0 < found.failures < 1
    assert len(table([found]).splitlines()) == 3
