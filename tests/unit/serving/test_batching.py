import asyncio
import threading

import pytest

from sentiment.serving.batching import Batcher, OverloadedError


class Upper:
    """A computation that waits until it may go on; remembers its batches."""

    def __init__(self):
        self.batches, self.go_on, self.started = [], threading.Event(), threading.Event()

    def __call__(self, texts):
        self.batches.append(texts)
        self.started.set()
        assert self.go_on.wait(10)
        if "bad" in texts:
            raise ValueError("bad")
        return [text.upper() for text in texts]


def with_batcher(work, compute, **settings):
    async def run():
        batcher = Batcher(compute, **{"max_batch": 4, "max_waiting": 6} | settings)
        running = asyncio.create_task(batcher.run())
        try:
            await work(batcher)
        finally:
            compute.go_on.set()
            running.cancel()

    asyncio.run(run())


async def started(compute):
    while not compute.started.is_set():
        await asyncio.sleep(0.001)


def test_what_arrives_meanwhile_is_one_batch():
    async def work(batcher):
        first = asyncio.create_task(batcher(["a"]))
        await started(compute)
        others = [asyncio.create_task(batcher(texts)) for texts in (["b"], ["c", "d"], ["e", "f"])]
        await asyncio.sleep(0.01)
        assert batcher.waiting == 5
        assert 0.01 <= batcher.seconds < 60
        compute.go_on.set()
        assert await first == ["A"]
        assert [await task for task in others] == [["B"], ["C", "D"], ["E", "F"]]
        assert batcher.waiting == 0
        await asyncio.sleep(0.01)
        assert batcher.seconds == 0

    compute = Upper()
    with_batcher(work, compute)
    assert compute.batches == [["a"], ["b", "c", "d"], ["e", "f"]]  # a request is not divided


def test_too_many_texts_are_refused_at_once():
    async def work(batcher):
        tasks = [asyncio.create_task(batcher(["a"]))]
        await started(compute)
        tasks.append(asyncio.create_task(batcher(list("bcdefg"))))
        await asyncio.sleep(0.01)
        with pytest.raises(OverloadedError):
            await batcher(["h"])
        compute.go_on.set()
        assert [await task for task in tasks] == [["A"], list("BCDEFG")]  # larger than a batch, so one by itself
        assert await batcher(["h"]) == ["H"]

    compute = Upper()
    with_batcher(work, compute)


def test_a_caller_that_has_gone_is_not_computed():
    async def work(batcher):
        first = asyncio.create_task(batcher(["a"]))
        await started(compute)
        gone, waiting = (asyncio.create_task(batcher([text])) for text in "bc")
        await asyncio.sleep(0.01)
        gone.cancel()
        first.cancel()  # this one is already computed
        await asyncio.sleep(0)
        assert batcher.waiting == 1  # its place is free
        compute.go_on.set()
        assert await waiting == ["C"]

    compute = Upper()
    with_batcher(work, compute)
    assert compute.batches == [["a"], ["c"]]


def test_an_error_reaches_its_request_and_nobody_else():
    async def work(batcher):
        first = asyncio.create_task(batcher(["a"]))
        await started(compute)
        bad, good = (asyncio.create_task(batcher([text])) for text in ("bad", "good"))
        await asyncio.sleep(0.01)
        compute.go_on.set()
        assert await first == ["A"] and await good == ["GOOD"]
        with pytest.raises(ValueError, match="bad"):
            await bad

    compute = Upper()
    with_batcher(work, compute)
    assert compute.batches == [["a"], ["bad", "good"], ["bad"], ["good"]]
