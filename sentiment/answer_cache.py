"""Answers that take minutes are kept, as plain numbers: the same question to the same model is computed once."""

import hashlib
import os
import sys
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from sentiment.errors import RunError
from sentiment.files import replacing


def default_cache() -> Path | None:
    """The user's cache directory for answers; None for a user without a home."""
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sentiment-rnn" / "answers"
    except RuntimeError:
        return None


def remembered(cache: Path | None, question: Iterable[str], count: int, answer: Callable[[], np.ndarray]) -> np.ndarray:
    """The kept answer to a question, or a new one, which is then kept.

    Args:
        cache: directory; None keeps nothing, and one that cannot be written costs a warning.
        question: all that decides the answer.
        count: numbers in an answer.
        answer: computes it: [count].

    Returns:
        [count], finite.
    """
    if cache is None:
        return answer()
    digest = hashlib.sha256()
    for part in question:
        digest.update(part.encode("utf-8", "surrogatepass") + b"\0")
    file = cache / f"{digest.hexdigest()}.npz"
    logits = _read(file, count)
    if logits is None:
        logits = answer()
        try:
            with replacing(file) as temporary, temporary.open("wb") as target:
                np.savez(target, logits=logits)
        except RunError as error:  # the work is done, and what is lost is time of the next run alone
            print(f"warning: an answer is not kept and will be computed again: {error}", file=sys.stderr)
    return logits


def _read(file: Path, count: int) -> np.ndarray | None:
    """Kept numbers, or None where there are none that can be read."""
    try:
        with np.load(file, allow_pickle=False) as arrays:
            logits: np.ndarray = arrays["logits"]
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
        return None
    return logits if logits.shape == (count,) and np.isfinite(logits).all() else None
