"""The comparison of one setting at a time: what is changed, what the figures come to, what a second call does."""

import dataclasses
import json
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from accelerate.state import AcceleratorState

from benchmarks import ablation, ablation_variants
from benchmarks.ablation_table import PACKAGES, Outcome, notes, row, table
from benchmarks.ablation_variants import BASE, LANGUAGE_MODEL, RECIPE, SMALLER, VARIANTS, Ablation
from sentiment.config import PretrainConfig, TrainConfig, load_config
from sentiment.data import Parts
from sentiment.errors import InputError
from sentiment.stopping import Stopped

TINY = """
run: {device: cpu, precision: fp32}
data: {validation_fraction: 0.2}
text: {vocab_size: 100, min_frequency: 1, max_length: 20}
model: {embedding_dim: 8, hidden_dim: 8}
optimisation: {epochs: 2}
"""


@pytest.fixture(autouse=True)
def every_precision() -> Iterator[None]:
    yield
    AcceleratorState._reset_state(reset_partial_state=True)


@pytest.fixture
def source(tmp_path: Path, reviews: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Fifty labelled and fifty unlabelled reviews; recipe and language model of some hundred weights."""
    directory = tmp_path / "reviews"
    directory.mkdir()
    for split in ("train", "unsupervised"):
        lines = [json.dumps({"text": f"{text} {split}", "label": label}) + "\n" for text, label in reviews]
        (directory / f"{split}.jsonl").write_text("".join(lines), "utf-8")
    for name, more in (("RECIPE", "batch_tokens: 200\n"), ("LANGUAGE_MODEL", "streams: 4\nchunk_length: 8\n")):
        file = tmp_path / f"{name}.yaml"
        file.write_text(TINY + more, "utf-8")
        monkeypatch.setattr(ablation_variants, name, file)
    monkeypatch.setattr(ablation_variants, "SMALLER", ["--optimisation.epochs=1", "--negatives=0"])
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


def test_the_language_model_fits_the_recipe(tmp_path: Path) -> None:
    comparison = Ablation("reviews.csv", None, 0.25, 1, tmp_path)
    recipe, language_model = comparison.variant(BASE, 1), load_config(PretrainConfig, LANGUAGE_MODEL, SMALLER)
    sizes = ("embedding_dim", "hidden_dim", "num_layers")
    assert [getattr(recipe.model, size) for size in sizes] == [getattr(language_model.model, size) for size in sizes]
    assert recipe.text.vocab_size == language_model.text.vocab_size
    assert recipe.pretrained == str(tmp_path / "language_model" / "model")
    assert load_config(TrainConfig, RECIPE).pretrained == "runs/ablation/language_model/model"


def test_runs_go_seed_by_seed_and_the_slow_ones_end_each_round(tmp_path: Path) -> None:
    everything = Ablation("x", None, 0.25, 2, tmp_path).runs()
    assert [seed for _, seed in everything] == [1] * len(VARIANTS) + [2] * len(VARIANTS)
    slow = ["entropy_minimisation", "adversarial_training", "virtual_adversarial_training"]
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
    share = ablation.take_share(parts, fraction)
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
        ablation.take_share(parts, 0.2)


def test_the_last_epoch_counts_and_the_seconds_of_all() -> None:
    epochs = [(0.9, 0.3, 5.0), (0.8, 0.5, 6.0)]
    history = [{"accuracy": accuracy, "log_loss": loss, "seconds": time} for accuracy, loss, time in epochs]
    assert Outcome.of(history) == Outcome(0.8, 0.5, 11.0)


BASE_RUNS = {1: Outcome(0.90, 0.30, 10), 2: Outcome(0.92, 0.20, 20), 3: Outcome(0.91, 0.40, 12)}
RUNS = {1: Outcome(0.80, 0.33, 40), 2: Outcome(0.82, 0.25, 50), 3: Outcome(0.84, 0.44, 45)}


def test_means_spreads_and_paired_differences() -> None:
    found = row("variant", "--x=1", RUNS, BASE_RUNS)
    assert found.accuracy == pytest.approx(0.82) and found.accuracy_deviation == pytest.approx(0.02)
    assert found.log_loss == pytest.approx(0.34) and found.log_loss_deviation == pytest.approx(math.sqrt(0.0091))
    # differences 0.03, 0.05, 0.04: far closer together than the losses themselves
    assert found.difference == pytest.approx(0.04) and found.difference_error == pytest.approx(0.01 / math.sqrt(3))
    assert found.seconds == 45 and found.seeds == [1, 2, 3]
    fewer = row("variant", "--x=1", {2: RUNS[2]}, BASE_RUNS)
    assert (fewer.accuracy_deviation, fewer.difference_error) == (None, None)
    assert fewer.difference == pytest.approx(0.05)


def test_the_table_says_which_rows_have_fewer_seeds() -> None:
    rows = [row("base", "", BASE_RUNS, BASE_RUNS), row("no_masks", "--x=1", {2: RUNS[2]}, BASE_RUNS)]
    assert table(rows).split("\n")[2:] == [
        "| base |  | 91.00 ± 1.00 | 0.3000 ± 0.1000 |  | 12 |",
        "| no masks (seed 2) | `--x=1` | 82.00 | 0.2500 | +0.0500 | 50 |",
    ]
    setting = {"reviews": 5625, "unlabelled": 9, "validation": 7, "fraction": 0.25, "machine": "a machine", "cores": 2}
    text = notes(rows, setting | {"versions": dict.fromkeys(PACKAGES, "2.0")}, 99.44, ["cpu"])
    assert "5,625" in text and "99.4" in text and "torch 2.0" in text and "within 4.3 standard errors" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--fraction", "0"], "--fraction is 0; give a share of the training part above 0"),
        (["--fraction", "1.5"], "--fraction is 1.5"),
        (["--fraction", "nan"], "--fraction is nan"),
        (["--seeds", "0"], "--seeds is 0"),
        (["--only", "base", "less_of_everything"], "--only: no variant less_of_everything; there are base, from_scr"),
        (["--table"], "no finished run of the base"),
        ([], "nowhere.csv: no such file or directory"),
    ],
)
def test_bad_input_gives_one_sentence(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("--data", "nowhere.csv", "--output", tmp_path / "out", *arguments) == 2
    last = capsys.readouterr().err.strip().split("\n")[-1]
    assert last.startswith("benchmarks.ablation: ") and words in last
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

    original = ablation.train_on
    monkeypatch.setattr(ablation, "train_on", train_on)
    assert call(*command, "--seeds", 1, *asked) == 0
    first = capsys.readouterr().out
    assert len(made) == 4 and not list(output.glob("*/*/state"))
    assert (output / "ablation.md").read_text("utf-8") in first
    record = json.loads((output / "ablation.json").read_text("utf-8"))
    assert [one["variant"] for one in record["rows"]] == ["base", *asked[1:]]
    assert [one["change"] for one in record["rows"]] == [VARIANTS[one["variant"]] for one in record["rows"]]
    assert record["setting"]["reviews"] == 20 and record["setting"]["unlabelled"] == 25
    last = json.loads((output / "base" / "1" / "history.jsonl").read_text("utf-8").splitlines()[-1])
    assert record["rows"][0]["log_loss"] == last["log_loss"] and last["epoch"] == 2

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
    assert "holds a run with other settings under data" in capsys.readouterr().err
    (output / "base" / "1" / "history.jsonl").write_text("{", "utf-8")
    assert call(*command, "--table") == 2
    assert "history.jsonl: damaged" in capsys.readouterr().err
    assert not made


def test_a_stopped_call_says_how_to_go_on(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*arguments: object, **options: object) -> None:
        raise Stopped(15, "stopped by SIGTERM")

    monkeypatch.setattr(ablation, "pretrain", stopped)
    assert call("--data", source, "--output", tmp_path / "out") == 128 + 15
    last = capsys.readouterr().err.split("\n")[-2]
    assert last == "benchmarks.ablation: stopped; the same command goes on, --table shows what is done."
