from pathlib import Path

import pytest

from sentiment.config import PretrainConfig, load_config
from sentiment.errors import InputError
from sentiment.pretraining import language_model_settings, pretrain

PRETRAIN = Path(__file__).parents[2] / "configs" / "pretrain.yaml"


def test_the_heads_dropout_is_that_before_the_softmax() -> None:
    settings = language_model_settings(load_config(PretrainConfig, PRETRAIN, ["--model.head_dropout=0.4"]))
    assert settings["output_dropout"] == 0.4
    assert settings.keys().isdisjoint({"head_dropout", "head_dim", "pooling"})


@pytest.mark.parametrize("setting", ["head_dim=64", "pooling=last"])
def test_parts_that_a_language_model_has_not_are_refused_before_any_work(setting: str, tmp_path: Path) -> None:
    place = tmp_path / "run"
    overrides = [f"--model.{setting}", "--data.source=nowhere.csv", f"--run.output_dir={place}"]
    with pytest.raises(InputError, match=rf"^model\.{setting.split('=')[0]} is a classifier's, .*leave it out\.$"):
        pretrain(load_config(PretrainConfig, PRETRAIN, overrides))
    assert not place.exists()
