"""Commands that train, and one that evaluates the teachers of a training."""

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sentiment.cli.options import configured
from sentiment.errors import InputError


def train(arguments: Sequence[str]) -> None:
    """Train a classifier: CONFIG.yaml [--resume] [--dotted.key=value ...]."""
    from sentiment.config import TrainConfig

    config, options = configured("train", "Train a classifier on labeled reviews.", TrainConfig, arguments)
    from sentiment.training.finetune import train as run

    run(config, options.resume)
    _print_model(config.run.output_dir)


def pretrain(arguments: Sequence[str]) -> None:
    """Train a language model, from which a classifier can start: CONFIG.yaml [--resume] [--dotted.key=value ...]."""
    from sentiment.config import PretrainConfig

    about = "Train a language model on labeled and unlabeled reviews; a classifier can start from it."
    config, options = configured("pretrain", about, PretrainConfig, arguments)
    from sentiment.training.pretrain import pretrain as run

    run(config, options.resume)
    _print_model(config.run.output_dir)


def distill(arguments: Sequence[str]) -> None:
    """Train a student on what its teachers predict: CONFIG.yaml [--resume] [--dotted.key=value ...]."""
    from sentiment.config import DistillConfig

    about = "Train a student: it learns what its teachers predict for unlabeled reviews, and the labels of the others."
    config, options = configured("distill", about, DistillConfig, arguments)
    from sentiment.training.distill import distill as run

    run(config, options.resume)
    _print_model(config.run.output_dir)


def evaluate_teachers(arguments: Sequence[str]) -> None:
    """Evaluate the teachers of a student, together: CONFIG.yaml [--split NAME] [--dotted.key=value ...]."""
    from sentiment.config import DistillConfig

    split = {"default": "test", "metavar": "NAME", "help": "split that the teachers are evaluated on"}
    about = "Evaluate the teachers that a student's configuration names, together, on a labeled split; prints JSON."
    config, options = configured("evaluate-teachers", about, DistillConfig, arguments, {"--split": split})
    from sentiment.training.distill import evaluate_teachers as run

    print(json.dumps(run(config, options.split), indent=2))


def recipe(arguments: Sequence[str]) -> None:
    """Run a chain of trainings: RECIPE.yaml [--plan] [--restart STAGE] [--dotted.key=value ...]."""
    about = "Run a chain of trainings. Finished stages are skipped; a stopped one is resumed by the same command."
    parser = argparse.ArgumentParser(
        "sentiment recipe",
        usage="sentiment recipe RECIPE.yaml [--plan] [--restart STAGE] [--dotted.key=value ...]",
        description=about,
        epilog="--dotted.key=value, such as --data.source=DIR, is for all stages that do not set it themselves.",
        allow_abbrev=False,
    )
    parser.add_argument("recipe", metavar="RECIPE.yaml", help="such as configs/recipes/imdb.yaml")
    parser.add_argument("--plan", action="store_true", help="print the stages as a Mermaid diagram, and do nothing")
    parser.add_argument("--restart", metavar="STAGE", help="begin STAGE again, and all stages that need it")
    options, others = parser.parse_known_args(arguments)
    from sentiment.training.recipe import load_recipe, plan, run_recipe

    loaded = load_recipe(options.recipe, _settings(others))
    if options.plan:
        print(plan(loaded))
        return
    run_recipe(loaded, options.restart)
    for name in loaded.publish:
        _print_model(loaded.output_dir / "published", name)


def _settings(arguments: Sequence[str]) -> dict[str, Any]:
    """`--dotted.key=value ...` as values by name."""
    import yaml

    settings = {}
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if not (name.startswith("--") and equals):
            raise InputError(f"{argument}: write a setting as --dotted.key=value.")
        try:
            settings[name.removeprefix("--")] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise InputError(f"{argument}: {' '.join(str(error).split())}") from error
    return settings


def _print_model(output_dir: str | Path, name: str = "model") -> None:
    if os.environ.get("RANK", "0") == "0":  # under torchrun each process comes by here
        print(f"model: {Path(output_dir) / name}")
