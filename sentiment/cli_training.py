"""Commands that train, and one that measures the teachers of a training."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from sentiment.cli_arguments import configured


def train(arguments: Sequence[str]) -> None:
    """CONFIG.yaml [--resume] [--dotted.key=value ...]: train a classifier."""
    from sentiment.config import TrainConfig
    from sentiment.supervised import train as run

    config, options = configured("train", TrainConfig, arguments)
    run(config, options.resume)
    _say_model(config.run.output_dir)


def pretrain(arguments: Sequence[str]) -> None:
    """CONFIG.yaml [--resume] [--dotted.key=value ...]: train a language model, the classifier's start."""
    from sentiment.config import PretrainConfig
    from sentiment.pretraining import pretrain as run

    config, options = configured("pretrain", PretrainConfig, arguments)
    run(config, options.resume)
    _say_model(config.run.output_dir)


def distil(arguments: Sequence[str]) -> None:
    """CONFIG.yaml [--resume] [--dotted.key=value ...]: train a student on its teachers' answers."""
    from sentiment.config import DistilConfig
    from sentiment.distillation import distil as run

    config, options = configured("distil", DistilConfig, arguments)
    run(config, options.resume)
    _say_model(config.run.output_dir)


def ensemble(arguments: Sequence[str]) -> None:
    """CONFIG.yaml [--split test] [--dotted.key=value ...]: measure the teachers of a student, together, on a split."""
    from sentiment.config import DistilConfig
    from sentiment.distillation import judge_teachers

    split = {"default": "test", "metavar": "NAME", "help": "which split is judged (default: test)"}
    config, options = configured("ensemble", DistilConfig, arguments, {"--split": split})
    print(json.dumps(judge_teachers(config, options.split), indent=2))


def _say_model(output_dir: str) -> None:
    if os.environ.get("RANK", "0") == "0":  # under torchrun each process comes by here
        print(f"model: {Path(output_dir) / 'model'}")
