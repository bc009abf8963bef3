"""--device: where a command's model computes, also on a machine with a GPU, which this one need not have."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from sentiment.classifier import SentimentClassifier
from sentiment.cli import main as cli
from sentiment.data import loading
from sentiment.errors import RunError

SAMPLES = Path(loading.__file__).parent / "samples" / "train.jsonl"
CALLS = {
    "predict": [str(SAMPLES)],
    "explain": ["good"],
    "evaluate": ["--data", str(SAMPLES)],
    "checklist": [],
    "truncation": ["--data", str(SAMPLES)],
    "short-text": ["--data", str(SAMPLES)],
    "faithfulness": ["--data", str(SAMPLES)],
    "audit-labels": ["--data", str(SAMPLES)],
}


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Run a command; returns exit code and standard error."""

    def run(command: str, *arguments: object) -> tuple[int, str]:
        with pytest.raises(SystemExit) as left:
            cli.run(command, list(map(str, arguments)))
        return int(left.value.code or 0), capsys.readouterr().err

    return run


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Devices that models were asked for; loading ends there."""
    devices: list[str] = []

    def from_pretrained(
        model: str | None = None, device: str = "cpu", precision: str = "auto", threads: int | None = None
    ) -> SentimentClassifier:
        devices.append(device)
        raise RunError("not loaded.")

    monkeypatch.setattr(SentimentClassifier, "from_pretrained", from_pretrained)
    return devices


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with a GPU, as far as the choice of a device goes."""
    zeros = torch.zeros
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch, "zeros", lambda *size, device=None, **keywords: zeros(*size, **keywords))


@pytest.mark.parametrize("command", CALLS)
def test_the_gpu_is_taken_where_there_is_one_and_left_where_it_is_not_wanted(
    command: str, call: Callable[..., tuple[int, str]], asked: list[str], gpu: None
) -> None:
    for chosen in ([], ["--device", "cuda"], ["--device", "cpu"]):
        assert call(command, *CALLS[command], *chosen) == (1, f"sentiment {command}: not loaded.\n")
    assert asked == ["cuda", "cuda", "cpu"]


@pytest.mark.parametrize("command", CALLS)
def test_a_gpu_that_is_not_there_is_refused_in_one_sentence(
    command: str, call: Callable[..., tuple[int, str]], asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    zeros = torch.zeros

    def zeros_without_a_gpu(*size: int, device: torch.device) -> torch.Tensor:
        if device.type == "cuda":
            raise RuntimeError("no GPU")
        return zeros(*size)

    monkeypatch.setattr(torch, "zeros", zeros_without_a_gpu)
    code, said = call(command, *CALLS[command], "--device", "cuda")
    sentence = "device is 'cuda', which torch cannot use here (no GPU); choose cpu or auto."
    assert (code, said) == (2, f"sentiment {command}: {sentence}\n")
    assert asked == []
    call(command, *CALLS[command])
    assert asked == ["cpu"]


def test_torchrun_is_refused_except_for_training(
    call: Callable[..., tuple[int, str]], asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")  # as torchrun sets it
    code, said = call("predict", SAMPLES)
    assert code == 2 and "torchrun is for training" in said and "--engine ray" in said and asked == []
    assert call("train", "nothing.yaml") == (2, "sentiment train: nothing.yaml: no such configuration file.\n")


def test_a_few_texts_are_computed_on_the_cpu_unless_the_gpu_is_asked_for(
    call: Callable[..., tuple[int, str]], asked: list[str], gpu: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # without exports
    for chosen in ([], ["--device", "cuda"], ["--device", "cpu"]):
        call("predict", "good", *chosen)
    assert asked == ["cpu", "cuda", "cpu"]


def test_models_that_are_compared_go_to_the_same_device(
    call: Callable[..., tuple[int, str]],
    reviews_file: Path,
    tiny_model_directory: Path,
    tiny_classifier: SentimentClassifier,
    gpu: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    devices: list[str] = []

    def from_pretrained(
        model: str | None = None, device: str = "cpu", precision: str = "auto", threads: int | None = None
    ) -> SentimentClassifier:
        devices.append(device)
        return tiny_classifier

    monkeypatch.setattr(SentimentClassifier, "from_pretrained", from_pretrained)
    code, _ = call("evaluate", "--data", reviews_file, "--no-baselines", "--compare", tiny_model_directory)
    assert code == 0 and devices == ["cuda", "cuda"]


def test_a_model_for_onnx_runtime_refuses_the_gpu(call: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    (tmp_path / "model.onnx").touch()
    code, said = call("predict", "--model", tmp_path, "--device", "cuda", "good")
    assert code == 2 and "an exported model runs only on the CPU; leave out --device cuda." in said
