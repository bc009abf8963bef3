from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.accuracy import edits
from benchmarks.accuracy.edits import VARIANTS, evaluate
from sentiment.config import DataConfig, DistillConfig
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

    def figures(model: Any, *_: Any) -> dict[str, float]:
        return {"whole reviews": 90.0 + (trained[-1].run.seed if isinstance(model, Path) else 0)}

    monkeypatch.setattr(edits, "evaluate", figures)
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


def test_a_model_is_evaluated_on_all_kinds_of_texts(
    tiny_model_directory: Path, reviews_file: Path, pairs: Path
) -> None:
    data = DataConfig(source=str(reviews_file), validation_fraction=0.2)
    found = evaluate(tiny_model_directory, data, pairs, [reviews_file])
    assert list(found) == ["whole reviews", "edited side", "both sides right", "reviews", "checklist tests failed"]
    assert all(0 <= figure <= 100 for figure in found.values())
    assert found["both sides right"] <= found["edited side"]
