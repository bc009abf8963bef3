import json
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.accuracy import edits, texts
from benchmarks.accuracy.edits import VARIANTS
from benchmarks.accuracy.texts import Figures
from sentiment.config import DistillConfig
from sentiment.io.files import write_text
from sentiment.training import distill


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    file = tmp_path / "pairs.csv"
    file.write_text(
        "original,edited,label_original,label_edited\n"
        "a wonderful film,a terrible film,1,0\nawful acting and a boring story,superb acting and a great story,0,1\n"
    )
    return file


def test_each_student_is_trained_once_and_shown(tmp_path: Path, pairs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained: list[DistillConfig] = []
    monkeypatch.setattr(distill, "distill", lambda config, resume: trained.append(config))

    def figures(model: Any, _: Any) -> Figures:
        return Figures({"whole reviews": 90.0 + (trained[-1].run.seed if isinstance(model, Path) else 0)}, {}, 1.0)

    monkeypatch.setattr(edits, "evaluate", figures)
    monkeypatch.setattr(edits, "lstm", lambda model: model)
    monkeypatch.setattr(edits, "load_kinds", lambda *_: {})
    config = tmp_path / "student.yaml"
    write_text(config, yaml.safe_dump({"pretrained": "tiny", "sentences": 7, "opinions": 5}))
    options = Namespace(config=str(config), pairs=pairs, texts=[], seeds=2, output=tmp_path / "edits")
    page = edits.run(options)
    assert len(trained) == 2 * len(VARIANTS)
    assert {one.run.seed for one in trained} == {1, 2} and len({one.run.output_dir for one in trained}) == len(trained)
    assert [one.sentences for one in trained if one.opinions == 0 and one.run.seed == 1] == [7, 0]
    assert "| before |  | 90.0 |" in page and "| all |  | 91.5 ± 0.7 |" in page
    assert "| without opinions | `--opinions=0` | 91.5 ± 0.7 |" in page
    assert (tmp_path / "edits" / "edits.md").read_text() == page
    rows = [line for line in edits.run(options).splitlines() if line.startswith("|")]
    assert all(row in page for row in rows) and len(trained) == 2 * len(VARIANTS)


def test_models_are_evaluated_on_all_kinds_of_texts(
    tiny_model_directory: Path, tiny_transformer: Path, reviews_file: Path, pairs: Path, tmp_path: Path
) -> None:
    models, transformers = [str(tiny_model_directory)], [str(tiny_transformer)]
    options = Namespace(
        data=str(reviews_file),
        groups_file=None,
        pairs=pairs,
        texts=[reviews_file],
        models=models,
        transformers=transformers,
        output=tmp_path,
    )
    page = texts.run(options)
    header, _, *rows = page.splitlines()[:4]
    kinds = ["whole reviews", "edited side", "reviews", "both sides right", "checklist tests failed"]
    assert [cell.strip() for cell in header.split("|")[1:-1]] == ["model", *kinds, "reviews/s"]
    for row, model in zip(rows, models + transformers, strict=True):
        assert row.split("|")[1].strip() == model
        *figures, speed = [float(cell) for cell in row.split("|")[2:-1]]
        assert all(0 <= figure <= 100 for figure in figures) and figures[3] <= figures[1] and speed > 0
        found = json.loads((tmp_path / "texts.json").read_text())["models"][model]
        assert list(found["calibration"]) == ["whole reviews", "edited side", "reviews"]
    assert "2 edited side" in page
