"""One command line: version, mistakes, common options, examples, and how long the help takes."""

import re
import resource
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sentiment import __version__
from sentiment.cli import main as cli
from sentiment.cli import parser as cli_parser
from sentiment.cli.configurations import CONFIGURATIONS
from sentiment.cli.main import COMMANDS
from sentiment.training import distill, finetune, pretrain, transformer
from sentiment.training import recipe as recipes
from sentiment.tutorial import gradient_flow

SAMPLES = Path(cli.__file__).parents[1] / "data" / "samples"
CONFIGURED = ["train", "pretrain", "distill", "evaluate-teachers", "gradient-flow", "train-transformer"]


def sentiment(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sentiment", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=60)


def seconds(*arguments: str) -> float:
    """CPU time of a command, which other programs on the machine change less than its time by the clock."""

    def spent() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    before = spent()
    assert sentiment(*arguments).returncode == 0
    return spent() - before


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str, str]]:
    """Run `sentiment ARGUMENTS` in this process; returns exit code, standard output and standard error."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["sentiment", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            cli.main()
        return int(left.value.code or 0), *capsys.readouterr()

    return run


@pytest.mark.parametrize(
    "arguments", [[], *([command] for command in COMMANDS), ["train", "imdb"], ["predict", "good"]]
)
def test_version(call: Callable[..., tuple[int, str, str]], arguments: list[str]) -> None:
    for flag in ("--version", "-V"):
        assert call(*arguments, flag) == (0, f"sentiment-rnn {__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["predct"], "sentiment: no command predct; did you mean predict?"),
        (["scalar-unt"], "sentiment: no command scalar-unt; did you mean toy-task?"),
        (["xyz"], "sentiment: no command xyz; `sentiment --help` lists the commands."),
        (["--ver"], "sentiment: no option --ver; did you mean --version?"),
        (["predict", "--inp", "x.csv"], "sentiment predict: no option --inp; did you mean --input?"),
        (["evaluate", "--dat", "x.csv"], "sentiment evaluate: no option --dat; did you mean --data?"),
        (["train", "imdb", "--sed", "2"], "sentiment train: no option --sed; did you mean --seed?"),
        (
            ["train", "imdb", "--model.hiden_dim=2"],
            "sentiment train: no option --model.hiden_dim; did you mean --model.hidden_dim?",
        ),
        (["recipe", "imdb", "--run.sed=2"], "sentiment recipe: no option --run.sed; did you mean --run.seed?"),
        (
            ["recipe", "imdb", "--plan", "--optimization.epochs=two"],
            "sentiment recipe: --optimization.epochs is two; it must be a whole number of at least 1.",
        ),
        (
            ["train", "imdb", "--run.device", "gpu"],
            "sentiment train: --run.device is gpu; it must be auto, cpu or cuda.",
        ),
        (["train", "imdb", "--seed", "x"], "sentiment train: --seed: 'x' is not a whole number."),
        (
            ["predict", "--threads", "0", "good"],
            "sentiment predict: --threads: '0' is not a whole number of at least 1.",
        ),
        (["toy-task", "--fig", "x"], "sentiment toy-task: no option --fig; did you mean --figure?"),
        (
            ["train", "imdb", "--seed", "1", "--run.seed=2"],
            "sentiment train: --seed 1 and --run.seed 2 are the same setting; leave one out.",
        ),
        (
            ["recipe", "imdb", "--run.device=cpu", "--device", "cuda", "--plan"],
            "sentiment recipe: --run.device cpu and --device cuda are the same setting; leave one out.",
        ),
    ],
)
def test_a_mistake_is_answered_in_one_sentence(
    call: Callable[..., tuple[int, str, str]], arguments: list[str], sentence: str
) -> None:
    assert call(*arguments) == (2, "", sentence + "\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_takes_an_abbreviation(call: Callable[..., tuple[int, str, str]], command: str) -> None:
    for given, meant in (("--qui", "--quiet"), ("--verb", "--verbose")):
        assert call(command, given) == (2, "", f"sentiment {command}: no option {given}; did you mean {meant}?\n")


def test_without_a_command_there_is_help(call: Callable[..., tuple[int, str, str]]) -> None:
    code, printed, said = call()
    assert code == 2 and printed == "" and "usage: sentiment COMMAND ..." in said
    assert call("--help") == (0, said, "")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Configurations with which training was asked for; no work is done."""
    configs: list[Any] = []
    modules = ((finetune, "train"), (pretrain, "pretrain"), (distill, "distill"), (transformer, "train_transformer"))
    for module, name in modules:
        monkeypatch.setattr(module, name, lambda config, resume: configs.append(config))
    monkeypatch.setattr(distill, "evaluate_teachers", lambda config, split: configs.append(config) or {})
    monkeypatch.setattr(gradient_flow, "compare", lambda config, resume: configs.append(config))
    monkeypatch.setattr(gradient_flow, "render_table", str)
    monkeypatch.setattr(recipes, "run_recipe", lambda recipe, restart: configs.append(recipe.stages["lm"].config))
    return configs


