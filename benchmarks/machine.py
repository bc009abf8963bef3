"""What a benchmark runs on and with, and its messages to the person at the terminal."""

import os
import platform
import sys
import time
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

_MODULES = (
    "torch",
    "torchtext",
    "numpy",
    "sklearn",
    "onnxruntime",
    "fasttext",
    "vaderSentiment",
    "textblob",
    "transformers",
    "tokenizers",
)


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def setting(reviews: int, repeats: int) -> dict[str, Any]:
    """On what and with what was measured: the machine, its load, versions, and how much was read how often."""
    distributions = packages_distributions()
    names = [distributions[module][0] for module in _MODULES if module in distributions]
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    processor = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), None)
    memory = psutil.virtual_memory().total / 1e9
    return {
        "machine": f"{processor or platform.processor() or platform.machine()}, {memory:.0f} GB, {platform.system()}",
        "cores": cores(),
        "load_average": os.getloadavg()[0],
        "reviews": reviews,
        "rounds": repeats,
        "versions": {"Python": platform.python_version()} | {name: version(name) for name in names},
    }


def say(message: str) -> None:
    """A message for the person at the terminal."""
    print(f"{time.strftime('%H:%M:%S')} {message}", file=sys.stderr, flush=True)
