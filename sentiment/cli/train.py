"""Commands that train a model, and one that evaluates teachers."""

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sentiment.cli.options import add_reading_options, configured, reading_settings
from sentiment.errors import InputError


def train(arguments: Sequence[str]) -> None:
    """Train a classifier: CONFIG.yaml [--resume] [--dotted.key=value ...]."""
    from sentiment.config import TrainConfig

    config, options = configured("train", "Train a classifier on labeled reviews.", TrainConfig, arguments)
    from sentiment.training.finetune import train as run

    run(config, options.resume)
    _print_model(config.run.output_dir)


def pretrain(arguments: Sequence[str]) -> None:
    """Pretrain a language model for a classifier: CONFIG.yaml [--resume] [--dotted.key=value ...]."""
    from sentiment.config import PretrainConfig

    about = "Train a language model on labeled and unlabeled reviews. A classifier can start from it."
    config, options = configured("pretrain", about, PretrainConfig, arguments)
    from sentiment.training.pretrain import pretrain as run

    run(config, options.resume)
    _print_model(config.run.output_dir)


def distill(arguments: Sequence[str]) -> None:
    """Train a student on the predictions of its teachers: CONFIG.yaml [--resume] [--dotted.key=value ...]."""
    from sentiment.config import DistillConfig

    about = "Train a student on labeled reviews, and on the predictions of its teachers for unlabeled reviews."
    config, options = configured("distill", about, DistillConfig, arguments)
    from sentiment.training.distill import distill as run

    run(config, options.resume)
    _print_model(config.run.output_dir)


def evaluate_teachers(arguments: Sequence[str]) -> None:
    """Evaluate the teachers of a student as an ensemble: CONFIG.yaml [--split NAME] [--dotted.key=value ...]."""
    from sentiment.config import DistillConfig

    split = {"default": "test", "metavar": "NAME", "help": "split to evaluate on"}
    about = "Evaluate the ensemble of teachers in a student's configuration on a labeled split, and print JSON."
    config, options = configured("evaluate-teachers", about, DistillConfig, arguments, {"--split": split})
    from sentiment.training.distill import evaluate_teachers as run

    print(json.dumps(run(config, options.split), indent=2))


def recipe(arguments: Sequence[str]) -> None:
    """Run all training stages of a recipe: RECIPE.yaml [--plan] [--restart STAGE] [--dotted.key=value ...]."""
    about = "Run all training stages of a recipe. Finished stages are skipped; a stopped stage is resumed."
    parser = argparse.ArgumentParser(
        "sentiment recipe",
        usage="sentiment recipe RECIPE.yaml [--plan] [--restart STAGE] [--dotted.key=value ...]",
        description=about,
        epilog="--dotted.key=value, such as --data.source=DIR, applies to all stages that do not set it themselves.",
        allow_abbrev=False,
    )
    parser.add_argument("recipe", metavar="RECIPE.yaml", help="recipe, such as configs/recipes/imdb.yaml")
    parser.add_argument("--plan", action="store_true", help="print the stages as a Mermaid diagram and exit")
    parser.add_argument("--restart", metavar="STAGE", help="run STAGE again, and all stages that need it")
    add_reading_options(parser)
    options, others = parser.parse_known_args(arguments)
    reading = {f"data.{name}": value for name, value in reading_settings(options).items()}
    from sentiment.training.recipe import load_recipe, plan, run_recipe

    loaded = load_recipe(options.recipe, _settings(others) | reading)
    if options.plan:
        print(plan(loaded))
        return
    run_recipe(loaded, options.restart)
    for name in loaded.publish:
        _print_model(loaded.output_dir / "published", name)


def _settings(arguments: Sequence[str]) -> dict[str, Any]:
    """Parse `--dotted.key=value ...` to values by name."""
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
    if os.environ.get("RANK", "0") == "0":  # torchrun runs this in each process
        print(f"model: {Path(output_dir) / name}")
