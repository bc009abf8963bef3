"""Recipes: training runs that depend on each other, in one YAML file.

A stage is one run (`pretrain`, `train`, `distill` or `transformer`) with its own directory in `output_dir`. Its
settings are those of the `defaults` that its task has, then those of the `groups` that it names, then its own
`settings`; later values win. It can start from an earlier stage, and earlier stages can be its teachers. `stage.json`
in its directory records its settings and the models that it used. So `run_recipe` skips finished stages, resumes
stopped ones, and rejects a stage that has changed.
"""

import logging
import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sentiment.config import BaseConfig, DistillConfig, LSTMConfig, PretrainConfig, TrainConfig, TransformerConfig
from sentiment.config_reader import config_from_settings, read_yaml
from sentiment.errors import InputError
from sentiment.io.files import expand_user, fingerprint, read_json, write_json
from sentiment.io.signals import Stopped
from sentiment.training.run import CHANGEABLE, flat_settings
from sentiment.training.tracking import check_trackers

logger = logging.getLogger(__name__)

CONFIGS: dict[str, type[BaseConfig]] = {
    "pretrain": PretrainConfig,
    "train": TrainConfig,
    "distill": DistillConfig,
    "transformer": TransformerConfig,
}
RECIPE_KEYS = {"output_dir", "defaults", "groups", "stages", "publish"}
STAGE_KEYS = {"task", "groups", "starts_from", "teachers", "settings"}


@dataclass(frozen=True)
class Stage:
    """One training run of a recipe."""

    name: str
    task: str
    """One of `CONFIGS`."""
    starts_from: str | None
    """Name of the stage whose model it starts from."""
    teachers: tuple[str, ...]
    """Names of the stages whose models are its teachers."""
    config: BaseConfig
    """Its complete settings."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the stages that must be finished first."""
        return tuple(dict.fromkeys(([] if self.starts_from is None else [self.starts_from]) + list(self.teachers)))


@dataclass(frozen=True)
class Recipe:
    """Training runs that depend on each other."""

    output_dir: Path
    """Directory with one subdirectory per stage."""
    stages: dict[str, Stage]
    """Stages by name, each after those that it needs."""
    publish: dict[str, str]
    """{name of a model in `output_dir/published`: stage that trains it}."""


