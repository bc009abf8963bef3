"""What a benchmark runs on and with, and its messages to the person at the terminal."""

import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from sentiment.errors import InputError, RunError
from sentiment.stopping import Stopped

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


@contextmanager
def failing_in_one_sentence(command: str, stopped: str = "stopped.") -> Iterator[None]:
    """A failure is said to that person in one sentence, with the exit codes of `sentiment`.

    Raises:
        SystemExit: with 2 for an InputError, 1 for a RunError, 130 after Ctrl-C, when `stopped` is said, and likewise
            when a training under way has heard a signal and saved its state.
    """
    try:
        yield
    except (InputError, RunError) as error:
        print(f"benchmarks.{command}: {error}", file=sys.stderr)
        raise SystemExit(2 if isinstance(error, InputError) else 1) from None
    except KeyboardInterrupt:
        print(f"benchmarks.{command}: {stopped}", file=sys.stderr)
        raise SystemExit(130) from None
    except Stopped as signal:
        print(f"benchmarks.{command}: {stopped}", file=sys.stderr)
        raise SystemExit(signal.exit_code) from None
