"""Several processes read reviews together: one leads, the others help.

The leader alone reads and writes files, prints and decides. A helper waits for its share of the next reviews, reads it
and sends the answers back, until the leader is done or gone. So a thing is said once and written once, and a helper on
another machine needs neither the files nor the model: both come from the leader.

The processes are started by torchrun (or `accelerate launch`), which tells each its place through the environment.
"""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any

from sentiment.data.batching import share
from sentiment.errors import RunError

if TYPE_CHECKING:
    from sentiment.inference.base import Prediction, Predictor
    from sentiment.models.inference_lstm import Precision
    from sentiment.persistence.checkpoint import Checkpoint

LEADER = 0
LONGEST_WAIT = timedelta(days=1)
"""How long a helper waits for the next reviews: the leader may be fitting baselines. One that is gone is noticed at
once."""
HELPER_GONE = "a process that helped has ended; what it said stands above."


@dataclass(frozen=True)
class _Task:
    texts: Sequence[str]
    device: str
    """Type of the leader's device; a helper takes its own of that type."""
    precision: "Precision"
    checkpoint: "Checkpoint | None"
    """The model, where it is another than before."""


@dataclass
class _Team:
    size: int
    checkpoint: "Checkpoint | None" = None
    """Of the model that the helpers hold."""


_team: _Team | None = None
"""In the leader of several processes, while they work together."""


@contextmanager
def distributed_session() -> Iterator[bool]:
    """Let the other processes help with every `predict_together` of the block.

    Yields:
        Whether this process leads. To one that helped, the block is given when all is done, and it skips it.
    """
    global _team
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield True
        return
    import torch.distributed as dist

    dist.init_process_group("gloo", timeout=LONGEST_WAIT)  # also beside GPUs: texts and answers are no tensors
    try:
        if dist.get_rank() != LEADER:
            _help()
            yield False
            return
        _team = _Team(size)
        try:
            yield True
        finally:
            _team = None
            with suppress(RunError):  # whoever is gone needs not be sent home
                _hand_out([None] * size)
    finally:
        dist.destroy_process_group()


def predict_distributed(classifier: "Predictor", texts: Sequence[str]) -> "list[Prediction]":
    """`classifier.predict(texts)`; inside of `reading_together` each process reads its share.

    Only a `SentimentClassifier` can be sent to the helpers; any other predictor reads alone.

    Raises:
        Stopped: after SIGINT or SIGTERM.
        RunError: if a helper has failed.
    """
    if _team is None:
        return classifier.predict(texts)
    from sentiment.classifier import SentimentClassifier

    if not isinstance(classifier, SentimentClassifier):
        return classifier.predict(texts)
    shares = [texts[share(len(texts), index, _team.size)] for index in range(_team.size)]
    checkpoint = None if classifier.checkpoint is _team.checkpoint else classifier.checkpoint
    _hand_out([_Task(part, classifier.device.type, classifier.precision, checkpoint) for part in shares])
    _team.checkpoint = classifier.checkpoint
    own: list[Prediction] = []
    try:
        own = classifier.predict(shares[LEADER])
    finally:  # also where this failed: the helpers stand there with their answers
        answers = _collect(own)
    return answers


def _hand_out(tasks: Sequence[_Task | None]) -> None:
    """Give each process its task; None sends it home."""
    import torch.distributed as dist

    try:
        dist.scatter_object_list([None], list(tasks), LEADER)
    except RuntimeError as error:
        raise RunError(HELPER_GONE) from error


def _collect(own: "list[Prediction]") -> "list[Prediction]":
    """The answers of all processes, in their order."""
    import torch.distributed as dist

    answers: list[Any] = [None] * dist.get_world_size()
    try:
        dist.gather_object(own, answers, LEADER)
    except RuntimeError as error:
        raise RunError(HELPER_GONE) from error
    return list(chain.from_iterable(answers))


def _help() -> None:
    """Read share after share until the leader sends this process home, or is gone."""
    import torch.distributed as dist

    from sentiment.classifier import SentimentClassifier

    for number in (signal.SIGINT, signal.SIGTERM):  # the leader decides what a signal means
        signal.signal(number, signal.SIG_IGN)
    classifier: SentimentClassifier | None = None
    received: list[_Task | None] = [None]
    leader_is_gone = suppress(RuntimeError)  # its own message says why
    while True:
        received[0] = None
        with leader_is_gone:
            dist.scatter_object_list(received, None, LEADER)
        if (task := received[0]) is None:
            return
        if task.checkpoint is not None:
            device = task.device if task.device == "cpu" else f"{task.device}:{os.environ['LOCAL_RANK']}"
            classifier = SentimentClassifier(task.checkpoint, device, task.precision)
        assert classifier is not None
        answers = classifier.predict(task.texts)
        with leader_is_gone:
            dist.gather_object(answers, None, LEADER)