def load_recipe(path: str | Path, overrides: Mapping[str, Any] | None = None) -> Recipe:
    """Read and check a recipe: stages need only earlier stages, reading directions match, all settings exist.

    Args:
        path: YAML file.
        overrides: settings by dotted name; they override `defaults`, but not `groups` or a stage's own `settings`.

    Raises:
        InputError: if something is wrong; it names the file, the stage and the problem.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such recipe.")
    content = read_yaml(path)
    if not isinstance(content, dict) or not {"stages", "output_dir"} <= content.keys():
        raise InputError(f"{path}: not a recipe; it needs the keys `output_dir:` and `stages:`.")
    try:
        stages, groups = dict(content["stages"]), dict(content.get("groups") or {})
        output_dir = expand_user(content["output_dir"])
        publish = dict(content.get("publish") or {})
        defaults = dict(content.get("defaults") or {}) | dict(overrides or {})
    except (ValueError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: not a recipe: {' '.join(str(error).split())}.") from error
    _check_keys(path, "the recipe", content, RECIPE_KEYS)
    for name in [*stages, *publish]:  # they name directories, which --restart deletes
        if not (isinstance(name, str) and re.fullmatch(r"[\w-]+", name)):
            raise InputError(f"{path}: {name!r} is not a name; use letters, digits, - and _.")
    found: dict[str, Stage] = {}
    for name, entry in stages.items():
        where = f"{path}: stage {name}"
        if not isinstance(entry, dict):
            raise InputError(f"{where}: must hold keys such as `task:`, not {type(entry).__name__}.")
        _check_keys(path, f"stage {name}", entry, STAGE_KEYS)
        if isinstance(entry.get("teachers"), str) or isinstance(entry.get("groups"), str):
            raise InputError(f"{where}: teachers and groups are lists, such as [{next(iter(stages))}].")
        try:
            for need in [entry.get("starts_from"), *(entry.get("teachers") or [])]:
                if need is not None and need not in found:
                    raise InputError(f"{where}: needs {need!r}, which is not an earlier stage.")
            found[name] = _stage(name, entry, defaults, groups, output_dir, where)
        except (TypeError, AttributeError) as error:
            raise InputError(f"{where}: a value has the wrong type: {' '.join(str(error).split())}.") from error
        _check_needs(found[name], found, where)
    if missing := [stage for stage in publish.values() if stage not in list(found)]:
        raise InputError(f"{path}: publish names {missing[0]!r}, which is not a stage.")
    return Recipe(output_dir, found, publish)


def _check_keys(path: Path, what: str, entry: Mapping[str, Any], known: set[str]) -> None:
    if unknown := sorted(entry.keys() - known, key=str):
        raise InputError(f"{path}: {what} has an unknown key {unknown[0]!r}; use {', '.join(sorted(known))}.")


def _stage(
    name: str,
    entry: Mapping[str, Any],
    defaults: Mapping[str, Any],
    groups: Mapping[str, Any],
    output_dir: Path,
    where: str,
) -> Stage:
    task = entry.get("task")
    if task not in CONFIGS:
        raise InputError(f"{where}: task is {task!r}; it must be one of {', '.join(CONFIGS)}.")
    # of the defaults, those of other kinds of stages do not apply
    others = set().union(*map(_names, CONFIGS)) - _names(task)
    settings = {name: value for name, value in defaults.items() if name not in others}
    for group in entry.get("groups") or []:
        if group not in groups:
            raise InputError(f"{where}: names the group {group!r}, which is not in the recipe.")
        settings |= groups[group]
    settings |= entry.get("settings") or {}
    settings["run.output_dir"] = str(output_dir / name)
    starts_from, teachers = entry.get("starts_from"), tuple(entry.get("teachers") or ())
    if starts_from is not None:
        settings["pretrained"] = str(output_dir / starts_from / "model")
    if teachers:
        settings["teachers"] = [str(output_dir / teacher / "model") for teacher in teachers]
    return Stage(name, task, starts_from, teachers, config_from_settings(CONFIGS[task], settings, where))


def _names(task: str) -> set[str]:
    return set(flat_settings(CONFIGS[task]()))


def _check_needs(stage: Stage, stages: Mapping[str, Stage], where: str) -> None:
    if stage.starts_from is not None:
        own, other = stage.config, stages[stage.starts_from].config
        if not (isinstance(own, LSTMConfig) and isinstance(other, LSTMConfig)):
            raise InputError(f"{where}: starts from {stage.starts_from}; a transformer and an LSTM share no weights.")
        if (mine := own.text.direction) != (its := other.text.direction):
            raise InputError(f"{where}: reads {mine}, but starts from {stage.starts_from}, which reads {its}.")
    for teacher in stage.teachers:
        if stages[teacher].task == "pretrain":
            raise InputError(f"{where}: {teacher} is a language model; a teacher must be a classifier.")


def run_recipe(recipe: Recipe, restart: str | None = None) -> None:
    """Run all stages that are not finished, then write the published models.

    Args:
        recipe: the stages to run.
        restart: a stage to run again from the start, along with all stages that depend on it; their directories are
            deleted.

    Raises:
        InputError: if a stage does not exist, or was started with other settings or models.
        RunError: if training fails.
        Stopped: after SIGINT or SIGTERM, with the state saved.
    """
    from sentiment.persistence.transformer import require_transformers

    for stage in recipe.stages.values():  # what is missing is said now, not hours later
        check_trackers(stage.config.run.trackers)
        if stage.task == "transformer":
            require_transformers()
    if restart is not None:
        for name in _with_dependents(recipe, restart):
            shutil.rmtree(recipe.output_dir / name, ignore_errors=True)
    for number, stage in enumerate(recipe.stages.values(), 1):
        record_file = recipe.output_dir / stage.name / "stage.json"
        record = _record(recipe, stage)
        previous = read_json(record_file) if record_file.is_file() else None
        title = f"stage {number} of {len(recipe.stages)}, {stage.name}"
        if previous is not None:
            _check_unchanged(previous, record, recipe.output_dir / stage.name)
            if "model" in previous and previous["model"] == _model_digest(recipe, stage.name):
                logger.info(f"{title}: already finished")
                continue
        logger.info(f"{title}: {stage.task}")
        _write_record(record_file, record)
        try:
            _train_stage(stage)
        except Stopped as stopped:
            where = recipe.output_dir / stage.name
            message = f"stopped in stage {stage.name}; its state is saved in {where}. Continue with the same command"
            message += "." if restart is None else ", without --restart."
            raise Stopped(stopped.signal_number, message) from None
        _write_record(record_file, record | {"model": _model_digest(recipe, stage.name)})
    for name, stage_name in recipe.publish.items():
        _publish(recipe.output_dir / stage_name / "model", recipe.output_dir / "published" / name)


def _train_stage(stage: Stage) -> None:
    """Train a stage, from its last training state if there is one."""
    from sentiment.training import distill, finetune, pretrain, transformer  # torch, which `plan` does without

    tasks: dict[str, Callable[..., object]] = {
        "pretrain": pretrain.pretrain,
        "train": finetune.train,
        "distill": distill.distill,
        "transformer": transformer.train_transformer,
    }
    tasks[stage.task](stage.config, resume=True)


def _record(recipe: Recipe, stage: Stage) -> dict[str, Any]:
    """Everything that determines a stage's result: its settings and the models that it needs."""
    settings = {name: value for name, value in flat_settings(stage.config).items() if name not in CHANGEABLE}
    inputs = {need: _model_digest(recipe, need) for need in stage.needs}
    return {"task": stage.task, "settings": settings, "inputs": inputs}


