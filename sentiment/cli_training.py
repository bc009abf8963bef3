"""Commands that train, and one that measures the teachers of a training."""

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path

from sentiment.cli_arguments import configured


def train(arguments: Sequence[str]) -> None:
    """CONFIG.yaml [--resume] [--dotted.key=value ...]: train a classifier."""
    from sentiment.config import TrainConfig
    from sentiment.supervised import train as run

    config, resume = configured("train", TrainConfig, arguments)
    run(config, resume)
    _say_model(config.run.output_dir)


def pretrain(arguments: Sequence[str]) -> None:
    """CONFIG.yaml [--resume] [--dotted.key=value ...]: train a language model, the classifier's start."""
    from sentiment.config import PretrainConfig
    from sentiment.pretraining import pretrain as run

    config, resume = configured("pretrain", PretrainConfig, arguments)
    run(config, resume)
    _say_model(config.run.output_dir)


def distil(arguments: Sequence[str]) -> None:
    """CONFIG.yaml [--resume] [--dotted.key=value ...]: train a student on its teachers' answers."""
    from sentiment.config import DistilConfig
    from sentiment.distillation import distil as run

    config, resume = configured("distil", DistilConfig, arguments)
    run(config, resume)
    _say_model(config.run.output_dir)


def ensemble(arguments: Sequence[str]) -> None:
    """CONFIG.yaml [--split test] [--dotted.key=value ...]: measure the teachers of a student, together, on a split."""
    from sentiment.config import DistilConfig
    from sentiment.distillation import judge_teachers

    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--split", default="test")
    known, rest = options.parse_known_args(arguments)
    config, _ = configured("ensemble", DistilConfig, rest)
    print(json.dumps(judge_teachers(config, known.split), indent=2))


def _say_model(output_dir: str) -> None:
    if os.environ.get("RANK", "0") == "0":  # under torchrun each process comes by here
        print(f"model: {Path(output_dir) / 'model'}")
