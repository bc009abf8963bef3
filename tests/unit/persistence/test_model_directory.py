from pathlib import Path

import pytest

from sentiment.persistence.model_directory import PRETRAINED_MODELS, locate_model


def test_a_model_directory_goes_before_a_shipped_name_and_any_other_directory_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert locate_model("imdb") == PRETRAINED_MODELS / "imdb"
    Path("imdb").mkdir()
    assert locate_model("imdb") == PRETRAINED_MODELS / "imdb"
    Path("imdb", "config.json").touch()
    assert locate_model("imdb") == Path("imdb")


def test_what_is_no_model_is_given_back_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for model in ("./imdb", "__init__.py", "__pycache__", "some/model"):
        assert locate_model(model) == Path(model)
    assert locate_model("~/model") == tmp_path / "model"
