from pathlib import Path

import pytest

from sentiment.config import PretrainConfig
from sentiment.config_reader import config_from_settings
from sentiment.errors import InputError
from sentiment.training.pretrain import language_model_settings, pretrain


def test_head_dropout_is_used_before_the_softmax() -> None:
    settings = language_model_settings(config_from_settings(PretrainConfig, {"model.head_dropout": 0.4}, "test"))
    assert settings["output_dropout"] == 0.4
    assert settings.keys().isdisjoint({"head_dropout", "head_dim", "pooling"})


@pytest.mark.parametrize(("setting", "value"), [("head_dim", 64), ("pooling", "last")])
def test_settings_of_a_classifier_are_rejected_before_any_work(setting: str, value: object, tmp_path: Path) -> None:
    place = tmp_path / "run"
    settings = {f"model.{setting}": value, "data.source": "nowhere.csv", "run.output_dir": str(place)}
    with pytest.raises(InputError, match=rf"^model\.{setting} is only for classifiers, .*leave it out\.$"):
        pretrain(config_from_settings(PretrainConfig, settings, "test"))
    assert not place.exists()
