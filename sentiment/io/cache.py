"""A cache on disk for predictions that take minutes: the same model and texts are computed only once."""

import hashlib
import logging
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import platformdirs

from sentiment.errors import RunError
from sentiment.io.files import atomic_file

logger = logging.getLogger(__name__)


def user_cache(name: str) -> Path | None:
    """The directory `name` in the user's cache of this package; None if the user has no home directory."""
    try:
        return platformdirs.user_cache_path("sentiment-rnn") / name
    except RuntimeError:
        return None


def cache_directory() -> Path | None:
    """The user's cache directory for predictions; None if the user has no home directory."""
    return user_cache("answers")


def cached(cache: Path | None, key: Iterable[str], count: int, compute: Callable[[], np.ndarray]) -> np.ndarray:
    """Return cached logits, or compute and cache them.

    Args:
        cache: cache directory; None for no cache. A directory that cannot be written gives a warning, not an error.
        key: everything that the logits depend on.
        count: number of logits.
        compute: computes the logits: [count].

    Returns:
        Logits [count].
    """
    if cache is None:
        return compute()
    digest = hashlib.sha256()
    for part in key:
        digest.update(part.encode("utf-8", "surrogatepass") + b"\0")
    file = cache / f"{digest.hexdigest()}.npz"
    logits = _read(file, count)
    if logits is None:
        logits = compute()
        try:
            with atomic_file(file) as temporary, temporary.open("wb") as target:
                np.savez(target, logits=logits)
        except RunError as error:  # the logits are computed; only the next run takes longer
            reason = getattr(error.__cause__, "strerror", None) or error.__cause__
            logger.warning(
                "a result is not cached and must be computed again next time: %s cannot be written: %s.", cache, reason
            )
    return logits


def _read(file: Path, count: int) -> np.ndarray | None:
    """Cached logits [count], finite; None if the file is missing, damaged or of another size."""
    try:
        with np.load(file, allow_pickle=False) as arrays:
            logits: np.ndarray = arrays["logits"]
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
        return None
    return logits if logits.shape == (count,) and np.isfinite(logits).all() else None
