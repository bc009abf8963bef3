"""`make recipe` is one chain: whatever a step starts from or learns from, an earlier step has made."""

import shlex
import subprocess
from pathlib import Path

from sentiment.config import DistilConfig, PretrainConfig, TrainConfig, load_config

ROOT = Path(__file__).parents[2]
CLASSES = {"pretrain": PretrainConfig, "train": TrainConfig, "distil": DistilConfig}
SIZE = "--model.hidden_dim=1024"


def test_each_step_of_the_recipe_needs_what_was_made_before() -> None:
    printed = subprocess.run(
        ["make", "-n", "recipe", "DATA=reviews", f"SIZE={SIZE}"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    steps = [shlex.split(line) for line in printed.stdout.replace("\\\n", "").splitlines() if "/sentiment " in line]
    made: dict[str, str] = {}  # the direction in which each model reads
    for _, command, file, *arguments in steps:
        overrides = [argument for argument in arguments if argument != "--resume"]
        config = load_config(CLASSES[command], ROOT / file, overrides)
        assert config.data.source == "reviews" and "--resume" in arguments
        teachers = config.teachers if isinstance(config, DistilConfig) else []
        start = [] if isinstance(config, PretrainConfig) else [config.pretrained]
        assert {*start, *teachers} <= made.keys()
        if "small" not in config.run.output_dir:  # which takes word vectors alone
            assert all(made[place] == config.text.direction for place in start)
        assert f"{config.run.output_dir}/model" not in made
        made[f"{config.run.output_dir}/model"] = config.text.direction
        assert (config.model.hidden_dim == 1024) == ("small" not in config.run.output_dir)
    assert len(steps) >= 7
