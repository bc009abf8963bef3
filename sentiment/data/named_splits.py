"""Splits of a source by the names of its files, such as train.csv or data/test-00000-of-00001.parquet."""

import re
from pathlib import Path

from datasets.data_files import SPLIT_KEYWORDS

from sentiment.config import DataConfig
from sentiment.data.acl_imdb import folders_of
from sentiment.errors import InputError
from sentiment.tables.sources import check_one_format, is_local, list_directory, local_path

SPLIT_WORDS = {str(name): {str(name), *words} for name, words in SPLIT_KEYWORDS.items()}
SPLIT_WORDS["unsupervised"] = {"unsupervised"}
"""{split: words for it in names of files}."""


def has_splits(config: DataConfig) -> bool:
    """Whether a source is divided into splits: the hub, an aclImdb directory, or a directory of files named after them.

    A file, a pattern, and a directory of other files are one set of reviews, whatever split is asked for.
    """
    source = local_path(config.source)
    if not source.is_dir():
        return not is_local(config.source)
    return bool(folders_of(source, "train") or folders_of(source, "test")) or any(_words(config).values())


def files_of_split(config: DataConfig, split: str) -> list[Path]:
    """Files in a directory that are named after the split; all files if none is named after any split.

    Raises:
        InputError: if there are none, or they have several formats.
    """
    directory, words = local_path(config.source), _words(config)
    if not any(words.values()):
        return check_one_format(config.source, list(words), config.format)
    chosen = [file for file in words if file.parent == directory and file.name.split(".")[0].lower() == split]
    chosen = chosen or [file for file, found in words.items() if found & SPLIT_WORDS.get(split, {split})]
    if not chosen:
        names = ", ".join(str(file.relative_to(directory)) for file in list(words)[:5])
        raise InputError(f"{config.source}: no file is named after the split {split!r}; its files are {names}.")
    return check_one_format(config.source, chosen, config.format)


def _words(config: DataConfig) -> dict[Path, set[str]]:
    """{file: the words for splits in its name} of a directory; .txt beside tables are notes or groups, not reviews."""
    directory = local_path(config.source)
    files = list_directory(directory, config.format)
    tables = [file for file in files if file.suffix.lower() != ".txt"] or files
    return {file: _words_in(file.name) or _words_in(str(file.relative_to(directory).parent)) for file in tables}


def _words_in(name: str) -> set[str]:
    known = {word for words in SPLIT_WORDS.values() for word in words}
    return known & set(re.split(r"[^a-z]+", name.lower()))
