"""What only the original IMDB archive has: the film of each review, in `urls_*.txt` beside the folder of reviews."""

import re
from collections.abc import Sequence
from pathlib import Path

from sentiment.errors import InputError

_NAME = re.compile(r"([0-9]+)_[0-9]+\.txt")


def films_of(folder: Path, files: Sequence[Path]) -> list[str] | None:
    """The film of each review of a folder; None if the folder is not of such an archive.

    Raises:
        InputError: if a file is not named NUMBER_STARS.txt, which tells its row in `urls_*.txt`.
    """
    urls_file = folder.parent / f"urls_{folder.name}.txt"
    if not urls_file.is_file():
        return None
    urls, numbers = read_utf8(urls_file).split(), map(_number, files)
    return [urls[number] if number < len(urls) else str(file) for number, file in zip(numbers, files, strict=True)]


def _number(file: Path) -> int:
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
