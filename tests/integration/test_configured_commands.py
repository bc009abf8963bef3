"""Commands that take a configuration: their help names the options they have, and no others are taken."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sentiment.cli import main as cli
from sentiment.training import distill, finetune


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run a command; returns exit code, standard output and standard error."""

    def run(command: str, *arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            cli.run(command, list(map(str, arguments)))
        return int(left.value.code or 0), *capsys.readouterr()

    return run


@pytest.mark.parametrize(
    ("command", "usage"),
    [
        ("train", "usage: sentiment train CONFIG.yaml [--resume] [--dotted.key=value ...]"),
        ("evaluate-teachers", "usage: sentiment evaluate-teachers CONFIG.yaml [--split NAME] [--dotted.key=value ...]"),
    ],
)
def test_the_help_is_true(call: Callable[..., tuple[int, str, str]], command: str, usage: str) -> None:
    code, printed, _ = call(command, "--help")
    assert code == 0 and printed.splitlines()[0] == usage
    own = {"train": "--resume", "evaluate-teachers": "--split"}
    assert {name for name in own.values() if f"\n  {name}" in printed} == {own[command]}
    assert "--run.seed" in printed


def test_options_reach_the_work(
    call: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    config = tmp_path_factory.mktemp("configs") / "config.yaml"
    config.write_text("batch_tokens: 99\n", "utf-8")
    asked: list[object] = []
    monkeypatch.setattr(finetune, "train", lambda config, resume: asked.append((config.batch_tokens, resume)))
    monkeypatch.setattr(
        distill, "evaluate_teachers", lambda config, split: asked.append((config.batch_tokens, split)) or {}
    )
    for arguments in (["--resume"], [], ["--batch_tokens", "98", "--resume"]):
        assert call("train", config, *arguments)[0] == 0
    for arguments in (["--split", "train"], ["--batch_tokens=97"]):
        assert call("evaluate-teachers", config, *arguments)[0] == 0
    assert asked == [(99, True), (99, False), (98, True), (99, "train"), (97, "test")]


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("train", ["CONFIG.yaml", "--data.source=~nosuchuser/reviews"]),
        ("train", ["CONFIG.yaml", "--pretrained=~nosuchuser/reviews"]),
        ("predict", ["--model=~nosuchuser/reviews", "good"]),
        ("explain", ["--model=~nosuchuser/reviews", "good"]),
        ("export", ["--model=~nosuchuser/reviews", "--output=exported"]),
    ],
)
def test_a_home_that_nobody_has_is_refused_in_one_sentence(
    call: Callable[..., tuple[int, str, str]],
    command: str,
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "CONFIG.yaml").write_text("run: {device: cpu, precision: fp32}\n", "utf-8")
    code, printed, said = call(command, *arguments)
    assert code == 2 and printed == ""
    reason = "no home directory is known for ~nosuchuser; give the full path"
    assert said == f"sentiment {command}: ~nosuchuser/reviews: {reason}.\n"
    assert [file.name for file in tmp_path.iterdir()] == ["CONFIG.yaml"]


@pytest.mark.parametrize(
    ("command", "arguments", "sentence"),
    [
        (
            "evaluate-teachers",
            ["CONFIG.yaml", "--resume"],
            "--resume: sentiment evaluate-teachers saves no training states, so it cannot resume",
        ),
        ("train", ["--run.seed=2", "CONFIG.yaml"], "must come first: sentiment train CONFIG.yaml ..."),
        ("train", ["--resume"], "must come first: sentiment train CONFIG.yaml ..."),
    ],
)
def test_another_call_is_refused_in_one_sentence(
    call: Callable[..., tuple[int, str, str]], command: str, arguments: list[str], sentence: str
) -> None:
    code, printed, said = call(command, *arguments)
    assert code == 2 and printed == "" and sentence in said and said.count("\n") == 1
