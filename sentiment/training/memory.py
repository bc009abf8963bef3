"""Memory of training steps on the CPU.

A step takes hundreds of megabytes in large blocks, and frees them again. glibc returns such blocks to the system, which
has to clear every page again when the next step needs it: a sixth of the time of a step. So a training keeps them.

oneDNN keeps the code of the last 1,024 operations, by their shapes. The batches of a training have hundreds of shapes,
so that takes hundreds of megabytes; and being spread over the memory that is kept, it would leave no room there for
large blocks.
"""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

# parameters of mallopt, from glibc's malloc.h
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4

USUAL_BLOCKS = 65_536
"""How many large blocks at most glibc takes from the system one by one: its default."""
USUAL_FREE = 64 * 2**20
"""Bytes that glibc keeps free at the end of its heap: what its default rises to as large blocks are freed."""
KEPT_OPERATIONS = 16
"""How many operations oneDNN keeps: those of a step or two."""


def keep_few_operations() -> None:
    """Let oneDNN keep `KEPT_OPERATIONS`, unless the user has set how many; call it before anything is computed."""
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", str(KEPT_OPERATIONS))  # read at the first operation


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """Context manager in which glibc keeps what is freed. Where there is no glibc, nothing changes.

    A training needs up to a quarter more memory with it, for a block does not always fit where a former one was.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):  # neither macOS nor musl has it
        libc.mallopt(M_MMAP_MAX, 0)
        libc.mallopt(M_TRIM_THRESHOLD, -1)
    try:
        yield
    finally:
        return_freed_memory()


def return_freed_memory() -> None:
    """Return what is free to the system, now and from now on."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(M_MMAP_MAX, USUAL_BLOCKS)
        libc.mallopt(M_TRIM_THRESHOLD, USUAL_FREE)
        libc.malloc_trim(0)
