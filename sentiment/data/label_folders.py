"""One review per file, in folders named after the labels: `pos/*.txt`, `neg/*.txt`; also below folders for splits.

The original IMDB archive is such a directory. Names of folders are read like labels in a column (`data.labels`).
"""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sentiment.config import DataConfig
from sentiment.data.acl_imdb import films_of
from sentiment.data.labels import Label, MissingLabelError, label_reader
from sentiment.data.split_words import split_words, words_for
from sentiment.errors import InputError
from sentiment.io.formats import FileFormat, format_of
from sentiment.tables.chunk import CHUNK_ROWS, Chunk
from sentiment.tables.opening import likely_encoding, open_text, wrong_bytes
from sentiment.tables.sources import local_path

logger = logging.getLogger(__name__)

UNLABELED = {"unsup", "unsupervised"}
"""Names of folders of unlabeled reviews, in lower case."""


@dataclass(frozen=True)
class LabelFolders:
    """The folders of a source that has one review per file.

    Attributes:
        source: the source.
        directories: {directory of a split, or the source if it has no splits: its folders of reviews}.
    """

    source: Path
    directories: dict[Path, list[Path]]

    @property
    def has_splits(self) -> bool:
        """Whether the folders stand below folders for splits."""
        return self.source not in self.directories

    def of_split(self, config: DataConfig, split: str, labeled: bool) -> list[Path]:
        """Folders of reviews of a split, by name; none if the split is a file beside the folders.

        Raises:
            InputError: if there is no such split; or, if labels are needed, if a name is no label or reviews are nested
                deeper.
        """
        unlabeled = [folder for folder in self._all() if folder.name.lower() in UNLABELED]
        if split == "unsupervised":
            return unlabeled or self._no_split(split)
        directories = list(self.directories)
        if self.has_splits:
            directories = [directory for directory in directories if directory.name.lower() == split] or [
                directory for directory in directories if split_words(directory.name) & words_for(split)
            ]
        if not directories:
            return self._no_split(split)
        if labeled:
            for directory in directories:
                _check_names(config, directory)
        return [
            folder for directory in directories for folder in self.directories[directory] if folder not in unlabeled
        ]

    def _all(self) -> list[Path]:
        """Folders of reviews of all splits, and those beside the splits."""
        below = [folder for folders in self.directories.values() for folder in folders]
        return below + (_folders_of_texts(self.source) if self.has_splits else [])

    def _no_split(self, split: str) -> list[Path]:
        """No folders, if there is a file for the split.

        Raises:
            InputError: if there is none.
        """
        if any(split_words(file.name) & words_for(split) for file in _entries(self.source) if file.is_file()):
            return []
        names = ", ".join(directory.name for directory in (self.directories if self.has_splits else self._all()))
        raise InputError(f"{self.source}: no folder is named after the split {split!r}; its folders are {names}.")


def find_label_folders(config: DataConfig, split: str | None = None, labeled: bool = True) -> LabelFolders | None:
    """The folders of a source that has one review per file; None for any other source.

    Tables have priority over `.txt` files below them, which are notes, unless folders are named after both labels.

    Args:
        config: the source, its format and labels.
        split: a split that is asked for; a folder of that name is one, whatever the name is.
        labeled: whether labels are needed. If not, at least one folder must be named after a label.

    Raises:
        InputError: if a directory cannot be read.
    """
    source = local_path(config.source)
    if not source.is_dir() or config.format not in (None, "txt"):
        return None
    found = {
        directory: folders
        for directory in _directories(source)
        if (split_words(directory.name) or directory.name == split) and (folders := _folders_of_texts(directory))
    }
    if not found and (folders := _folders_of_texts(source)):
        found = {source: folders}
    if not found:
        return None
    labels = _known_labels(config, {folder.name for folders in found.values() for folder in folders})
    if not labels >= {0, 1} and ((not labels and not labeled) or _has_tables(source)):
        return None
    return LabelFolders(source, found)


