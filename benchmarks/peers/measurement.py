"""One system measured once, in new processes, so that nothing warm, cached or allocated is inherited.

First one process that has all cores: its cold start, all reviews in one call, some reviews one by one, its peak memory.
Then, where there is more than one core, one process per core, each with one thread and its share of the reviews, for
libraries that compute on one core alone.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import psutil  # type: ignore[import-untyped]

from benchmarks.harness.machine import cores
from benchmarks.peers.system import System
from benchmarks.peers.worker_process import Task, WorkerProcess
from sentiment.errors import RunError

WARM_UP = 64
"""Reviews labeled before the clock starts, at most an eighth of those that are timed."""
ONE_BY_ONE = 300
"""Reviews whose single time is taken."""


@dataclass(frozen=True)
class Measurement:
    """What one round found of one system."""

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


def measure(system: System, texts: Sequence[str], labels: Sequence[int]) -> Measurement:
    """One round of a system, which is prepared. It labels `system.most_reviews` of the reviews where that is set."""
    rows = spaced(texts, system.most_reviews or len(texts))
    texts, labels = [texts[row] for row in rows], [labels[row] for row in rows]
    warm_up = [texts[row] for row in spaced(texts, max(1, min(WARM_UP, len(texts) // 8)))]
    one_by_one = [texts[row] for row in spaced(texts, ONE_BY_ONE)]
    with WorkerProcess(system, cores(), Task(warm_up, texts, one_by_one)) as process:
        process.wait_until_ready()
        process.go()
        found = process.result()
    if len(found["labels"]) != len(labels):
        raise RunError(f"{system.name}: {len(found['labels'])} labels for {len(labels)} reviews.")
    seconds = np.diff(found["times"])
    return Measurement(
        accuracy=float(np.mean(np.asarray(found["labels"]) == np.asarray(labels))),
        one_process=len(texts) / (found["ended"] - found["started"]),
        process_per_core=_process_per_core(system, texts, warm_up, found["peak_memory"]),
        p50=float(np.percentile(seconds, 50)),
        p99=float(np.percentile(seconds, 99)),
        cold_start=found["first_answer"] - process.started,
        peak_memory=found["peak_memory"],
    )


def _process_per_core(system: System, texts: Sequence[str], warm_up: Sequence[str], memory: int) -> float | None:
    """Reviews per second from the first start to the last end; fewer processes where memory or reviews are short."""
    count = min(cores(), len(texts), int(0.8 * psutil.virtual_memory().available / memory))
    if count < 2:
        return None
    tasks = [Task(warm_up, texts[index::count]) for index in range(count)]
    with ExitStack() as stack:
        processes = [stack.enter_context(WorkerProcess(system, 1, task)) for task in tasks]
        for process in processes:
            process.wait_until_ready()
        for process in processes:
            process.go()
        found = [process.result() for process in processes]
    return len(texts) / (max(one["ended"] for one in found) - min(one["started"] for one in found))
