"""What each part of the recipe is worth: one recipe in small, one setting changed at a time, several seeds each.

    python -m benchmarks.ablation --data SOURCE [--groups-file FILE] [--seeds 3] [--fraction 0.25] [--only NAME ...]
        [--output runs/ablation] [--table]

Trains a small language model, then every variant of configs/ablation.yaml, seed by seed. What is finished stays: stop
it any time, the same command goes on. Prints a Markdown table and writes it, with ablation.json, to the output
directory.
"""

import argparse
import dataclasses
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.ablation_table import Outcome, Row, notes, row, table
from benchmarks.ablation_variants import BASE, VARIANTS, Ablation
from benchmarks.machine import failing_in_one_sentence, say, setting
from sentiment.checkpoint import load_checkpoint
from sentiment.config import AnyConfig, load_config
from sentiment.data import Parts, read_parts, read_unlabelled
from sentiment.errors import InputError
from sentiment.files import locked, read_json, write_json, write_text
from sentiment.hardware import Hardware
from sentiment.pretraining import pretrain
from sentiment.supervised import train_on

STOPPED = "stopped; the same command goes on, --table shows what is done."


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
    return dataclasses.replace(parts, train=[parts.train[at] for at in rows], train_labels=parts.train_labels[rows])


def _share(rows: np.ndarray, fraction: float) -> np.ndarray:
    return rows[(np.arange(int(len(rows) * fraction)) / fraction).astype(int)]


def finished(config: AnyConfig) -> list[dict[str, Any]] | None:
    """The history of a run that has come to its end; None if it has not.

    Raises:
        InputError: if its directory holds a run with other settings, or its history cannot be read.
    """
    directory = Path(config.run.output_dir)
    if not (directory / "config.yaml").is_file():
        return None
    _check_same(config, directory)
    history = directory / "history.jsonl"
    try:
        rows = [json.loads(line) for line in history.read_text("utf-8").splitlines()] if history.is_file() else []
    except ValueError as error:
        raise InputError(f"{history}: damaged ({error}); delete {directory}, and its run is made anew.") from error
    return rows if len(rows) == config.optimisation.epochs else None


def _check_same(config: AnyConfig, directory: Path) -> None:
    former = load_config(type(config), directory / "config.yaml")
    names = [field.name for field in dataclasses.fields(config)]
    changed = [name for name in names if getattr(former, name) != getattr(config, name)]
    if changed:
        raise InputError(
            f"{directory}: holds a run with other settings under {', '.join(changed)}; call with the former --data, "
            "--groups-file and --output, or choose another --output."
        )


def train_all(ablation: Ablation) -> None:
    """Make every run that is not finished.

    Raises:
        InputError: for reviews that cannot be used, or an output directory with other runs in it.
        RunError: if the work fails on the way.
        Stopped: after SIGINT or SIGTERM.
    """
    _setting(ablation)
    if finished(ablation.language_model()) is None:
        say("the language model:")
        pretrain(ablation.language_model(), resume=True)
    base = ablation.variant(BASE, 1)
    hardware = Hardware.choose(base.run.device, base.run.precision)
    language_model = load_checkpoint(Path(ablation.language_model().run.output_dir, "model"), "language-model")
    whole = read_parts(base.data)
    parts = take_share(whole, ablation.fraction)
    everything = read_unlabelled(base.data, base.unlabelled_split, whole)
    unlabelled = [everything[at] for at in _share(np.arange(len(everything)), ablation.fraction)]
    sizes = {"unlabelled": len(unlabelled), "validation": len(parts.validation)}
    about = setting(len(parts.train), ablation.seeds) | sizes | {"fraction": ablation.fraction}
    write_json(ablation.output / "setting.json", about)
    runs = ablation.runs()
    for number, (name, seed) in enumerate(runs, 1):
        config = ablation.variant(name, seed)
        states = Path(config.run.output_dir) / "state"
        if finished(config) is None:
            say(f"run {number} of {len(runs)}: {name}, seed {seed}")
            start = None if config.pretrained is None else language_model
            train_on(config, hardware, parts, unlabelled, start, resume=states.is_dir())
        # of a finished run the table wants the history alone; its states take 100 MB
        shutil.rmtree(states, ignore_errors=True)


