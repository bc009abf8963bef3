"""The two errors of this package. Their messages are one or two sentences, written for users."""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """The input is wrong: a file, a setting, a model directory. Exit code 2."""


class RunError(RuntimeError):
    """The input is fine, but the work failed: no network, a full disk, a loss that is not finite. Exit code 1."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Find the known name that was most likely meant: one that it abbreviates or ends, or one of similar letters."""
    names = list(known)
    cut = [full for full in names if full.startswith(name) or full.endswith(f".{name.lstrip('-')}")]
    found = difflib.get_close_matches(name, cut, 1, 0) or difflib.get_close_matches(name, names, 1)
    return found[0] if found else None
