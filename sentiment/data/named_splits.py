"""Splits of a source by the names of its files, such as train.csv or data/test-00000-of-00001.parquet."""

from pathlib import Path

from sentiment.config import DataConfig
from sentiment.data.label_folders import find_label_folders
from sentiment.data.split_words import split_words, words_for
from sentiment.errors import InputError
from sentiment.tables.sources import check_one_format, is_local, list_directory, local_path


def has_splits(config: DataConfig) -> bool:
    """Whether a source is divided into splits: the hub, or a directory of files or of label folders named after them.

    A file, a pattern, and a directory of other files are one set of reviews, whatever split is asked for.
    """
    source = local_path(config.source)
    if not source.is_dir():
        return not is_local(config.source)
    folders = find_label_folders(config)
    return any(_words(config).values()) if folders is None else folders.has_splits


def files_of_split(config: DataConfig, split: str) -> list[Path]:
    """Files in a directory that are named after the split; all files if none is named after any split.

    Raises:
        InputError: if there are none, or they have several formats.
    """
    directory, words = local_path(config.source), _words(config)
    if not any(words.values()):
        return check_one_format(config.source, list(words), config.format)
    chosen = [file for file in words if file.parent == directory and file.name.split(".")[0].lower() == split]
    chosen = chosen or [file for file, found in words.items() if found & words_for(split)]
    if not chosen:
        names = ", ".join(str(file.relative_to(directory)) for file in list(words)[:5])
        raise InputError(f"{config.source}: no file is named after the split {split!r}; its files are {names}.")
    return check_one_format(config.source, chosen, config.format)


def _words(config: DataConfig) -> dict[Path, set[str]]:
    """{file: the words for splits in its name} of a directory; .txt beside tables are notes or groups, not reviews."""
    directory = local_path(config.source)
    files = list_directory(directory, config.format)
    tables = [file for file in files if file.suffix.lower() != ".txt"] or files
    return {file: split_words(file.name) or split_words(str(file.relative_to(directory).parent)) for file in tables}
