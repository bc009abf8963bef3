from pathlib import Path

import pytest

from sentiment.persistence.model_directory import PRETRAINED_MODELS, locate_model


def test_a_model_directory_has_priority_over_a_shipped_model_and_other_directories_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert locate_model("imdb") == PRETRAINED_MODELS / "imdb"
    Path("imdb").mkdir()
    assert locate_model("imdb") == PRETRAINED_MODELS / "imdb"
    Path("imdb", "config.json").touch()
    assert locate_model("imdb") == Path("imdb")


def test_an_unknown_model_is_returned_as_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for model in ("./imdb", "__init__.py", "__pycache__", "some/model"):
        assert locate_model(model) == Path(model)
    assert locate_model("~/model") == tmp_path / "model"
