"""A cache on disk for predictions that take minutes: the same model and texts are computed only once."""

import hashlib
import itertools
import logging
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import platformdirs

from sentiment.errors import RunError
from sentiment.io.files import atomic_file

logger = logging.getLogger(__name__)

PART = 2000
"""Texts whose logits are computed, then saved, by `cached_by_text`; a run that is stopped loses at most as many."""


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
    file = cache / f"{_digest(key)}.npz"
    logits = _read(file, count)
    if logits is None:
        logits = compute()
        _write(file, logits=logits)
    return logits


def cached_by_text(
    cache: Path | None, key: Iterable[str], texts: Sequence[str], compute: Callable[[Sequence[str]], np.ndarray]
) -> np.ndarray:
    """Return the logits of texts; only those of new texts are computed.

    Args:
        cache: cache directory, as for `cached`.
        key: everything that the logits depend on, apart from the texts.
        texts: the texts.
        compute: computes the logits of some texts.

    Returns:
        Logits [len(texts)] float32.
    """
    file = None if cache is None else cache / f"{_digest(key)}.npz"
    names = [_digest([text])[:32] for text in texts]
    known = {} if file is None else _read_named(file)
    new = {name: text for name, text in zip(names, texts, strict=True) if name not in known}
    for start in range(0, len(new), PART):
        part = dict(itertools.islice(new.items(), start, start + PART))
        known |= zip(part, compute(list(part.values())).tolist(), strict=True)
        if file is not None:
            _write(file, names=np.array(list(known), "S32"), logits=np.array(list(known.values()), np.float32))
    return np.array([known[name] for name in names], np.float32)


def _digest(parts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()


def _write(file: Path, **arrays: np.ndarray) -> None:
    try:
        with atomic_file(file) as temporary, temporary.open("wb") as target:
            np.savez(target, allow_pickle=False, **arrays)
    except RunError as error:  # the logits are computed; only the next run takes longer
        reason = getattr(error.__cause__, "strerror", None) or error.__cause__
        logger.warning(
            "a result is not cached and must be computed again next time: %s cannot be written: %s.",
            file.parent,
            reason,
        )


def _read_named(file: Path) -> dict[str, float]:
    """Cached logits by the name of their text; none if the file is missing or damaged."""
    try:
        with np.load(file, allow_pickle=False) as arrays:
            names = [name.decode() for name in arrays["names"].tolist()]
            return dict(zip(names, arrays["logits"].tolist(), strict=True))
    except (OSError, KeyError, ValueError, AttributeError, EOFError, zipfile.BadZipFile):
        return {}


def _read(file: Path, count: int) -> np.ndarray | None:
    """Cached logits [count], finite; None if the file is missing, damaged or of another size."""
    try:
        with np.load(file, allow_pickle=False) as arrays:
            logits: np.ndarray = arrays["logits"]
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
        return None
    return logits if logits.shape == (count,) and np.isfinite(logits).all() else None
