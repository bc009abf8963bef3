"""How many threads compute: one per piece of work.

Several threads on one piece of work, as torch starts them by default, wait for each other after each small step. On a
busy machine one of them always lacks its core, and a call of a millisecond takes hundreds. So each batch is computed by
one thread, and several batches at a time.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from sentiment.errors import InputError


def batch_threads(wanted: int | None = None) -> int:
    """Number of batches to compute at a time.

    Args:
        wanted: the number that the caller chose. None for OMP_NUM_THREADS; or else 1 in a child process, which shares
            the machine with its siblings; or else the number of CPUs that this process may use.
    """
    if wanted is not None:
        return wanted
    if (variable := os.environ.get("OMP_NUM_THREADS", "")).isdecimal() and int(variable) > 0:
        return int(variable)
    import multiprocessing  # this one and the next are not needed for one text

    if multiprocessing.parent_process() is not None:
        return 1
    from joblib import cpu_count  # also knows the limits of containers

    return int(cpu_count())


def check_threads(threads: int | None) -> None:
    """Check a number of threads that a caller chose.

    Raises:
        InputError: if it is below 1.
    """
    if threads is not None and threads < 1:
        raise InputError(f"threads is {threads}; give a number from 1 on.")


@contextmanager
def one_thread() -> Iterator[None]:
    """Context manager in which torch computes in the calling thread only."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
