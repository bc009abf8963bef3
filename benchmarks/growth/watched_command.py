"""A command of this project run as a person calls it, with its time and its peak memory."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

import psutil  # type: ignore[import-untyped]

from sentiment.errors import RunError

ROOT = Path(__file__).parents[2]
POLL = 0.2
"""Seconds between two looks at the memory."""


@dataclass(frozen=True)
class Finished:
    """A command that has come to its end."""

    output: str
    seconds: float
    memory: float
    """Peak megabytes."""


def watch(arguments: Sequence[str], cache: Path) -> Finished:
    """Run a command of this project to its end.

    Args:
        arguments: of `sentiment`.
        cache: directory for what it reads, so that nothing of an earlier command helps it.

    Raises:
        RunError: if it fails, with the last thing it said.
    """
    environment = os.environ | {"HF_DATASETS_CACHE": str(cache), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-m", "sentiment", *arguments]
    with TemporaryFile("w+") as output, TemporaryFile("w+") as messages:
        started, peak = time.monotonic(), 0.0
        with subprocess.Popen(command, stdout=output, stderr=messages, cwd=ROOT, env=environment, text=True) as process:
            try:
                while process.poll() is None:
                    peak = max(peak, memory_of(process.pid))
                    with suppress(subprocess.TimeoutExpired):
                        process.wait(POLL)
            except BaseException:
                process.kill()
                raise
        seconds = time.monotonic() - started
        output.seek(0)
        messages.seek(0)
        if process.returncode:
            said = messages.read().strip() or "it printed nothing"
            raise RunError(f"sentiment {arguments[0]} failed: {said.splitlines()[-1].strip()}")
        return Finished(output.read(), seconds, peak)


def memory_of(process_id: int) -> float:
    """Megabytes of a process and its children; a page that n of them share counts as an n-th in each (PSS)."""
    total = 0.0
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(process_id)
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                found = one.memory_full_info()
                total += getattr(found, "pss", found.rss) / 1e6
    return total
