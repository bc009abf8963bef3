"""The hardware of a run: device, precision and number of processes."""

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import Tensor

from sentiment.data.batching import share
from sentiment.errors import InputError
from sentiment.io.progress import step
from sentiment.training.memory import keep_few_operations
from sentiment.training.tracking import check_trackers


@dataclass(frozen=True)
class Hardware:
    """Device, precision and processes of a run, managed by accelerate."""

    accelerator: Accelerator

    @classmethod
    def choose(cls, device: str, precision: str, trackers: Sequence[str] = ()) -> "Hardware":
        """Choose the hardware for the settings `run.device` and `run.precision`, either of which can be "auto".

        Args:
            device: "auto", "cpu" or "cuda".
            precision: "auto", "fp32" or "bf16".
            trackers: the setting `run.trackers`; `open_run` starts them.

        Raises:
            InputError: if the package of a tracker is missing, for "cuda" without a GPU, or "bf16" on a device that
                would only emulate it.
        """
        check_trackers(trackers)
        if device == "cuda" and not torch.cuda.is_available():
            raise InputError("run.device is cuda, but torch sees no GPU here; use --run.device=cpu or auto.")
        cpu = device == "cpu" or not torch.cuda.is_available()
        if precision == "auto":
            precision = "bf16" if _has_bf16(cpu) else "fp32"
        elif precision == "bf16" and not _has_bf16(cpu):
            name = "this CPU" if cpu else torch.cuda.get_device_name()
            raise InputError(f"run.precision is bf16, which {name} does not support; use --run.precision=fp32 or auto.")
        keep_few_operations()
        # accelerate keeps the settings of the first run in a process, and refuses others for the next
        AcceleratorState._reset_state(reset_partial_state=int(os.environ.get("WORLD_SIZE", "1")) == 1)
        mixed = "bf16" if precision == "bf16" else "no"
        # "." until `open_run` knows the directory; one choice of hardware serves several runs
        return cls(Accelerator(cpu=cpu, mixed_precision=mixed, log_with=[*trackers] or None, project_dir="."))

    def step(self, doing: str) -> AbstractContextManager[None]:
        """Context manager in which the main process shows what is done, and for how long: `io.progress.step`."""
        return step(doing) if self.accelerator.is_main_process else nullcontext()

    def share(self, rows: int) -> slice:
        """Rows of a batch that belong to this process."""
        return share(rows, self.accelerator.process_index, self.accelerator.num_processes)

    def add_up(self, tensors: list[Tensor]) -> None:
        """Replace float32 tensors in place by their sums over all processes, in one communication."""
        if self.accelerator.num_processes == 1 or not tensors:
            return
        flat = self.accelerator.reduce(torch.cat([tensor.flatten() for tensor in tensors]), "sum")
        for tensor, total in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(total.view_as(tensor))

    def __str__(self) -> str:
        device = self.accelerator.device
        name = torch.cuda.get_device_name(device) if device.type == "cuda" else f"{torch.get_num_threads()} threads"
        precision = "bf16" if self.accelerator.mixed_precision == "bf16" else "fp32"
        return f"{device.type} ({name}), {precision}, {self.accelerator.num_processes} process(es)"


def _has_bf16(cpu: bool) -> bool:
    """Whether the device has bf16 instructions; emulated bf16 is slower than fp32."""
    if not cpu:
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))  # the last is for ARM
