"""The other end of `benchmarks.peers.worker`: starts that process and reads what it found."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from benchmarks.peers.system import System
from sentiment.errors import RunError

ROOT = Path(__file__).parents[2]
TIMEOUT = 1800.0
"""Seconds after which a process is ended."""
_THREAD_SETTINGS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")


@dataclass(frozen=True)
class Task:
    """Reviews for one process."""

    warm_up: Sequence[str]
    """Labeled before any clock starts."""
    together: Sequence[str]
    """Labeled in one call."""
    one_by_one: Sequence[str] = ()


class WorkerProcess:
    """A process with one system, ended with the block.

    Args:
        system: prepared.
        threads: how many its libraries may compute with.
        task: what it labels; the cold start is that of the first review.
    """

    def __init__(self, system: System, threads: int, task: Task) -> None:
        self._system = system
        # both are closed in __exit__
        self._messages = tempfile.TemporaryFile()  # noqa: SIM115
        self._reviews = tempfile.NamedTemporaryFile("w", encoding="utf-8")  # noqa: SIM115
        self._reviews.write(f"{json.dumps(task.together[0])}\n{json.dumps(asdict(task))}\n")
        self._reviews.flush()
        reference = f"{system.load.__module__}:{system.load.__qualname__}"
        self.started = time.monotonic()
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "benchmarks.peers.worker",
                reference,
                system.directory.resolve(),
                self._reviews.name,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._messages,
            cwd=ROOT,
            env=os.environ | dict.fromkeys(_THREAD_SETTINGS, str(threads)) | {"HF_HUB_OFFLINE": "1"},
            text=True,
        )
        self._clock = threading.Timer(TIMEOUT, self._process.kill)
        self._clock.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._clock.cancel()
        self._process.kill()
        self._process.communicate()
        self._messages.close()
        self._reviews.close()

    def wait_until_ready(self) -> None:
        """Return when the process is loaded and warm."""
        self._line()

    def go(self) -> None:
        """Let it begin with its task."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it has failed; `result` says why
            self._process.stdin.write("\n")
            self._process.stdin.flush()

    def result(self) -> dict[str, Any]:
        """What it found, when it is done."""
        found: dict[str, Any] = json.loads(self._line())
        return found

    def _line(self) -> str:
        """The next line of its output; a RunError with its last message where it has failed."""
        assert self._process.stdout is not None
        if line := self._process.stdout.readline():
            return line
        code = self._process.wait()
        self._messages.seek(0)
        message = self._messages.read().decode("utf-8", "replace").strip() or "it printed nothing"
        raise RunError(f"{self._system.name}: its process ended with code {code}: {message.splitlines()[-1].strip()}")
