"""Commands that train a model, and one that evaluates teachers."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from sentiment.cli.configurations import CONFIGURATIONS, find_configuration
from sentiment.cli.options import SHORT_READING, configured
from sentiment.cli.parser import CommandParser
from sentiment.cli.settings import SHORT, add_hidden_settings, add_short_options, check_contradictions, parsed


def train(arguments: Sequence[str]) -> None:
    """Train a classifier: CONFIG.yaml [--resume] [--dotted.key=value ...]."""
    from sentiment.config import TrainConfig

    about = "Train a classifier on labeled reviews."
    examples = ["imdb --data my_reviews --output runs/mine", "imdb --seed 2 --optimization.epochs=6"]
    config, options = configured("train", about, TrainConfig, arguments, examples=examples)
    from sentiment.training.finetune import train as run

    run(config, options.resume)
    _print_model(config.run.output_dir)


def pretrain(arguments: Sequence[str]) -> None:
    """Pretrain a language model for a classifier: CONFIG.yaml [--resume] [--dotted.key=value ...]."""
    from sentiment.config import PretrainConfig

    about = "Train a language model on labeled and unlabeled reviews. A classifier can start from it."
    examples = ["imdb --data my_reviews --output runs/language_model", "imdb --output runs/language_model --resume"]
    config, options = configured("pretrain", about, PretrainConfig, arguments, examples=examples)
    from sentiment.training.pretrain import pretrain as run

    run(config, options.resume)
    _print_model(config.run.output_dir)


def distill(arguments: Sequence[str]) -> None:
    """Train a student on the predictions of its teachers: CONFIG.yaml [--resume] [--dotted.key=value ...]."""
    from sentiment.config import DistillConfig

    about = "Train a student on labeled reviews, and on the predictions of its teachers for unlabeled reviews."
    examples = [
        "imdb --pretrained=imdb --teachers='[imdb]' --output runs/student",
        "imdb --output runs/student --resume",
    ]
    config, options = configured("distill", about, DistillConfig, arguments, examples=examples)
    from sentiment.training.distill import distill as run

    run(config, options.resume)
    _print_model(config.run.output_dir)


def train_transformer(arguments: Sequence[str]) -> None:
    """Fine-tune a transformer to be a teacher: CONFIG.yaml [--resume] [--dotted.key=value ...]."""
    from sentiment.config import TransformerConfig

    about = "Fine-tune a transformer on labeled reviews, to be a teacher of `distill`. Needs the extra `teachers`."
    examples = ["transformer --data my_reviews --output runs/transformer", "transformer --resume"]
    config, options = configured("train-transformer", about, TransformerConfig, arguments, examples=examples)
    from sentiment.training.transformer import train_transformer as run

    run(config, options.resume)
    _print_model(config.run.output_dir)


def evaluate_teachers(arguments: Sequence[str]) -> None:
    """Evaluate the teachers of a student as an ensemble: CONFIG.yaml [--split NAME] [--dotted.key=value ...]."""
    from sentiment.config import DistillConfig

    split = {"default": "test", "metavar": "NAME", "help": "split to evaluate on"}
    about = "Evaluate the ensemble of teachers in a student's configuration on a labeled split, and print JSON."
    examples = ["runs/recipe/gen4/config.yaml", "runs/recipe/gen4/config.yaml --split test --data my_reviews"]
    config, options = configured("evaluate-teachers", about, DistillConfig, arguments, {"--split": split}, examples)
    from sentiment.training.distill import evaluate_teachers as run

    print(json.dumps(run(config, options.split), indent=2))


def recipe(arguments: Sequence[str]) -> None:
    """Run all training stages of a recipe: RECIPE.yaml [--plan] [--restart STAGE] [--dotted.key=value ...]."""
    from sentiment.config import DistillConfig, PretrainConfig, TrainConfig, TransformerConfig

    about = "Run all training stages of a recipe. Finished stages are skipped; a stopped stage is resumed."
    about += " --dotted.key=value, such as --text.max_length=400, applies to all stages that do not set it themselves."
    usage = "sentiment recipe RECIPE.yaml [--plan] [--restart STAGE] [--dotted.key=value ...]"
    parser = CommandParser("recipe", about, ["imdb --plan", "imdb --data stanfordnlp/imdb"], usage)
    parser.add_argument("recipe", metavar="RECIPE.yaml", help="recipe, or name of an installed one, such as imdb")
    parser.add_argument("--plan", action="store_true", help="print the stages as a Mermaid diagram and exit")
    parser.add_argument("--restart", metavar="STAGE", help="run STAGE again, and all stages that need it")
    # no --output: a recipe has its own output_dir, in which each stage has a directory
    add_short_options(parser, "common settings", {name: SHORT[name] for name in SHORT if name != "run.output_dir"})
    add_short_options(parser, "reading files", SHORT_READING)
    config_classes = [PretrainConfig, TrainConfig, DistillConfig, TransformerConfig]
    add_hidden_settings(parser, config_classes)
    options = parser.parse_args(arguments)
    check_contradictions(options.settings)
    from sentiment.config_reader import check_override
    from sentiment.training.recipe import load_recipe, plan, run_recipe

    for option, setting, value in options.settings:
        if option == f"--{setting}":
            check_override(config_classes, setting, value)
    settings = {
        setting: parsed(value) if option == f"--{setting}" else value for option, setting, value in options.settings
    }
    loaded = load_recipe(find_configuration(options.recipe, CONFIGURATIONS / "recipes"), settings)
    if options.plan:
        print(plan(loaded))
        return
    run_recipe(loaded, options.restart)
    for name in loaded.publish:
        _print_model(loaded.output_dir / "published", name)


def _print_model(output_dir: str | Path, name: str = "model") -> None:
    if os.environ.get("RANK", "0") == "0":  # torchrun runs this in each process
        print(f"model: {Path(output_dir) / name}")
