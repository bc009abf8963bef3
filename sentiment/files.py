"""Files that appear whole or not at all."""

import contextlib
import fcntl
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


def expanded(path: str | Path) -> Path:
    """The path with `~` or `~user` written out.

    Raises:
        InputError: if there is no such home directory.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        user = Path(path).parts[0]
        raise InputError(f"{path}: no home directory is known for {user}; write the path out.") from error


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; when the block ends without error it is flushed to disk and takes the name.

    Whatever stood at `path` before is untouched until then, and stays if the block fails.

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
def replacing_directory(path: Path) -> Iterator[Path]:
    """Like `replacing`, for a directory whose files belong together."""
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
        former = temporary.with_name(f"{temporary.name}-former")
        if path.exists():
            path.rename(former)
        temporary.rename(path)
        _sync(path.parent)
        shutil.rmtree(former, ignore_errors=True)
    except (OSError, SafetensorError) as error:
        raise RunError(f"{path}: cannot be written: {_reason(error)}.") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _reason(error: OSError | SafetensorError) -> str:
    return getattr(error, "strerror", None) or " ".join(str(error).split())


def clear_leftovers(directory: Path) -> None:
    """Remove what killed writers left; a former directory whose successor never came takes its name back.

    The caller must hold the directory's lock, or these could be the files of a writer that is alive.
    """
    for leftover in sorted(directory.glob(f"{TEMPORARY_PREFIX}*")):
        name = leftover.name.removeprefix(TEMPORARY_PREFIX)
        former = re.fullmatch(r"(.+)-[^-]+-former", name)
        if former and not (directory / former[1]).exists():
            leftover.rename(directory / former[1])
        elif leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Make a directory, if need be, and keep every other process that asks out of it for the length of the block.

    The lock goes with the process, however that ends.

    Raises:
        InputError: if another process is at work in it.
        RunError: if it cannot be made.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(directory, os.O_RDONLY)
    except OSError as error:
        raise RunError(f"{directory}: cannot be written: {_reason(error)}.") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(
                f"{directory}: another process is at work in it; wait for it or choose another place."
            ) from error
        yield
    finally:
        os.close(descriptor)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Write a small text file whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write JSON, readable, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        InputError: if the file is missing, not UTF-8, not JSON or not an object.
    """
    try:
        if path.stat().st_size > JSON_BYTES:
            raise InputError(f"{path}: longer than {JSON_BYTES} bytes, which no file of this project is.")
        value = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: not valid JSON: {' '.join(str(error).split())}.") from error
    if not isinstance(value, dict):
        raise InputError(f"{path}: holds a JSON {type(value).__name__} where an object belongs.")
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def fingerprint(path: Path) -> dict[str, int | str]:
    """Size in bytes and SHA-256 of a file."""
    with path.open("rb") as file:
        return {"size": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def check_fingerprint(path: Path, expected: dict[str, int | str]) -> None:
    """Compare a file with its recorded size and hash.

    Raises:
        InputError: naming the file and both values, if it is missing or differs.
    """
    if not path.is_file():
        raise InputError(f"{path}: missing; the directory is incomplete.")
    found = path.stat().st_size
    if found != expected["size"]:
        raise InputError(f"{path}: {found} bytes, but {expected['size']} were saved; the file is damaged.")
    digest = fingerprint(path)["sha256"]
    if digest != expected["sha256"]:
        raise InputError(f"{path}: SHA-256 is {digest}, but {expected['sha256']} was saved; the file was changed.")
