"""Seconds of a call, and several calls in turns."""

import gc
import random
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from benchmarks.harness.command import log

Result = TypeVar("Result")


def timed(call: Callable[[], Result]) -> tuple[float, Result]:
    """Seconds of one call, and what it gives."""
    started = time.perf_counter()
    result = call()
    return time.perf_counter() - started, result


def seconds_per_call(call: Callable[[], object], at_least: float = 0.2) -> float:
    """Mean seconds over as many calls as fit into `at_least` seconds, one or more; one call before warms up."""
    call()
    calls, started = 0, time.perf_counter()
    while (passed := time.perf_counter() - started) < at_least or calls == 0:
        call()
        calls += 1
    return passed / calls


def in_turns(calls: Mapping[str, Callable[[], Result]], rounds: int, warm_up: bool = True) -> dict[str, list[Result]]:
    """Make every call once a round; the results of all rounds, by name.

    Whatever else the machine does in a round then meets all calls alike, so that their ratio within one round is
    fair. The order is drawn anew for each round.

    Args:
        calls: by name.
        rounds: that count.
        warm_up: make one more round before, which does not count.
    """
    order, found = random.Random(0), {name: list[Result]() for name in calls}
    for number in range(0 if warm_up else 1, rounds + 1):
        for name in order.sample(list(calls), len(calls)):
            log(f"round {number} of {rounds}: {name}" if number else f"warming up: {name}")
            gc.collect()
            result = calls[name]()
            if number:
                found[name].append(result)
    return found
