"""Device and precision of a run, also on simulated other machines."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from sentiment.errors import InputError
from sentiment.training import hardware
from sentiment.training.hardware import Hardware


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch):
    """Make this machine another one; what would start its GPU is recorded instead."""

    def become(gpu: bool, bf16: bool) -> list[dict[str, Any]]:
        asked: list[dict[str, Any]] = []
        monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
        # asked without emulation: old GPUs emulate bf16
        monkeypatch.setattr(
            torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation or bf16
        )
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda device=None: "Tesla T4")
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, "avx512_bf16": bf16})
        monkeypatch.setattr(
            hardware,
            "Accelerator",
            lambda cpu, mixed_precision, **trackers: (
                asked.append({"cpu": cpu, "mixed_precision": mixed_precision}) or SimpleNamespace()
            ),
        )
        return asked

    return become


@pytest.mark.parametrize("bf16", [True, False])
@pytest.mark.parametrize("gpu", [True, False])
def test_auto_takes_a_gpu_and_bf16_if_available(machine, gpu: bool, bf16: bool) -> None:
    asked = machine(gpu, bf16)
    Hardware.choose("auto", "auto")
    assert asked == [{"cpu": not gpu, "mixed_precision": "bf16" if bf16 else "no"}]


@pytest.mark.parametrize("main", [True, False])
def test_only_the_main_process_says_what_is_done(main: bool, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with Hardware(SimpleNamespace(is_main_process=main)).step("reading"):
        assert caplog.messages == (["reading"] if main else [])


def test_explicit_settings_are_used(machine) -> None:
    asked = machine(gpu=True, bf16=True)
    Hardware.choose("cuda", "bf16")
    Hardware.choose("cuda", "fp32")
    Hardware.choose("cpu", "bf16")
    wanted = [(False, "bf16"), (False, "no"), (True, "bf16")]
    assert asked == [{"cpu": cpu, "mixed_precision": precision} for cpu, precision in wanted]


@pytest.mark.parametrize(
    ("gpu", "device", "precision", "sentence"),
    [
        (False, "cuda", "fp32", "run.device is cuda, but torch sees no GPU here; use --run.device=cpu or auto."),
        (
            False,
            "cpu",
            "bf16",
            "run.precision is bf16, which this CPU does not support; use --run.precision=fp32 or auto.",
        ),
        (True, "cpu", "bf16", "which this CPU does not support"),
        (True, "auto", "bf16", "run.precision is bf16, which Tesla T4 does not support"),
    ],
)
def test_unavailable_hardware_is_rejected(machine, gpu: bool, device: str, precision: str, sentence: str) -> None:
    asked = machine(gpu, bf16=False)
    with pytest.raises(InputError) as refused:
        Hardware.choose(device, precision)
    assert sentence in str(refused.value) and asked == []


def test_the_hardware_is_described() -> None:
    description = str(Hardware.choose("cpu", "fp32"))
    assert description == f"cpu ({torch.get_num_threads()} threads), fp32, 1 process(es)"


def test_a_process_can_train_with_one_precision_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    found = [Hardware.choose("cpu", precision).accelerator.mixed_precision for precision in ("fp32", "bf16", "fp32")]
    assert found == ["no", "bf16", "no"]