@pytest.mark.parametrize("command", [*CONFIGURED, "recipe"])
def test_common_options_are_settings(
    call: Callable[..., tuple[int, str, str]], asked: list[Any], command: str, tmp_path: Path
) -> None:
    common = ["--data", SAMPLES, "--device", "cpu", "--threads", "3", "--precision", "bf16", "--seed", "7"]
    output = [] if command == "recipe" else ["--output", tmp_path / "run"]
    name = "transformer" if command == "train-transformer" else "imdb"
    assert call(command, name, *common, "--text-column", "text", *output)[0] == 0
    [config] = asked
    assert (config.data.source, config.data.text_column) == (str(SAMPLES), "text")
    run = config.run
    assert (run.device, run.threads, run.precision, run.seed) == ("cpu", 3, "bf16", 7)
    if output:
        assert run.output_dir == str(tmp_path / "run")


def test_the_same_in_short_and_in_full_is_taken(call: Callable[..., tuple[int, str, str]], asked: list[Any]) -> None:
    assert call("train", "imdb", "--seed", "7", "--run.seed=7", "--data", SAMPLES)[0] == 0
    assert asked[0].run.seed == 7


def test_a_configuration_is_found_by_its_name_in_any_directory(
    call: Callable[..., tuple[int, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, printed, _ = call("train", "imdb", "--print_config", "--seed", "5")
    assert code == 0 and "output_dir: runs/imdb" in printed and "seed: 5" in printed
    assert list(tmp_path.iterdir()) == []


def test_quiet_training_says_nothing(call: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    small = [
        "--device",
        "cpu",
        "--output",
        tmp_path / "run",
    ]  # with fewer epochs it learns nothing, and a warning says so
    code, printed, said = call("train", "demo", *small, "--quiet")
    said = re.sub(
        r"\repoch [^\r\n]*\n?", "", said
    )  # the bar: tqdm is told to be silent before it is imported, see below
    assert (code, said) == (0, "") and printed.endswith(f"model: {tmp_path / 'run' / 'model'}\n")
    assert "run directory" in call("train", "demo", *small, "--resume")[2]


def test_quiet_shows_no_bar_even_where_one_is_forced() -> None:
    program = "from sentiment.cli.parser import set_verbosity; set_verbosity(True, False); from tqdm import tqdm\n"
    program += "for _ in tqdm(range(9), mininterval=0, disable=False): pass"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == ""


@pytest.mark.parametrize("arguments", [["train", "demo"], ["evaluate", "--no-baselines", "--data", "samples"]])
def test_the_sample_reviews_are_a_source_in_any_directory(
    call: Callable[..., tuple[int, str, str]], arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if arguments[0] == "train":
        assert call(*arguments, "--device", "cpu", "--optimization.epochs=1")[0] == 0
        assert [file.name for file in tmp_path.iterdir()] == ["runs"]
    else:
        code, printed, said = call(*arguments, "--model", "imdb-small")
        assert code == 0, said
        assert "accuracy" in printed
    assert call("predict", "--input", "samples")[1].count("\n") == 120


class ParsedError(Exception):
    """Raised where the arguments are parsed and the work would begin."""


@pytest.mark.parametrize("command", COMMANDS)
def test_help_ends_with_two_examples_that_can_be_typed(
    call: Callable[..., tuple[int, str, str]], command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, printed, _ = call(command, "--help")
    assert code == 0
    examples = printed.partition("\nexamples:\n")[2].splitlines()
    assert len(examples) == 2

    def parsed(quiet: bool, verbose: bool) -> None:
        raise ParsedError

    monkeypatch.setattr(cli_parser, "set_verbosity", parsed)
    for example in examples:
        program, name, *arguments = shlex.split(example.partition(" < ")[0])
        assert (program, name) == ("sentiment", command)
        with pytest.raises(ParsedError):
            COMMANDS[command](arguments)
        if command in [*CONFIGURED, "recipe"] and "/" not in arguments[0]:
            folder = CONFIGURATIONS / "recipes" if command == "recipe" else CONFIGURATIONS
            assert (folder / f"{arguments[0]}.yaml").is_file()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_default_is_said_once(call: Callable[..., tuple[int, str, str]], command: str) -> None:
    printed = call(command, "--help")[1]
    for option in re.split(r"\n  (?=-)", printed):
        assert option.count("(default: ") <= 1, option


@pytest.mark.parametrize("flag", ["--version", "--help"])
def test_version_and_overview_take_little_time(flag: str) -> None:
    assert any(seconds(flag) < 0.3 for _ in range(3))
