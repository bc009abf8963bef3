"""The machine and the libraries that a benchmark ran with."""

import os
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

LIBRARIES = (
    "torch",
    "torchtext",
    "numpy",
    "scikit-learn",
    "onnxruntime",
    "fasttext-numpy2-wheel",
    "vaderSentiment",
    "textblob",
    "transformers",
    "tokenizers",
)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def machine_info() -> dict[str, Any]:
    """Processor, memory, cores, load and versions. Call it before the measurement, which changes the load."""
    versions = {"Python": platform.python_version()}
    for library in LIBRARIES:
        with suppress(PackageNotFoundError):
            versions[library] = version(library)
    memory = psutil.virtual_memory().total / 1e9
    return {
        "machine": f"{_processor()}, {memory:.0f} GB, {platform.system()}",
        "cores": cores(),
        "load_average": os.getloadavg()[0],
        "versions": versions,
    }


def _processor() -> str:
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def machine_note(info: dict[str, Any]) -> str:
    """`machine_info` as the last note of a Markdown page."""
    versions = ", ".join(f"{name} {number}" for name, number in info["versions"].items())
    return f"- {info['machine']}; {info['cores']} cores; load average before {info['load_average']:.2f}. {versions}."
