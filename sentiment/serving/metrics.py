"""What the service counts, for Prometheus."""

import os
from contextlib import suppress
from pathlib import Path

import psutil  # type: ignore[import-untyped]
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess

from sentiment.serving.settings import COUNTS_VARIABLE


def _counts() -> Path | None:
    """Directory in which processes add up their counts; None if there is only one."""
    if COUNTS_VARIABLE not in os.environ:
        return None
    directory = Path(os.environ[COUNTS_VARIABLE])
    directory.mkdir(parents=True, exist_ok=True)  # it may have been tidied away
    return directory


_counts()
REQUESTS = Counter("sentiment_requests", "Requests that were answered.", ["path", "status"])
SECONDS = Histogram("sentiment_request_seconds", "Seconds from the arrival of a request to its reply.", ["path"])
TEXTS = Counter("sentiment_texts", "Texts that were predicted or explained.", ["path"])
BATCH = Histogram("sentiment_batch_texts", "Texts that were computed together.", buckets=[2**n for n in range(9)])
QUEUE = Gauge("sentiment_queue_texts", "Texts that wait.", multiprocess_mode="livesum")


def render() -> bytes:
    """All counts of all processes of the service, in the text format of Prometheus."""
    if _counts() is None:
        return generate_latest()
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def forget_the_dead() -> None:
    """Leave out the queues of processes that have died."""
    directory = _counts()
    if directory is None:
        return
    for file in directory.glob("gauge_live*_*.db"):
        process = int(file.stem.rpartition("_")[2])
        if not psutil.pid_exists(process):
            with suppress(FileNotFoundError):  # another process was faster
                multiprocess.mark_process_dead(process)  # type: ignore[no-untyped-call]
