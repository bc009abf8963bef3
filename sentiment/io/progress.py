"""What a command is doing, on standard error or in a notebook: bars that count reviews, and steps of other work.

At a terminal both move every second, also while nothing is finished: their time goes on. A log file gets a line for
each step, and few lines of a bar. This module imports tqdm only when there is something to show.
"""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from threading import Event, Thread
from typing import Any

logger = logging.getLogger(__name__)

TERMINAL_SECONDS, FILE_SECONDS = 0.5, 30.0
"""Time between two updates: of a bar that is looked at, and of one that fills a log file."""
CLOCK_SECONDS = 1.0
"""Time between two updates at a terminal while nothing is finished."""


@contextmanager
def review_bar(total: int | None, doing: str, done: int = 0, shown: bool = True) -> Iterator[Any]:
    """A bar of tqdm, to be updated with numbers of reviews.

    Args:
        total: number of reviews; None if it is not known yet, and is set later.
        doing: what is done, in a word.
        done: reviews that were done by an earlier run; they do not count for the rate.
        shown: whether it is visible.
    """
    with _bar(doing, total=total, initial=done, unit=" reviews", disable=not shown) as bar:
        yield bar


@contextmanager
def step(doing: str, lasting: bool = True) -> Iterator[None]:
    """Show what is done and for how long, where reviews cannot be counted.

    Args:
        doing: what is done, in a few words.
        lasting: whether the line stays when the step is done. One that does not is shown only at a terminal.
    """
    if not _at_terminal():
        if lasting:
            logger.info("%s", doing)
        yield
        return
    # the time first, where a narrow terminal does not cut it off
    with _bar(doing, bar_format="[{elapsed}] {desc}{bar}", leave=False) as bar:
        yield
        bar.leave = lasting  # of a step that fails only the error stays


@contextmanager
def _bar(doing: str, **settings: Any) -> Iterator[Any]:
    notebook = "ipykernel" in sys.modules
    # outside of notebooks the plain one, whose bars the messages of the command line step around
    tqdm = import_module("tqdm.auto" if notebook else "tqdm").tqdm
    seconds = TERMINAL_SECONDS if notebook or _at_terminal() else FILE_SECONDS
    # with `miniters` each batch may move the bar; by default a slow batch after quick ones does not
    with tqdm(desc=doing, mininterval=seconds, miniters=1, dynamic_ncols=True, **settings) as bar:
        if bar.disable or bar.delay > 0 or not _at_terminal():  # a delay hides it, for `--quiet`
            yield bar
            return
        ended = Event()
        clock = Thread(target=_show_time, args=(bar, ended), daemon=True)
        clock.start()
        try:
            yield bar
        finally:
            ended.set()
            clock.join()


def _show_time(bar: Any, ended: Event) -> None:
    while not ended.wait(CLOCK_SECONDS):
        bar.refresh()


def _at_terminal() -> bool:
    return sys.stderr.isatty()


def in_proportion(update: Callable[[int], Any], parts: int, reviews: int) -> Callable[[int], None]:
    """A function for numbers of finished parts of reviews that calls `update` with numbers of reviews.

    Each part counts the same, so that all parts together count as all reviews.
    """
    finished = 0

    def count(more: int) -> None:
        nonlocal finished
        update((finished + more) * reviews // parts - finished * reviews // parts)
        finished += more

    return count


def estimated_total(rows: int, position: int, size: int | None) -> int | None:
    """Number of rows of files of which a part has been read, if the rest is like it; None if nothing is known.

    Args:
        rows: rows in the part that was read.
        position: bytes of that part.
        size: bytes of the files; None if that is not known.
    """
    return max(rows, round(rows * size / position)) if size and position else None
