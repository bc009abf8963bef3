"""One peer measured once, each time in new processes, so that nothing warm, cached or allocated is inherited.

A round starts one process that has all cores: its cold start, all reviews in one call, some reviews one by one, its
peak memory. Then, where there is more than one core, one process per core, each with one thread and its share of the
reviews: the way in which a library that computes on one core uses the others. A peer's speed is the better of both.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import psutil  # type: ignore[import-untyped]

from benchmarks.machine import cores
from benchmarks.readers import Peer
from sentiment.errors import RunError

ROOT = Path(__file__).parent.parent
WARM_UP = 64
"""Reviews read before the clock starts, at most an eighth of those that are timed."""
ONE_BY_ONE = 300
"""Reviews whose single time is taken."""
TIMEOUT = 900.0
"""Seconds after which a process that does not answer is ended."""
_THREAD_SETTINGS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")


@dataclass(frozen=True)
class Round:
    """What one round found."""

    accuracy: float
    """Share of right labels in the call for all reviews."""
    one_process: float
    """Reviews per second of that call, from raw text to label."""
    process_per_core: float | None
    """Reviews per second of one process per core; None on one core."""
    p50: float
    """Median seconds of one review."""
    p99: float
    """99th percentile of the seconds of one review."""
    cold_start: float
    """Seconds from the start of a process to its first answer."""
    peak_memory: int
    """Bytes, of the one process."""


def spaced(texts: Sequence[str], count: int) -> list[int]:
    """Rows of `count` reviews, evenly spaced by length: their mean length is nearly that of all; sorted by row.

    All rows where there are no more than `count`.
    """
    if count >= len(texts):
        return list(range(len(texts)))
    by_length = np.argsort([len(text) for text in texts], kind="stable")
    return sorted(by_length[((np.arange(count) + 0.5) * len(texts) / count).astype(int)].tolist())


def measure(peer: Peer, texts: Sequence[str], labels: Sequence[int]) -> Round:
    """One round of a peer.

    Args:
        peer: prepared.
        texts: the reviews, the same for every peer; it reads `peer.most_reviews` of them where that is set.
        labels: 0 or 1 of each.

    Raises:
        RunError: if a process of the peer fails or does not answer.
    """
    rows = spaced(texts, peer.most_reviews or len(texts))
    texts, labels = [texts[row] for row in rows], [labels[row] for row in rows]
    warm_up = [texts[row] for row in spaced(texts, max(1, min(WARM_UP, len(texts) // 8)))]
    with Process(peer, cores()) as process:
        cold_start = process.first_answer(texts[0])
        process.take_warm(texts, warm_up)
        answer = process.ask("read")
        found = answer["labels"]
        if len(found) != len(labels):
            raise RunError(f"{peer.name}: {len(found)} answers to {len(labels)} reviews.")
        process.take_warm([texts[row] for row in spaced(texts, ONE_BY_ONE)], warm_up[:8])
        seconds = process.ask("each")["seconds"]
        peak = process.ask("memory")["peak"]
    return Round(
        accuracy=float(np.mean(np.asarray(found) == np.asarray(labels))),
        one_process=len(texts) / (answer["ended"] - answer["started"]),
        process_per_core=_process_per_core(peer, texts, warm_up, peak),
        p50=float(np.percentile(seconds, 50)),
        p99=float(np.percentile(seconds, 99)),
        cold_start=cold_start,
        peak_memory=peak,
    )


def _process_per_core(peer: Peer, texts: Sequence[str], warm_up: Sequence[str], memory: int) -> float | None:
    """Reviews per second from the first start to the last end; fewer processes where memory or reviews are short."""
    count = min(cores(), len(texts), int(0.8 * psutil.virtual_memory().available / memory))
    if count < 2:
        return None
    with ExitStack() as stack:
        processes = [stack.enter_context(Process(peer, 1)) for _ in range(count)]
        for index, process in enumerate(processes):
            process.take_warm(texts[index::count], warm_up)
        for process in processes:
            process.send({"do": "read"})
        answers = [process.receive() for process in processes]
    return len(texts) / (max(answer["ended"] for answer in answers) - min(answer["started"] for answer in answers))


class Process:
    """A worker process of a peer, ended with the block.

    Args:
        peer: prepared.
        threads: how many its libraries may compute with.
    """

    def __init__(self, peer: Peer, threads: int) -> None:
        self._peer = peer
        self._messages = tempfile.TemporaryFile()  # noqa: SIM115  # closed in __exit__
        environment = os.environ | dict.fromkeys(_THREAD_SETTINGS, str(threads)) | {"HF_HUB_OFFLINE": "1"}
        reference = f"{peer.load.__module__}:{peer.load.__qualname__}"
        self._started = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", reference, str(peer.directory.resolve())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._messages,
            cwd=ROOT,
            env=environment,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.communicate()
        self._messages.close()

    def first_answer(self, text: str) -> float:
        """Seconds from the start of the process to its answer to one review."""
        self.send({"do": "take", "texts": [text]})
        self.send({"do": "read"})
        self.receive()
        return float(self.receive()["ended"] - self._started)

    def take_warm(self, texts: Sequence[str], warm_up: Sequence[str]) -> None:
        """Hand reviews over, after others were read for warming up."""
        for request in ({"do": "take", "texts": warm_up}, {"do": "read"}, {"do": "take", "texts": texts}):
            self.send(request)
            self.receive()

    def ask(self, what: str) -> dict[str, Any]:
        """One request and its answer."""
        self.send({"do": what})
        return self.receive()

    def send(self, request: dict[str, Any]) -> None:
        """Send a request, without waiting for its answer."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise RunError(self._failure()) from None

    def receive(self) -> dict[str, Any]:
        """The next answer.

        Raises:
            RunError: if the process failed, with its last message, or did not answer in time.
        """
        assert self._process.stdout is not None
        clock = threading.Timer(TIMEOUT, self._process.kill)
        clock.start()
        line = self._process.stdout.readline()
        clock.cancel()
        if not line:
            raise RunError(self._failure())
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _failure(self) -> str:
        code = self._process.wait()
        self._messages.seek(0)
        said = self._messages.read().decode("utf-8", "replace").split("\n")
        last = next((line.strip() for line in reversed(said) if line.strip()), "it said nothing")
        return f"{self._peer.name}: its process ended with code {code}: {last}"
