"""The parser of all commands: full options, one sentence for a mistake, examples, and how much is said."""

import logging
import os

import pytest

from sentiment.cli.parser import CommandParser, set_verbosity
from sentiment.errors import InputError, nearest


@pytest.fixture
def parser() -> CommandParser:
    parser = CommandParser("watch", "Watch films.", ["--reel 3", ""])
    parser.add_argument("film", nargs="*")
    parser.add_argument("--reel", type=int, required=True)
    parser.add_argument("--input-format")
    parser.add_argument_group("projector").add_argument("--speed", type=float)
    return parser


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--ree", "3"], "no option --ree; did you mean --reel?"),
        (["--ree=3"], "no option --ree; did you mean --reel?"),
        (["--inp=a b"], "no option --inp; did you mean --input-format?"),
        (["--rele", "3"], "no option --rele; did you mean --reel?"),
        (["--quite"], "no option --quite; did you mean --quiet?"),
        (["--zzz"], "no option --zzz; `sentiment watch --help` lists the options."),
        (["-x"], "no option -x; `sentiment watch --help` lists the options."),
        ([], "the following arguments are required: --reel."),
        (["--reel"], "--reel: expected one argument."),
        (["--reel", "x"], "--reel: 'x' is not a whole number."),
        (["--reel", "3", "--speed", "fast"], "--speed: 'fast' is not a number."),
        (["--reel", "3", "--speed", "nan"], "--speed: 'nan' is not a number."),
        (["--reel", "3", "--quiet", "--verbose"], "--verbose: not allowed with argument --quiet."),
    ],
)
def test_a_mistake_is_answered_in_one_sentence(
    parser: CommandParser, arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError) as caught:
        parser.parse_args(arguments)
    assert str(caught.value) == sentence
    assert capsys.readouterr() == ("", "")


def test_what_is_no_option_is_taken_as_before(parser: CommandParser) -> None:
    options = parser.parse_args(["--reel=3", "--like this one", "-", "--", "--ree"])
    assert options.film == ["--like this one", "-", "--ree"] and options.reel == 3


def test_examples_end_the_help(parser: CommandParser) -> None:
    assert parser.format_help().endswith("\n\nexamples:\n  sentiment watch --reel 3\n  sentiment watch\n")


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("predct", ["predict", "pretrain"], "predict"),
        ("pre", ["export", "predict"], "predict"),
        ("--epochs", ["--steps", "--optimization.epochs"], "--optimization.epochs"),
        ("xyz", ["predict"], None),
    ],
)
def test_nearest_name(name: str, known: list[str], expected: str | None) -> None:
    assert nearest(name, known) == expected


@pytest.mark.parametrize(
    ("quiet", "verbose", "level", "delay"),
    [
        (False, False, logging.INFO, None),
        (True, False, logging.WARNING, "1000000000"),
        (False, True, logging.DEBUG, None),
    ],
)
def test_verbosity(quiet: bool, verbose: bool, level: int, delay: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TQDM_DELAY", raising=False)
    monkeypatch.setattr(os, "environ", os.environ.copy())  # whatever is set ends with this test
    package = logging.getLogger("sentiment")
    monkeypatch.setattr(package, "level", package.level)
    set_verbosity(quiet, verbose)
    assert package.level == level and os.environ.get("TQDM_DELAY") == delay
    package.setLevel(logging.INFO)