def _setting(ablation: Ablation) -> dict[str, Any] | None:
    """What is on record; None before the first run.

    Raises:
        InputError: if the runs were made with another share of the reviews.
    """
    place = ablation.output / "setting.json"
    if not place.is_file():
        return None
    former = read_json(place)
    if former.get("fraction") != ablation.fraction:
        raise InputError(
            f"{ablation.output}: its runs were made with --fraction {former.get('fraction')}, not "
            f"{ablation.fraction:g}; choose another --output."
        )
    return former


def page(ablation: Ablation) -> tuple[str, dict[str, Any]]:
    """The table of what is finished, with notes; and the same for ablation.json.

    Raises:
        InputError: if no run of the base is finished.
    """
    about, language_model = _setting(ablation), finished(ablation.language_model())
    outcomes: dict[str, dict[int, Outcome]] = {}
    hardware = []
    for name, seed in ablation.runs():
        config = ablation.variant(name, seed)
        # a difference needs the base with the same seed
        if (name == BASE or seed in outcomes.get(BASE, {})) and (history := finished(config)):
            outcomes.setdefault(name, {})[seed] = Outcome.of(history)
            hardware.append(str(read_json(Path(config.run.output_dir) / "versions.json").get("hardware")))
    if about is None or language_model is None or BASE not in outcomes:
        raise InputError(f"{ablation.output}: no finished run of the base in it; call without --table first.")
    perplexity = min(epoch["perplexity"] for epoch in language_model)
    rows = _rows(outcomes)
    text = "\n\n".join([table(rows), notes(rows, about, perplexity, sorted(set(hardware)))]) + "\n"
    runs = [
        {"variant": name, "seed": seed, **dataclasses.asdict(outcome)}
        for name, by_seed in outcomes.items()
        for seed, outcome in by_seed.items()
    ]
    record = {"setting": about, "hardware": sorted(set(hardware)), "perplexity": perplexity}
    return text, record | {"rows": [dataclasses.asdict(one) for one in rows], "runs": runs}


def _rows(outcomes: Mapping[str, Mapping[int, Outcome]]) -> list[Row]:
    return [row(name, VARIANTS[name], by_seed, outcomes[BASE]) for name, by_seed in outcomes.items()]


def make(ablation: Ablation) -> None:
    """Train what is missing, alone in the output directory, and write ablation.md and ablation.json there."""
    with locked(ablation.output):
        train_all(ablation)
        text, record = page(ablation)
        write_json(ablation.output / "ablation.json", record)
        write_text(ablation.output / "ablation.md", text)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser("python -m benchmarks.ablation", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", required=True, metavar="SOURCE", help="reviews with train and unsupervised splits")
    parser.add_argument("--groups-file", metavar="FILE", help="the film of each training row, one a line")
    parser.add_argument("--seeds", type=int, default=3, help="runs of each variant (default: 3)")
    parser.add_argument("--fraction", type=float, default=0.25, help="share of the training part (default: 0.25)")
    parser.add_argument(
        "--only", nargs="+", default=list(VARIANTS), metavar="NAME", help="these variants, and the base"
    )
    parser.add_argument("--output", type=Path, default=Path("runs/ablation"), metavar="DIR", help="for all files")
    parser.add_argument("--table", action="store_true", help="train nothing, print the table of what is finished")
    options = parser.parse_args(arguments)
    with failing_in_one_sentence("ablation", STOPPED):
        ablation = Ablation(
            options.data, options.groups_file, options.fraction, options.seeds, options.output, tuple(options.only)
        )
        if not options.table:
            make(ablation)
        print(page(ablation)[0])


if __name__ == "__main__":
    main()
