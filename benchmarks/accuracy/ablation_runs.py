"""The runs of an ablation: those that are missing are trained, those that are finished make the table."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy.ablation_table import Outcome, notes, table
from benchmarks.accuracy.ablation_variants import BASE, VARIANTS, Ablation
from benchmarks.harness.command import log
from benchmarks.harness.machine import machine_info
from benchmarks.harness.results import write_results
from sentiment.config import AnyConfig
from sentiment.config_reader import load_config
from sentiment.data.splitting import Parts, read_parts, read_unlabeled
from sentiment.errors import InputError
from sentiment.io.files import read_json, write_json
from sentiment.persistence.checkpoint import load_checkpoint
from sentiment.training.finetune import train_on
from sentiment.training.hardware import Hardware
from sentiment.training.pretrain import pretrain
from sentiment.training.run import flat_settings


def take_share(parts: Parts, fraction: float) -> Parts:
    """Every so-many-th training review of each class; the validation part whole.

    Raises:
        InputError: if no review of a class is left.
    """
    rows = np.sort(np.concatenate([_share(np.flatnonzero(parts.train_labels == label), fraction) for label in (0, 1)]))
    if len(set(parts.train_labels[rows])) < 2:
        raise InputError(
            f"--fraction {fraction:g} of {len(parts.train)} training reviews leaves none of a class; give more."
        )
    return replace(parts, train=[parts.train[at] for at in rows], train_labels=parts.train_labels[rows])


def _share(rows: np.ndarray, fraction: float) -> np.ndarray:
    return rows[(np.arange(int(len(rows) * fraction)) / fraction).astype(int)]


def finished(config: AnyConfig) -> list[dict[str, Any]] | None:
    """The history of a run that has come to its end; None if it has not.

    Raises:
        InputError: if its directory holds a run with other settings.
    """
    directory = Path(config.run.output_dir)
    if not (directory / "config.yaml").is_file():
        return None
    former, now = flat_settings(load_config(type(config), directory / "config.yaml")), flat_settings(config)
    if changed := [name for name in now if former[name] != now[name]]:
        raise InputError(
            f"{directory}: holds a run with other settings ({', '.join(changed)}); call with the former options, or "
            "choose another --output."
        )
    history = directory / "history.jsonl"
    rows = [json.loads(line) for line in history.read_text("utf-8").splitlines()] if history.is_file() else []
    return rows if len(rows) == config.optimization.epochs else None


def train_missing(ablation: Ablation) -> None:
    """Make every run that is not finished."""
    _former_setting(ablation)
    if finished(ablation.language_model()) is None:
        log("the language model:")
        pretrain(ablation.language_model(), resume=True)
    base = ablation.variant(BASE, 1)
    hardware = Hardware.choose(base.run.device, base.run.precision, base.run.trackers)
    language_model = load_checkpoint(Path(ablation.language_model().run.output_dir, "model"), "language-model")
    whole = read_parts(base.data)
    parts = take_share(whole, ablation.fraction)
    everything = read_unlabeled(base.data, base.unlabeled_split, whole).documents
    unlabeled = [everything[at] for at in _share(np.arange(len(everything)), ablation.fraction)]
    sizes = {"reviews": len(parts.train), "unlabeled": len(unlabeled), "validation": len(parts.validation)}
    setting = machine_info() | sizes | {"fraction": ablation.fraction, "hardware": str(hardware)}
    write_json(ablation.output / "setting.json", setting)
    runs = ablation.runs()
    for number, (name, seed) in enumerate(runs, 1):
        config = ablation.variant(name, seed)
        states = Path(config.run.output_dir) / "state"
        if finished(config) is None:
            log(f"run {number} of {len(runs)}: {name}, seed {seed}")
            start = None if config.pretrained is None else language_model
            train_on(config, hardware, parts, unlabeled, start, resume=states.is_dir())
        # of a finished run the table needs the history alone; its states take 100 MB
        shutil.rmtree(states, ignore_errors=True)


def _former_setting(ablation: Ablation) -> dict[str, Any] | None:
    """What is on record of the reviews and the machine; None before the first run.

    Raises:
        InputError: if the runs were made with another share of the reviews.
    """
    file = ablation.output / "setting.json"
    if not file.is_file():
        return None
    former = read_json(file)
    if former["fraction"] != ablation.fraction:
        raise InputError(
            f"{ablation.output}: its runs were made with --fraction {former['fraction']}, not {ablation.fraction:g}; "
            "choose another --output."
        )
    return former


def write_page(ablation: Ablation) -> str:
    """Write ablation.md and ablation.json of the finished runs; returns the page.

    Raises:
        InputError: if no run of the base is finished.
    """
    setting, language_model = _former_setting(ablation), finished(ablation.language_model())
    outcomes: dict[str, dict[int, Outcome]] = {}
    for name, seed in ablation.runs():
        # a difference needs the base with the same seed
        if (name == BASE or seed in outcomes.get(BASE, {})) and (history := finished(ablation.variant(name, seed))):
            outcomes.setdefault(name, {})[seed] = Outcome.of(history)
    if setting is None or language_model is None or BASE not in outcomes:
        raise InputError(f"{ablation.output}: no finished run of the base in it; call without --table first.")
    setting["perplexity"] = min(epoch["perplexity"] for epoch in language_model)
    runs = [
        {"variant": name, "change": VARIANTS[name], "seed": seed, **vars(outcome)}
        for name, by_seed in outcomes.items()
        for seed, outcome in by_seed.items()
    ]
    blocks = [table(outcomes), notes(sorted(outcomes[BASE]), setting)]
    return write_results(ablation.output, "ablation", blocks, {"setting": setting, "runs": runs})
