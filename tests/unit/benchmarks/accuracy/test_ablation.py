"""The comparison of one setting at a time: what is changed, what the figures come to, what a second call does."""

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy import ablation, ablation_runs, ablation_variants
from benchmarks.accuracy.ablation_table import Outcome, notes, table
from benchmarks.accuracy.ablation_variants import BASE, CONFIG, VARIANTS, Ablation
from sentiment.config import TrainConfig
from sentiment.config_reader import load_config
from sentiment.data.splitting import Parts
from sentiment.errors import InputError
from sentiment.io.signals import Stopped

TINY = """
run: {device: cpu, precision: fp32}
data: {validation_fraction: 0.2}
text: {vocab_size: 100, min_frequency: 1, max_length: 20}
model: {embedding_dim: 8, hidden_dim: 8}
optimization: {epochs: 2}
batch_tokens: 200
"""
TINY_RECIPE = """
output_dir: runs/tiny
stages:
  lm:
    task: pretrain
    settings:
      {run.device: cpu, run.precision: fp32, text.vocab_size: 100, text.min_frequency: 1, text.max_length: 20,
       streams: 4, chunk_length: 8, negatives: 0}
"""


@pytest.fixture
def source(tmp_path: Path, reviews: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Fifty labeled and fifty unlabeled reviews; recipe and language model of some hundred weights."""
    directory = tmp_path / "reviews"
    directory.mkdir()
    for split in ("train", "unsupervised"):
        lines = [json.dumps({"text": f"{text} {split}", "label": label}) + "\n" for text, label in reviews]
        (directory / f"{split}.jsonl").write_text("".join(lines), "utf-8")
    for name, content in (("CONFIG", TINY), ("RECIPE", TINY_RECIPE)):
        (tmp_path / f"{name}.yaml").write_text(content, "utf-8")
        monkeypatch.setattr(ablation_variants, name, tmp_path / f"{name}.yaml")
    return directory


def call(*arguments: object) -> int:
    try:
        ablation.main([str(argument) for argument in arguments])
    except SystemExit as leaving:
        assert isinstance(leaving.code, int)
        return leaving.code
    return 0


def flat(config: TrainConfig) -> dict[str, object]:
    return {
        f"{section}.{name}": value
        for section, values in dataclasses.asdict(config).items()
        for name, value in (values if isinstance(values, dict) else {"": values}).items()
    }


@pytest.mark.parametrize("name", [name for name in VARIANTS if name != BASE])
def test_a_variant_changes_one_setting(name: str, tmp_path: Path) -> None:
    comparison = Ablation("reviews.csv", "films.txt", 0.25, 1, tmp_path)
    base, variant = flat(comparison.variant(BASE, 1)), flat(comparison.variant(name, 1))
    changed = [key for key in base if key != "run.output_dir" and base[key] != variant[key]]
    assert [key.rstrip(".") for key in changed] == [VARIANTS[name].removeprefix("--").split("=")[0]]
    assert base["data.source"] == "reviews.csv" and base["data.groups_file"] == "films.txt"


def test_the_language_model_fits_the_base(tmp_path: Path) -> None:
    comparison = Ablation("reviews.csv", None, 0.25, 1, tmp_path)
    base, language_model = comparison.variant(BASE, 1), comparison.language_model()
    sizes = ("embedding_dim", "hidden_dim", "num_layers")
    assert [getattr(base.model, size) for size in sizes] == [getattr(language_model.model, size) for size in sizes]
    assert base.text.vocab_size == language_model.text.vocab_size and base.data == language_model.data
    assert base.pretrained == str(tmp_path / "language_model" / "model")
    assert load_config(TrainConfig, CONFIG).pretrained == "runs/ablation/language_model/model"


def test_runs_go_seed_by_seed_and_the_slow_ones_end_each_round(tmp_path: Path) -> None:
    everything = Ablation("x", None, 0.25, 2, tmp_path).runs()
    assert [seed for _, seed in everything] == [1] * len(VARIANTS) + [2] * len(VARIANTS)
    slow = ["entropy_minimization", "adversarial_training", "virtual_adversarial_training"]
    assert [name for name, _ in everything][: len(VARIANTS)][-3:] == slow
    assert Ablation("x", None, 0.25, 2, tmp_path, ("no_averaging",)).runs() == [
        ("base", 1),
        ("no_averaging", 1),
        ("base", 2),
        ("no_averaging", 2),
    ]


@pytest.mark.parametrize("labels", [[0] * 40 + [1] * 60, [0, 1] * 50, [1, 0, 0, 0] * 25])
@pytest.mark.parametrize("fraction", [0.1, 0.25, 0.3, 1])
def test_the_share_keeps_both_classes_and_their_order(labels: list[int], fraction: float) -> None:
    train = [f"{row} {label}" for row, label in enumerate(labels)]
    parts = Parts(train, np.array(labels, np.float32), ["held out"], np.ones(1, np.float32))
    share = ablation_runs.take_share(parts, fraction)
    assert [int(review.split()[1]) for review in share.train] == share.train_labels.tolist()
    rows = [int(review.split()[0]) for review in share.train]
    assert rows == sorted(set(rows))
    for label in (0, 1):
        of_label = [row for row in rows if labels[row] == label]
        assert len(of_label) == int(labels.count(label) * fraction)
        # from the whole length of the class, not from its beginning alone
        positions = [at for at, row in enumerate(np.flatnonzero(np.array(labels) == label)) if row in of_label]
        assert max(np.diff(positions), default=0) <= math.ceil(1 / fraction)
    assert share.validation == ["held out"]


def test_a_share_without_a_class_is_refused() -> None:
    parts = Parts(["a"] * 12, np.array([0] * 2 + [1] * 10, np.float32), [], np.zeros(0, np.float32))
    with pytest.raises(InputError, match=r"--fraction 0\.2 of 12 training reviews leaves none of a class"):
        ablation_runs.take_share(parts, 0.2)


def test_the_last_epoch_counts_and_the_seconds_of_all() -> None:
    epochs = [(0.9, 0.3, 5.0), (0.8, 0.5, 6.0)]
    history = [{"accuracy": accuracy, "log_loss": loss, "seconds": time} for accuracy, loss, time in epochs]
    assert Outcome.of(history) == Outcome(0.8, 0.5, 11.0)


BASE_RUNS = {1: Outcome(0.90, 0.30, 10), 2: Outcome(0.92, 0.20, 20), 3: Outcome(0.91, 0.40, 12)}
RUNS = {1: Outcome(0.80, 0.33, 40), 2: Outcome(0.82, 0.25, 50), 3: Outcome(0.84, 0.44, 45)}


def test_means_spreads_and_paired_differences() -> None:
    name = "no_averaging"
    # differences 0.03, 0.05, 0.04: far closer together than the losses themselves
    assert table({BASE: BASE_RUNS, name: RUNS}).splitlines()[2:] == [
        "| base |  | 91.00 ± 1.00 | 0.3000 ± 0.1000 |  | 12 |",
        f"| no averaging | `{VARIANTS[name]}` | 82.00 ± 2.00 | 0.3400 ± 0.0954 | +0.0400 ± 0.0058 | 45 |",
    ]


def test_the_table_says_which_rows_have_fewer_seeds() -> None:
    outcomes = {BASE: BASE_RUNS, "no_averaging": {2: RUNS[2]}, "from_scratch": {1: RUNS[1], 3: RUNS[3]}}
    *_, second, third = table(outcomes).splitlines()
    assert second == "| no averaging (seed 2) | `--optimization.ema_decay=0` | 82.00 | 0.2500 | +0.0500 | 50 |"
    assert third.startswith("| from scratch (seeds 1, 3) |")


def test_the_notes_say_how_far_the_figures_can_be_trusted() -> None:
    sizes = {"reviews": 5625, "unlabeled": 9, "validation": 7, "fraction": 0.25, "perplexity": 99.44, "hardware": "cpu"}
    machine = {"machine": "a machine", "cores": 2, "load_average": 0.1, "versions": {"torch": "2.0"}}
    text = notes([1, 2, 3], sizes | machine)
    assert "5,625" in text and "99.4" in text and "torch 2.0" in text and "within 4.3 standard errors" in text
    assert "standard errors" not in notes([1], sizes | machine)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--fraction", "0"], "--fraction is 0; give a share of the training part above 0"),
        (["--fraction", "1.5"], "--fraction is 1.5"),
        (["--fraction", "nan"], "--fraction is nan"),
        (["--seeds", "0"], "argument --seeds: is 0; give a whole number from 1 on"),
        (["--only", "base", "less_of_everything"], "--only: no variant less_of_everything; there are base, from_scr"),
        (["--table"], "no finished run of the base"),
        ([], "nowhere.csv: no such file"),
    ],
)
def test_bad_input_gives_one_sentence(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("--data", "nowhere.csv", "--output", tmp_path / "out", *arguments) == 2
    last = capsys.readouterr().err.strip().split("\n")[-1]
    assert "benchmarks.accuracy.ablation: " in last and words in last
    assert not list((tmp_path / "out").glob("*/*/config.yaml"))


def test_finished_runs_stay_and_others_are_made(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    command = ["--data", source, "--fraction", 0.5, "--output", output]
    asked = ["--only", "from_scratch", "no_averaging", "virtual_adversarial_training"]
    made: list[str] = []

    def train_on(config: TrainConfig, *arguments: object, **options: object) -> object:
        made.append(config.run.output_dir)
        return original(config, *arguments, **options)  # type: ignore[arg-type]

    original = ablation_runs.train_on
    monkeypatch.setattr(ablation_runs, "train_on", train_on)
    assert call(*command, "--seeds", 1, *asked) == 0
    first = capsys.readouterr().out
    assert len(made) == 4 and not list(output.glob("*/*/state"))
    assert (output / "ablation.md").read_text("utf-8") in first
    record = json.loads((output / "ablation.json").read_text("utf-8"))
    assert [one["variant"] for one in record["runs"]] == ["base", *asked[1:]]
    assert [one["change"] for one in record["runs"]] == [VARIANTS[one["variant"]] for one in record["runs"]]
    assert record["setting"]["reviews"] == 20 and record["setting"]["unlabeled"] == 25
    last = json.loads((output / "base" / "1" / "history.jsonl").read_text("utf-8").splitlines()[-1])
    assert record["runs"][0]["log_loss"] == last["log_loss"] and last["epoch"] == 2

    (output / "no_averaging" / "1" / "history.jsonl").unlink()
    made.clear()
    assert call(*command, "--seeds", 2, "--only", "no_averaging") == 0
    assert [Path(place).relative_to(output).as_posix() for place in made] == [
        "no_averaging/1",
        "base/2",
        "no_averaging/2",
    ]
    capsys.readouterr()
    made.clear()
    assert call(*command, "--seeds", 2, *asked, "--table") == 0
    assert "| from scratch (seed 1) | `--pretrained=null` |" in capsys.readouterr().out
    assert call(*command, "--fraction", 0.25, "--table") == 2
    assert "its runs were made with --fraction 0.5, not 0.25" in capsys.readouterr().err
    assert call("--data", tmp_path, "--fraction", 0.5, "--output", output) == 2
    assert "holds a run with other settings (data.source)" in capsys.readouterr().err
    assert not made


def test_a_stopped_call_says_how_to_go_on(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*arguments: object, **options: object) -> None:
        raise Stopped(15, "stopped by SIGTERM")

    monkeypatch.setattr(ablation_runs, "pretrain", stopped)
    assert call("--data", source, "--output", tmp_path / "out") == 128 + 15
    last = capsys.readouterr().err.split("\n")[-2]
    assert last == "benchmarks.accuracy.ablation: stopped; the same command goes on, --table shows what is done."
