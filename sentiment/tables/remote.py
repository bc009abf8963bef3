"""Files at any address that fsspec knows, such as `s3://bucket/reviews/*.csv`."""

import glob
import posixpath
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fsspec.core import url_to_fs

from sentiment.errors import InputError, RunError
from sentiment.io.formats import READABLE, Format, format_of
from sentiment.tables.opening import STANDARD_INPUT, check_readable
from sentiment.tables.sources import check_one_format, find_files

TEMPORARY = "_job/temporary"
"""Directory of files that are being written; readers of parquet directories skip names with an underscore."""


@dataclass(frozen=True)
class InputFile:
    """A file of a source."""

    name: str
    """Its address, or its absolute path on this machine."""
    size: int
    """Number of bytes."""
    version: str
    """Changes when the content changes: a hash or the time of the last change, as far as the address tells one."""


def is_remote(source: str) -> bool:
    """Whether a source is an address such as `s3://bucket/reviews`, not a path of this machine."""
    return "://" in source


def list_files(source: str, given: Format | None = None) -> list[InputFile]:
    """The files of a source, sorted by name.

    Args:
        source: a file, a directory or a pattern, on this machine or at an address.
        given: format of the files, if their names do not tell it.

    Raises:
        InputError: if there are no such files, or files of several formats.
        RunError: if the address cannot be reached.
    """
    if not is_remote(source):
        return [_local_file(file, given) for file in find_files(source, given)]
    with _errors(source):
        files, path = url_to_fs(source)
        files.invalidate_cache()  # fsspec remembers listings
        if glob.has_magic(path):
            infos = files.glob(path, detail=True)
        elif files.isdir(path):
            infos = files.find(path, detail=True)
            infos = {name: info for name, info in infos.items() if _is_input(name.removeprefix(path), given)}
            if not infos:
                raise InputError(f"{source}: the directory has no file that ends in {READABLE}.")
        else:
            infos = {path: files.info(path)}
        infos = {name: info for name, info in sorted(infos.items()) if info["type"] == "file"}
        if not infos:
            raise InputError(f"{source}: no such file.")
        check_one_format(source, [Path(name) for name in infos], given)
        return [InputFile(files.unstrip_protocol(name), info["size"], _version(info)) for name, info in infos.items()]


def _local_file(file: Path, given: Format | None) -> InputFile:
    if file == STANDARD_INPUT:
        raise InputError("standard input cannot be read by other machines; give a file, a directory or a pattern.")
    check_readable(file, given)
    status = file.stat()
    return InputFile(str(file.absolute()), status.st_size, str(status.st_mtime_ns))


def _is_input(name: str, given: Format | None) -> bool:
    hidden = any(part.startswith((".", "_")) for part in name.split("/"))
    return not hidden and format_of(Path(name), given) is not None


def _version(info: Mapping[str, Any]) -> str:
    known = ("ETag", "etag", "md5Hash", "content_md5", "LastModified", "last_modified", "mtime")
    return str(next((info[key] for key in known if info.get(key) is not None), ""))


@contextmanager
def local_copy(name: str) -> Iterator[Path]:
    """Context manager that gives a file of `list_files` as a path of this machine; a remote file is copied for it.

    Raises:
        InputError, RunError: if the file cannot be copied; those of the block, with its name for the path of the copy.
    """
    if not is_remote(name):
        yield Path(name)
        return
    with tempfile.TemporaryDirectory(prefix="sentiment-") as directory:
        path = Path(directory) / posixpath.basename(name)
        with _errors(name):
            files, there = url_to_fs(name)
            files.get_file(there, str(path))
        try:
            yield path
        except (InputError, RunError) as error:
            raise type(error)(str(error).replace(str(path), name)) from error


class OutputDirectory:
    """A directory on this machine or at an address, in which files appear only when they are complete.

    Args:
        address: its path or address.
    """

    def __init__(self, address: str) -> None:
        self.address = address if is_remote(address) else str(Path(address).absolute())
        with _errors(address):
            self._files, self._path = url_to_fs(self.address)

    def names(self, directory: str = "") -> list[str]:
        """Names of the files in it, or in a directory in it, sorted."""
        place = self._place(directory) if directory else self._path
        with _errors(self.address):
            self._files.invalidate_cache()
            if not self._files.isdir(place):
                return []
            return sorted(posixpath.basename(name.rstrip("/")) for name in self._files.ls(place, detail=False))

    def exists(self, name: str) -> bool:
        """Whether it has a file."""
        with _errors(self.address):
            return bool(self._files.exists(self._place(name)))

    def read(self, name: str) -> bytes:
        """Content of a file."""
        with _errors(self.address):
            content: bytes = self._files.cat_file(self._place(name))
            return content

    def write(self, name: str, content: bytes) -> None:
        """Write a file under a temporary name, then rename it."""
        place, temporary = self._place(name), self._place(f"{TEMPORARY}/{uuid.uuid4().hex}")
        with _errors(self.address):
            for directory in {posixpath.dirname(place), posixpath.dirname(temporary)}:
                self._files.makedirs(directory, exist_ok=True)
            self._files.pipe_file(temporary, content)
            self._files.mv(temporary, place)

    def remove_temporary(self) -> None:
        """Remove what writers that were killed have left."""
        if self.names(TEMPORARY):
            with _errors(self.address):
                self._files.rm(self._place(TEMPORARY), recursive=True)

    def remove(self) -> None:
        """Remove the directory with all files."""
        with _errors(self.address):
            self._files.rm(self._path, recursive=True)

    def _place(self, name: str) -> str:
        return posixpath.normpath(posixpath.join(self._path, name))


@contextmanager
def _errors(address: str) -> Iterator[None]:
    try:
        yield
    except (InputError, RunError):
        raise
    except FileNotFoundError as error:
        raise InputError(f"{address}: no such file or directory.") from error
    except ImportError as error:  # of the package for a protocol, such as s3fs
        raise RunError(f"{address}: {' '.join(str(error).split())}.") from error
    except ValueError as error:  # of an unknown protocol
        raise InputError(f"{address}: {' '.join(str(error).split())}.") from error
    except Exception as error:  # of a cloud's library; they have no common base class
        raise RunError(f"{address}: cannot be reached: {' '.join(str(error).split())}.") from error
