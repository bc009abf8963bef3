"""All systems on the same test reviews, in turns."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks.harness.command import log
from benchmarks.harness.machine import machine_info
from benchmarks.harness.results import write_results
from benchmarks.harness.reviews import draw_reviews
from benchmarks.harness.timing import in_turns
from benchmarks.peers.distilbert import distilbert_systems
from benchmarks.peers.measurement import measure
from benchmarks.peers.plot import draw
from benchmarks.peers.results import SystemResult, notes, ratio_table, table
from benchmarks.peers.sentiment_rnn import our_systems
from benchmarks.peers.shallow_models import shallow_systems
from benchmarks.peers.system import System, TrainingData
from benchmarks.peers.tutorial_rnn import tutorial_systems
from sentiment.config import DataConfig
from sentiment.data.loading import check_both_classes, load_reviews
from sentiment.errors import InputError
from sentiment.io.files import atomic_directory, read_json, write_json

VERSION = 2
"""Raised when a system learns otherwise; what another version left is learned again."""


def peer_systems(cache: Path) -> list[System]:
    """All systems but this project's; they keep what they learned below `cache`."""
    return [*shallow_systems(cache), *distilbert_systems(cache), *tutorial_systems(cache)]


def run(data: str, models: Sequence[str], only: Sequence[str], reviews: int, rounds: int, output: Path) -> str:
    """Measure all systems with a text of `only` in their name on reviews of the test split; returns the page.

    Raises:
        InputError: if there is no such system, or the reviews cannot be used.
    """
    if Path(data).is_file():
        raise InputError(f"{data}: a file is one split; peers learn from train and read test, so give a directory.")
    systems = [*peer_systems(output / "peers"), *our_systems(models, output / "peers")]
    systems = [system for system in systems if any(part in system.name for part in only)]
    if not systems:
        raise InputError(f"--only {' '.join(only)}: no system has this in its name.")
    train, chosen = load_reviews(DataConfig(source=data), "train"), draw_reviews(data, "test", reviews)
    check_both_classes(train["label"], f"{data} (train)")
    training_data = TrainingData(list(train["text"]), list(train["label"]))
    info = machine_info() | {"reviews": len(chosen), "rounds": rounds}
    left_out = {system.name: missing for system in systems if (missing := system.missing_packages())}
    systems = [system for system in systems if system.name not in left_out]
    for system in systems:
        prepare(system, training_data)
    texts, labels = list(chosen["text"]), list(chosen["label"])
    calls = {system.name: partial(measure, system, texts, labels) for system in systems}
    # every round is in new processes, which need no round before to warm up
    measured = in_turns(calls, rounds, warm_up=False)
    results = [SystemResult(system, measured[system.name]) for system in systems]
    draw(results, output / "benchmark.png")
    record = {"setting": info, "left_out": left_out, "systems": [result.to_dict() for result in results]}
    blocks = [table(results), notes(results, info, left_out), ratio_table(results)]
    return write_results(output, "benchmark", blocks, record)


def prepare(system: System, data: TrainingData) -> None:
    """Let a system learn, unless its directory was made from the same reviews."""
    record = system.directory / "prepared.json"
    made_from = {"reviews": data.fingerprint(), "version": VERSION}
    if system.prepare is None or (record.is_file() and read_json(record) == made_from):
        return
    log(f"{system.name}: learns ...")
    with atomic_directory(system.directory) as temporary:
        system.prepare(data, temporary)
        write_json(temporary / record.name, made_from)
