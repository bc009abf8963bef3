"""Predict reviews with several processes, which torchrun or `accelerate launch` has started.

Rank 0 runs the command: only this process reads and writes files, prints messages and handles signals. The other
processes are workers and need neither the files nor the model. For each chunk of reviews, rank 0 sends every worker its
share of the reviews, and the model if it has changed. All processes, rank 0 included, predict their shares, and rank 0
collects the predictions in order. Workers end when rank 0 sends None instead of a task, or when it has ended.
"""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sentiment.data.batching import share
from sentiment.errors import RunError

if TYPE_CHECKING:
    from sentiment.inference.base import Predictor
    from sentiment.inference.prediction import Predictions
    from sentiment.models.inference_lstm import Precision
    from sentiment.persistence.checkpoint import Checkpoint

MAX_WAIT = timedelta(days=1)
"""Maximum time that a worker waits for its next task: rank 0 can be busy, for example with fitting baselines. If rank 0
has ended, workers notice it at once."""
WORKER_ENDED = "a worker process has ended; its error message is above."


@dataclass(frozen=True)
class _Task:
    """What rank 0 sends to a process for one chunk of reviews."""

    texts: Sequence[str]
    device: str
    """Device type of rank 0; a worker uses its own device of this type."""
    precision: "Precision"
    checkpoint: "Checkpoint | None"
    """The model; None if it is the same as before."""


@dataclass
class _Session:
    """State of rank 0 while there are workers."""

    processes: int
    checkpoint: "Checkpoint | None" = None
    """The model that the workers have."""


_session: _Session | None = None
"""Only in rank 0, and only inside `distributed_session` with several processes."""


@contextmanager
def distributed_session() -> Iterator[bool]:
    """Context manager in which `predict_distributed` shares its reviews among all processes.

    Yields:
        True in rank 0, and without torchrun. False in a worker, after all its tasks; the block must then do nothing.
    """
    global _session
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    if processes == 1:
        yield True
        return
    import torch.distributed as dist

    dist.init_process_group("gloo", timeout=MAX_WAIT)  # gloo also with GPUs, since texts are not tensors
    try:
        if dist.get_rank() != 0:
            _run_worker()
            yield False
            return
        _session = _Session(processes)
        try:
            yield True
        finally:
            _session = None
            with suppress(RunError):  # a worker that has already ended is no problem here
                _send_tasks([None] * processes)
    finally:
        dist.destroy_process_group()


def predict_distributed(classifier: "Predictor", texts: Sequence[str]) -> "Predictions":
    """Like `classifier.predict_columns(texts)`; inside `distributed_session`, each process predicts a share of them.

    Only a `SentimentClassifier` can be sent to workers; with any other predictor, rank 0 predicts all texts.

    Raises:
        Stopped: after SIGINT or SIGTERM.
        RunError: if a worker has failed.
    """
    if _session is None:
        return classifier.predict_columns(texts)
    from sentiment.classifier import SentimentClassifier

    if not isinstance(classifier, SentimentClassifier):
        return classifier.predict_columns(texts)
    shares = [texts[share(len(texts), index, _session.processes)] for index in range(_session.processes)]
    checkpoint = None if classifier.checkpoint is _session.checkpoint else classifier.checkpoint
    _send_tasks([_Task(part, classifier.device.type, classifier.precision, checkpoint) for part in shares])
    _session.checkpoint = classifier.checkpoint
    own: Predictions | None = None
    try:
        own = classifier.predict_columns(shares[0])
    finally:  # also after an error: the workers wait until their predictions are collected
        predictions = _collect(own)
    return predictions


def _send_tasks(tasks: Sequence[_Task | None]) -> None:
    """Send each process its task; None ends a worker."""
    import torch.distributed as dist

    try:
        dist.scatter_object_list([None], list(tasks), 0)
    except RuntimeError as error:
        raise RunError(WORKER_ENDED) from error


def _collect(own: "Predictions | None") -> "Predictions":
    """The predictions of all processes, in the order of the texts."""
    import torch.distributed as dist

    from sentiment.inference.prediction import join

    predictions: list[Any] = [None] * dist.get_world_size()
    try:
        dist.gather_object(own, predictions, 0)
    except RuntimeError as error:
        raise RunError(WORKER_ENDED) from error
    return join(predictions)


def _run_worker() -> None:
    """Predict the texts of each task until rank 0 sends None or has ended."""
    import torch.distributed as dist

    from sentiment.classifier import SentimentClassifier

    for number in (signal.SIGINT, signal.SIGTERM):  # rank 0 handles signals
        signal.signal(number, signal.SIG_IGN)
    classifier: SentimentClassifier | None = None
    received: list[_Task | None] = [None]
    ignore_end_of_rank_0 = suppress(RuntimeError)  # rank 0 prints the reason
    while True:
        received[0] = None
        with ignore_end_of_rank_0:
            dist.scatter_object_list(received, None, 0)
        if (task := received[0]) is None:
            return
        if task.checkpoint is not None:
            device = task.device if task.device == "cpu" else f"{task.device}:{os.environ['LOCAL_RANK']}"
            classifier = SentimentClassifier(task.checkpoint, device, task.precision)
        assert classifier is not None
        predictions = classifier.predict_columns(task.texts)
        with ignore_end_of_rank_0:
            dist.gather_object(predictions, None, 0)
