"""SIGINT and SIGTERM as a request to stop, which long loops check when they can stop safely.

Inside `catch_signals`, a signal is only recorded. A loop checks `stop_requested`, or calls `raise_if_stopped` if it has
nothing to save. The request belongs to the whole process; outside of `catch_signals` there is never a request. A loop
that waits for others, and can be left at any point, uses `raise_signals`.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Stopped(Exception):  # noqa: N818  # not an error: the user requested it
    """The work was stopped by a signal; the message tells how to resume it. Exit code 128 + signal number."""

    def __init__(self, signal_number: int, message: str) -> None:
        super().__init__(message)
        self.signal_number = signal_number
        self.exit_code = 128 + signal_number


_signal_number: int | None = None


@contextmanager
def catch_signals() -> Iterator[None]:
    """Context manager that records SIGINT and SIGTERM as requests to stop; a second SIGINT ends the process at once.

    In other threads than the main thread it does nothing, since Python delivers no signals there.
    """
    with _handler(_record):
        yield


@contextmanager
def raise_signals() -> Iterator[None]:
    """Context manager like `catch_signals`, in which the first signal also raises `Stopped` where the program is."""
    with _handler(_raise):
        yield


@contextmanager
def _handler(handler: Callable[[int, Any], None]) -> Iterator[None]:
    global _signal_number
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        _signal_number = None
        for number, before in previous.items():
            signal.signal(number, before)


def _record(number: int, frame: Any) -> None:
    global _signal_number
    _signal_number = number
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _raise(number: int, frame: Any) -> None:
    first = _signal_number is None
    _record(number, frame)
    if first:
        raise_if_stopped()


def stop_requested() -> int | None:
    """Number of the signal that requested a stop; None if there is no request."""
    return _signal_number


def raise_if_stopped() -> None:
    """Stop a loop that has nothing to save.

    Raises:
        Stopped: if a stop was requested.
    """
    if _signal_number is not None:
        raise Stopped(_signal_number, f"stopped by {signal.Signals(_signal_number).name}; nothing was written.")