def read_folder(folder: Path, config: DataConfig) -> Iterator[Chunk]:
    """The reviews of one folder, by the names of their files, with the columns `text`, `label` and, if known, `group`.

    Numbers in names are compared as numbers: 2.txt comes before 10.txt.

    Raises:
        InputError: if a file cannot be read, or its name does not tell its film.
    """
    visible = _entries(folder)
    files = [file for file in visible if _is_text(file) and not file.is_dir()]
    others = [file for file in visible if not _is_text(file) and file.is_file()]
    if others:
        logger.warning("%s: %d files do not end in .txt, such as %s; left out.", folder, len(others), others[0].name)
    films = films_of(folder, files)
    for start in range(0, len(files), CHUNK_ROWS):
        rows: list[dict[str, Any]] = []
        places, indices, problems = [], [], []
        for index, file in enumerate(files[start : start + CHUNK_ROWS]):
            text = _read(file, config)
            if text is None:
                problems.append(f"{file.name}: {_not_decoded(file, config)}")
                continue
            film = {} if films is None else {"group": films[start + index]}
            rows.append({"text": text, "label": folder.name} | film)
            places.append(file.name)
            indices.append(index)
        texts = [row["text"] if row["text"].strip() else None for row in rows]
        yield Chunk(folder, "text", rows, texts, places, indices, problems, 0)


def _read(file: Path, config: DataConfig) -> str | None:
    """The text of a file; None if its bytes do not belong to the encoding."""
    if not file.is_file():
        raise InputError(f"{file}: {'not a regular file' if file.exists() else 'no such file'}; remove it.")
    try:
        with file.open("rb") as content:
            text = open_text(content, file, config.encoding, None).read()
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror or error}.") from error
    except UnicodeError:  # of UTF-16 and UTF-32; other encodings give surrogates
        return None
    return None if wrong_bytes(text) else text


def _not_decoded(file: Path, config: DataConfig) -> str:
    problem = f"contains bytes that are not {(config.encoding or 'utf-8').upper()}"
    likely = None if config.encoding is not None else likely_encoding(file, None)
    return problem if likely in (None, "utf-8") else f"{problem}; the file looks like {likely}: add --encoding {likely}"


def _check_names(config: DataConfig, directory: Path) -> None:
    """Check that all folders of a directory that hold `.txt` files are named after labels and hold them directly.

    Raises:
        InputError: if one is not, or does not.
    """
    reader = label_reader(config, str(directory), None)
    folders = [folder for folder in _directories(directory) if folder.name.lower() not in UNLABELED]
    deeper = {folder: _deeper_text(folder) for folder in folders}
    folders = [folder for folder in folders if deeper[folder] is not None or _has_text(folder)]
    names = [folder.name for folder in folders]
    for folder in folders:
        label, below = reader.read(folder.name, "", names), deeper[folder]
        if label is not None and below is not None:
            raise InputError(f"{below}: too deep, since {folder} is the folder of a label; move it to {folder}.")


def _known_labels(config: DataConfig, names: set[str]) -> set[Label]:
    """Labels that names of folders stand for, without those that are no label."""
    reader, found = label_reader(config, "", None), set()
    for name in names:
        try:
            found.add(reader.read(name, "", []))
        except (InputError, MissingLabelError):
            continue
    return found - {None}


def _folders_of_texts(directory: Path) -> list[Path]:
    """Folders of a directory with `.txt` files directly in them, by name."""
    return [folder for folder in _directories(directory) if _has_text(folder)]


def _has_text(folder: Path) -> bool:
    return any(_is_text(file) and not file.is_dir() for file in _entries(folder))


def _deeper_text(folder: Path) -> Path | None:
    """A `.txt` file in a folder below a folder."""
    for inner in _inner(folder):
        found = next(filter(_is_text, _entries(inner)), None) or _deeper_text(inner)
        if found is not None:
            return found
    return None


def _has_tables(directory: Path) -> bool:
    """Whether there are tables in a directory, at any depth."""
    formats = (format_of(file) for file in _entries(directory) if file.is_file())
    tables = any(isinstance(found, FileFormat) and found.name != "txt" for found in formats)
    return tables or any(map(_has_tables, _inner(directory)))


def _directories(directory: Path) -> list[Path]:
    return [entry for entry in _entries(directory) if entry.is_dir() and not entry.name.startswith("_")]


def _inner(directory: Path) -> list[Path]:
    """Directories to look into, without links, which can lead back up."""
    return [inner for inner in _directories(directory) if not inner.is_symlink()]


def _entries(directory: Path) -> list[Path]:
    """What is in a directory, by name. Hidden files are left out: macOS creates ._good.txt for good.txt."""
    try:
        found = [entry for entry in directory.iterdir() if not entry.name.startswith((".", "~$"))]
    except OSError as error:
        raise InputError(f"{directory}: cannot be read: {error.strerror or error}.") from error
    return sorted(found, key=_by_name)


def _by_name(path: Path) -> tuple[list[str | int], str]:
    """Key for sorting by name, with numbers in it as numbers."""
    parts = re.split(r"([0-9]+)", path.name)
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], path.name


def _is_text(file: Path) -> bool:
    return file.suffix.lower() == ".txt"
