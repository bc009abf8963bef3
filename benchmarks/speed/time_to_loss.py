"""Seconds of training until a validation loss is reached, by this project's loop and by the tutorial's."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import nn

from benchmarks.peers.tutorial_rnn import BATCH
from benchmarks.speed.training_job import Job, tutorial_epoch, tutorial_log_loss
from benchmarks.speed.training_variants import Variant, new_trainer, quiet
from sentiment.training.objective import SentimentObjective

PIECES = 15
"""Validations per epoch."""
TUTORIAL_EPOCHS = 4
"""As many as the notebook trains."""


@dataclass(frozen=True)
class Course:
    """How far one training came."""

    seconds: float
    """Of training; validation is not counted."""
    loss: float
    """Of the last validation."""
    reached: bool


class _Finished(Exception):  # noqa: N818  # not an error: the goal or the limit is reached
    pass


class PiecewiseObjective(SentimentObjective):
    """An objective whose epochs are pieces of an epoch, so that validation comes often."""

    def start_epoch(self, epoch: int) -> Sequence[int]:
        """The batches of a piece; tokens of each."""
        tokens = np.array(super().start_epoch(epoch // PIECES))
        chosen = np.array_split(np.arange(len(tokens)), PIECES)[epoch % PIECES]
        self._batches = [self._batches[batch] for batch in chosen]
        return [int(count) for count in tokens[chosen]]


def our_course(job: Job, goal: float, at_most: float) -> Course:
    """This project's loop until the goal or `at_most` seconds, by the configuration's own schedule."""
    courses: list[Course] = []
    with TemporaryDirectory() as directory, quiet():
        epochs = job.config.optimization.epochs * PIECES
        trainer = new_trainer(job, Variant(objective=PiecewiseObjective), Path(directory), epochs)
        plain_validate = trainer.objective.validate

        def validate(model: nn.Module) -> dict[str, float]:
            figures = plain_validate(model)
            seconds = sum(row["seconds"] for row in trainer.progress.history) + trainer.progress.seconds
            courses.append(Course(seconds, figures["log_loss"], figures["log_loss"] <= goal))
            if courses[-1].reached or seconds > at_most:
                raise _Finished
            return figures

        trainer.objective.validate = validate  # type: ignore[method-assign]
        with suppress(_Finished):
            trainer.fit()
    return courses[-1]


def tutorial_course(job: Job, goal: float, at_most: float) -> Course:
    """The tutorial's loop until the goal or `at_most` seconds, for the notebook's epochs at most."""
    network = job.tutorial_network()
    labels, targets = torch.from_numpy(job.train.labels), torch.from_numpy(job.validation.labels)
    every = max(1, len(labels) // BATCH // PIECES)
    steps = (step for _ in range(TUTORIAL_EPOCHS) for step in tutorial_epoch(network, job.fixed, labels))
    seconds, loss = 0.0, float("inf")
    for number, (taken, _) in enumerate(steps, 1):
        seconds += taken
        if number % every == 0:
            loss = tutorial_log_loss(network, job.fixed_validation, targets)
            if loss <= goal or seconds > at_most:
                break
    return Course(seconds, loss, loss <= goal)
