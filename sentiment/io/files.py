"""Atomic files and directories (written completely or not at all), locks, JSON and fingerprints."""

import contextlib
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from sentiment.errors import InputError, RunError

TEMPORARY_PREFIX = ".tmp-"
JSON_BYTES = 2**26
"""Maximum size of a JSON file."""


def expand_user(path: str | Path) -> Path:
    """Replace `~` or `~user` in a path by the home directory.

    Raises:
        InputError: if the home directory is not known.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        user = Path(path).parts[0]
        raise InputError(f"{path}: no home directory is known for {user}; give the full path.") from error


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Context manager that writes a file atomically: it yields a temporary path, and renames it to `path` at the end.

    An existing file at `path` is replaced only then; it stays unchanged if the block raises an error.

    Raises:
        RunError: if the disk is full or the directory cannot be written.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f"{TEMPORARY_PREFIX}{path.name}-", dir=path.parent)
        os.close(descriptor)
        temporary = Path(name)
        yield temporary
        temporary.chmod(0o644)
        _sync(temporary)
        temporary.replace(path)
        _sync(path.parent)
    except (OSError, SafetensorError) as error:
        raise RunError(f"{path}: cannot be written: {_reason(error)}.") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_directory(path: Path) -> Iterator[Path]:
    """Like `atomic_file`, for a directory: all its files are replaced together."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f"{TEMPORARY_PREFIX}{path.name}-", dir=path.parent))
    except OSError as error:
        raise RunError(f"{path}: cannot be written: {error.strerror or error}.") from error
    try:
        yield temporary
        temporary.chmod(0o755)
        for file in temporary.iterdir():
            file.chmod(0o644)
            _sync(file)
        _sync(temporary)
        previous = temporary.with_name(f"{temporary.name}-former")
        if path.exists():
            path.rename(previous)
        temporary.rename(path)
        _sync(path.parent)
        shutil.rmtree(previous, ignore_errors=True)
    except (OSError, SafetensorError) as error:
        raise RunError(f"{path}: cannot be written: {_reason(error)}.") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _reason(error: OSError | SafetensorError) -> str:
    return getattr(error, "strerror", None) or " ".join(str(error).split())


def remove_leftovers(directory: Path) -> None:
    """Remove the temporary files of killed processes, and restore a directory if its replacement was interrupted.

    The caller must hold the directory's lock; otherwise the files could belong to a running process.
    """
    for leftover in sorted(directory.glob(f"{TEMPORARY_PREFIX}*")):
        name = leftover.name.removeprefix(TEMPORARY_PREFIX)
        previous = re.fullmatch(r"(.+)-[^-]+-former", name)
        if previous and not (directory / previous[1]).exists():
            leftover.rename(directory / previous[1])
        elif leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)


@contextlib.contextmanager
def lock_directory(directory: Path) -> Iterator[None]:
    """Context manager that creates a directory if necessary and locks it against other processes.

    The lock ends with the process, even if it is killed; the empty file `.lock` stays.

    Raises:
        InputError: if another process has locked the directory.
        RunError: if the directory cannot be created.
    """
    from filelock import FileLock, Timeout  # imported here: predicting a text does not need it

    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = FileLock(directory / ".lock", blocking=False)
        lock.acquire()
    except Timeout as error:
        raise InputError(
            f"{directory}: another process is using this directory; wait until it ends, or choose another directory."
        ) from error
    except (OSError, NotImplementedError) as error:  # NotImplementedError: the disk has no locks
        raise RunError(f"{directory}: cannot be written: {getattr(error, 'strerror', None) or error}.") from error
    try:
        yield
    finally:
        lock.release()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically (`atomic_file`)."""
    with atomic_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write indented JSON atomically (`atomic_file`)."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        InputError: if the file is missing, not UTF-8, not JSON or not an object.
    """
    try:
        if path.stat().st_size > JSON_BYTES:
            raise InputError(f"{path}: larger than {JSON_BYTES} bytes, so it is not a file of this package.")
        value = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: not valid JSON: {' '.join(str(error).split())}.") from error
    if not isinstance(value, dict):
        raise InputError(f"{path}: contains a JSON {type(value).__name__}, not an object.")
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not allowed in JSON")


def fingerprint(path: Path) -> dict[str, int | str]:
    """Size in bytes and SHA-256 of a file."""
    with path.open("rb") as file:
        return {"size": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def check_fingerprint(path: Path, expected: dict[str, int | str]) -> None:
    """Compare a file with its recorded size and SHA-256.

    Raises:
        InputError: if the file is missing or differs.
    """
    if not path.is_file():
        raise InputError(f"{path}: the file is missing; the directory is incomplete.")
    found = path.stat().st_size
    if found != expected["size"]:
        raise InputError(f"{path}: {found} bytes, but {expected['size']} were saved; the file is damaged.")
    digest = fingerprint(path)["sha256"]
    if digest != expected["sha256"]:
        found_digits, saved_digits = str(digest)[:12], str(expected["sha256"])[:12]
        raise InputError(
            f"{path}: its SHA-256 is {found_digits}..., but {saved_digits}... was saved; the file was changed."
        )
