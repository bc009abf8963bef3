"""Memory that is freed is kept for the next step, and returned afterwards."""

import ctypes
import os
import resource
from types import SimpleNamespace

import psutil
import pytest
import torch

from sentiment.training import memory
from sentiment.training.hardware import Hardware
from sentiment.training.memory import freed_memory_kept

MEGABYTES = 100
PAGES = MEGABYTES * 2**20 // resource.getpagesize()

needs_glibc = pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="needs glibc")


def pages_taken(megabytes: int = MEGABYTES) -> int:
    """How many pages the system clears for a block that is used and freed."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.ones(megabytes * 2**20, dtype=torch.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@needs_glibc
def test_a_block_is_taken_from_the_system_once() -> None:
    with freed_memory_kept():
        pages_taken()
        assert pages_taken(MEGABYTES // 2) < PAGES / 100
        kept = psutil.Process().memory_info().rss
    assert psutil.Process().memory_info().rss < kept - MEGABYTES * 2**20 / 2
    assert pages_taken() > PAGES / 2
    assert pages_taken() > PAGES / 2


@needs_glibc
def test_memory_is_returned_after_an_error() -> None:
    with pytest.raises(MemoryError), freed_memory_kept():
        raise MemoryError
    pages_taken()
    assert pages_taken() > PAGES / 2


def test_without_glibc_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: SimpleNamespace())
    with freed_memory_kept():
        pages_taken()


def test_training_has_few_operations_kept_unless_the_user_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "ONEDNN_PRIMITIVE_CACHE_CAPACITY"
    monkeypatch.delenv(name, raising=False)
    Hardware.choose("cpu", "fp32")
    assert os.environ[name] == "16"
    monkeypatch.setenv(name, "500")
    Hardware.choose("cpu", "fp32")
    assert os.environ[name] == "500"
