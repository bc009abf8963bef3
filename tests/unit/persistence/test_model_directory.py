import json
from dataclasses import replace
from pathlib import Path

import pytest

from sentiment.errors import InputError
from sentiment.persistence.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from sentiment.persistence.model_directory import PRETRAINED_MODELS, config_digest, locate_model
from sentiment.text.normalization import CURRENT_STEPS, FIRST_STEPS


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


def test_a_model_keeps_its_steps_and_an_older_one_those_of_its_time(
    tiny_checkpoint: Checkpoint, tmp_path: Path
) -> None:
    assert load_checkpoint(PRETRAINED_MODELS / "imdb", "sentiment-rnn").text.steps == CURRENT_STEPS
    fewer = replace(tiny_checkpoint, text=replace(tiny_checkpoint.text, steps=("tags", "runs")))
    save_checkpoint(fewer, tmp_path / "model")
    assert load_checkpoint(tmp_path / "model", "sentiment-rnn").text.steps == ("tags", "runs")
    assert len({fewer.digest(), tiny_checkpoint.digest()}) == 2
    file = tmp_path / "model" / "config.json"
    config = json.loads(file.read_text())
    for steps, expected in ((None, FIRST_STEPS), (["tags", "rhyme"], InputError)):
        config["text"] = {name: value for name, value in config["text"].items() if name != "steps"}
        config["text"] |= {} if steps is None else {"steps": steps}
        file.write_text(json.dumps(config | {"sha256": config_digest(config)}))
        if expected is InputError:
            with pytest.raises(InputError, match="steps has 'rhyme', which this version does not know"):
                load_checkpoint(tmp_path / "model", "sentiment-rnn")
        else:
            assert load_checkpoint(tmp_path / "model", "sentiment-rnn").text.steps == expected
