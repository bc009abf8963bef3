"""Progress bars that count reviews, on standard error or in a notebook."""

import sys
from importlib import import_module
from typing import Any

TERMINAL_SECONDS, FILE_SECONDS = 0.5, 30.0
"""Time between two updates: of a bar that is looked at, and of one that fills a log file."""


def review_bar(total: int | None, doing: str, done: int = 0) -> Any:
    """A bar of tqdm, to be used as a context manager and updated with numbers of reviews.

    Args:
        total: number of reviews; None if it is not known yet, and is set later.
        doing: what is done, in a word.
        done: reviews that were done by an earlier run; they do not count for the rate.
    """
    notebook = "ipykernel" in sys.modules
    # outside of notebooks the plain one, whose bars the messages of the command line step around
    tqdm = import_module("tqdm.auto" if notebook else "tqdm").tqdm
    seconds = TERMINAL_SECONDS if notebook or sys.stderr.isatty() else FILE_SECONDS
    return tqdm(total=total, initial=done, desc=doing, unit=" reviews", mininterval=seconds, dynamic_ncols=True)


def estimated_total(rows: int, position: int, size: int | None) -> int | None:
    """Number of rows of files of which a part has been read, if the rest is like it; None if nothing is known.

    Args:
        rows: rows in the part that was read.
        position: bytes of that part.
        size: bytes of the files; None if that is not known.
    """
    return max(rows, round(rows * size / position)) if size and position else None
