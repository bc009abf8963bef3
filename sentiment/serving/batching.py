"""Computes the texts of many requests together: what arrives while a batch is computed becomes the next batch.

So the busier the service, the larger its batches. Clients that have got their answers together send their next requests
together, too, but not in the same instant: a batch begins when nothing has arrived for a millisecond.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

PAUSE = 0.001
"""Seconds without a new request after which a batch begins."""

Answer = TypeVar("Answer")


class OverloadedError(Exception):
    """More texts are waiting than are allowed."""


@dataclass(eq=False)
class _Request(Generic[Answer]):
    texts: Sequence[str]
    answers: "asyncio.Future[list[Answer]]"


class Batcher(Generic[Answer]):
    """Collects texts and computes them in a thread.

    Args:
        compute: gives one answer for each text, in their order.
        max_batch: maximum number of texts in a batch; a request is never divided, so a larger one is a batch by itself.
        max_waiting: maximum number of texts that wait, without those that are computed. A single request may have more.
        pool: where `compute` runs; None for a thread of its own.
        on_batch: called with the number of texts of each batch.
        on_waiting: called with the number of texts that wait, when it changes.
    """

    def __init__(
        self,
        compute: Callable[[list[str]], list[Answer]],
        max_batch: int,
        max_waiting: int,
        pool: ThreadPoolExecutor | None = None,
        on_batch: Callable[[int], object] = lambda _: None,
        on_waiting: Callable[[int], object] = lambda _: None,
    ) -> None:
        self._compute, self._on_batch, self._on_waiting = compute, on_batch, on_waiting
        self._max_batch, self._max_waiting = max_batch, max_waiting
        self._pool = pool or ThreadPoolExecutor(1, "batch")
        self._last_was_alone = True
        self._since: float | None = None
        self._requests: deque[_Request[Answer]] = deque()
        self._arrived = asyncio.Condition()
        self.waiting = 0
        """Number of texts that wait."""

    async def __call__(self, texts: Sequence[str]) -> list[Answer]:
        """The answers for some texts, in their order. A caller that is cancelled frees their place.

        Raises:
            OverloadedError: if too many texts are waiting.
        """
        if self.waiting and self.waiting + len(texts) > self._max_waiting:
            raise OverloadedError
        request = _Request(texts, asyncio.get_running_loop().create_future())
        async with self._arrived:
            self._requests.append(request)
            self._wait(len(texts))
            self._arrived.notify()
        try:
            return await request.answers
        except asyncio.CancelledError:
            if request in self._requests:
                self._requests.remove(request)
                self._wait(-len(texts))
            raise

    async def run(self) -> None:
        """Compute batches until cancelled."""
        while True:
            async with self._arrived:
                await self._arrived.wait_for(lambda: self._requests)
            await self._pause()
            batch = self._next_batch()
            if batch:
                self._on_batch(sum(len(request.texts) for request in batch))
                self._since = time.monotonic()
                await self._answer(batch)
                self._since = None

    @property
    def seconds(self) -> float:
        """How long the present batch has been computed, or has waited for the thread; 0 if there is none."""
        return 0.0 if self._since is None else time.monotonic() - self._since

    async def _answer(self, batch: list[_Request[Answer]]) -> None:
        texts = [text for request in batch for text in request.texts]
        try:
            answers = await asyncio.get_running_loop().run_in_executor(self._pool, self._compute, texts)
        except Exception as error:
            if len(batch) == 1:
                _finish(batch[0], error)
                return
            for request in batch:  # one of them is the reason; the others shall not suffer for it
                await self._answer([request])
            return
        done = 0
        for request in batch:
            _finish(request, answers[done : done + len(request.texts)])
            done += len(request.texts)

    async def _pause(self) -> None:
        """Wait until nothing arrives any more, or a batch is full; a single client does not have to wait."""
        if len(self._requests) == 1 and self._last_was_alone:
            return
        waiting = 0
        while waiting < self.waiting < self._max_batch:
            waiting = self.waiting
            await asyncio.sleep(PAUSE)

    def _wait(self, more: int) -> None:
        self.waiting += more
        self._on_waiting(self.waiting)

    def _next_batch(self) -> list[_Request[Answer]]:
        """The requests that have waited longest, without those whose callers have gone."""
        batch: list[_Request[Answer]] = []
        size = 0
        while self._requests and (not batch or size + len(self._requests[0].texts) <= self._max_batch):
            request = self._requests.popleft()
            self._wait(-len(request.texts))
            if not request.answers.cancelled():
                batch.append(request)
                size += len(request.texts)
        self._last_was_alone = len(batch) == 1
        return batch


def _finish(request: _Request[Answer], result: list[Answer] | Exception) -> None:
    if request.answers.done():  # its caller has gone
        return
    if isinstance(result, Exception):
        request.answers.set_exception(result)
    else:
        request.answers.set_result(result)
