"""The original IMDB archive: one file per review in a directory for its label, and the films in `urls_*.txt`."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sentiment.errors import InputError
from sentiment.tables.chunk import CHUNK_ROWS, Chunk

LABELS = {"neg": "negative", "pos": "positive", "unsup": None}
"""{directory: label of its reviews}."""
_NAME = re.compile(r"([0-9]+)_[0-9]+\.txt")


def folders_of(source: Path, split: str) -> list[Path]:
    """Directories of reviews of a split; none if the source is not such an archive."""
    if split == "unsupervised" and (source / "train" / "unsup").is_dir():
        return [source / "train" / "unsup"]
    if not any((source / split / name).is_dir() for name in LABELS):
        return []
    return [source / split / name for name in ("neg", "pos") if (source / split / name).is_dir()]


def read_folder(folder: Path) -> Iterator[Chunk]:
    """The reviews of one directory, by their numbers, with the columns `text`, `label` and `group` (film).

    Raises:
        InputError: if a file has another name or cannot be read.
    """
    urls_file = folder.parent / f"urls_{folder.name}.txt"
    urls = read_utf8(urls_file).split() if urls_file.is_file() else []
    # hidden files are not reviews: macOS creates ._0_9.txt for 0_9.txt
    files = [file for file in folder.glob("*.txt") if not file.name.startswith(".")]
    numbered = sorted((_number(file), file) for file in files)
    for start in range(0, len(numbered), CHUNK_ROWS):
        part = numbered[start : start + CHUNK_ROWS]
        rows: list[dict[str, Any]] = [
            {"text": read_utf8(file), "label": LABELS[folder.name], "group": urls[n] if n < len(urls) else str(file)}
            for n, file in part
        ]
        texts = [row["text"] if row["text"].strip() else None for row in rows]
        yield Chunk(folder, "text", rows, texts, [file.name for _, file in part], list(range(len(part))), [], 0)


def _number(file: Path) -> int:
    """Number of a review: its row in `urls_*.txt`."""
    name = _NAME.fullmatch(file.name)
    if name is None:
        raise InputError(f"{file}: files in an aclImdb directory must be named NUMBER_STARS.txt; rename or remove it.")
    return int(name[1])


def read_utf8(file: Path) -> str:
    """Read a whole text file.

    Raises:
        InputError: if it is not UTF-8.
    """
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: not UTF-8 at byte {error.start}; convert it to UTF-8.") from error
