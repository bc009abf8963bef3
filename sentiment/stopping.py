"""SIGINT and SIGTERM as a wish that long loops look at when it suits them.

Signals belong to the whole process, and so does the wish: a loop anywhere below `listening` asks `requested`, or calls
`check` where it has nothing to save. Outside of `listening` both are silent.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Stopped(Exception):  # noqa: N818  # not an error: the person asked for it
    """Work stopped by a signal; the message says how to go on. Exit code 128 + signal number."""

    def __init__(self, signal_number: int, message: str) -> None:
        super().__init__(message)
        self.signal_number = signal_number
        self.exit_code = 128 + signal_number


_signal_number: int | None = None


@contextmanager
def listening() -> Iterator[None]:
    """Remember both signals inside the block; a second SIGINT ends the process at once.

    Outside of the main thread, where Python delivers no signals, the block runs as it is.
    """
    global _signal_number
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = {number: signal.signal(number, _remember) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        _signal_number = None
        for number, handler in former.items():
            signal.signal(number, handler)


def _remember(number: int, frame: Any) -> None:
    global _signal_number
    _signal_number = number
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def requested() -> int | None:
    """Number of the signal that asked to stop, or None."""
    return _signal_number


def check() -> None:
    """Leave a loop that has nothing to save.

    Raises:
        Stopped: if a signal asked for it.
    """
    if _signal_number is not None:
        raise Stopped(_signal_number, f"stopped by {signal.Signals(_signal_number).name}; nothing was written.")