def _check_unchanged(previous: Mapping[str, Any], now: Mapping[str, Any], directory: Path) -> None:
    settings, inputs = previous.get("settings", {}), previous.get("inputs", {})
    changed = [
        f"{name} is {value}, was {settings.get(name)}"
        for name, value in now["settings"].items()
        if settings.get(name) != value
    ]
    for name, digest in now["inputs"].items():
        if inputs.get(name) != digest:
            changed.append(f"the model of stage {name} is {'missing' if digest is None else 'another one'}")
    if previous.get("task") != now["task"]:
        changed.append(f"task is {now['task']}, was {previous.get('task')}")
    if changed:
        raise InputError(
            f"{directory}: was started with other settings or models ({'; '.join(changed)}). Restore them, restart the "
            f"stage with --restart {directory.name}, or choose another output_dir."
        )


def _model_digest(recipe: Recipe, stage: str) -> str | None:
    """SHA-256 of a stage's model, for a transformer of its weights; None if there is no model yet."""
    directory = recipe.output_dir / stage / "model"
    if not (directory / "config.json").is_file():
        return None
    if recipe.stages[stage].task == "transformer":
        return str(fingerprint(directory / "model.safetensors")["sha256"])
    return str(read_json(directory / "config.json")["sha256"])


def _write_record(file: Path, record: Mapping[str, Any]) -> None:
    if os.environ.get("RANK", "0") == "0":  # only the main process of torchrun writes
        write_json(file, record)


def _with_dependents(recipe: Recipe, name: str) -> list[str]:
    if name not in recipe.stages:
        raise InputError(f"--restart {name}: no such stage; the stages are {', '.join(recipe.stages)}.")
    found = [name]
    for stage in recipe.stages.values():  # a stage comes after those that it needs
        if set(stage.needs) & set(found):
            found.append(stage.name)
    return found


def _publish(model: Path, target: Path) -> None:
    from sentiment.classifier import SentimentClassifier

    SentimentClassifier.from_pretrained(model).save_pretrained(target, half_precision=True)
    logger.info(f"published {target}")


def plan(recipe: Recipe) -> str:
    """The stages as a Mermaid diagram; solid arrow: warm start, dotted arrow: teacher, thick arrow: published model."""
    lines = ["graph LR"]
    for stage in recipe.stages.values():
        lines.append(f"  {stage.name}[{stage.name}: {stage.task}]")
        if stage.starts_from is not None:
            lines.append(f"  {stage.starts_from} --> {stage.name}")
        lines += [f"  {teacher} -.-> {stage.name}" for teacher in stage.teachers if teacher != stage.starts_from]
    lines += [f"  {stage} ==> {name}([{name}])" for name, stage in recipe.publish.items()]
    return "\n".join(lines)
