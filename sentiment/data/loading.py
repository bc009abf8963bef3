"""Load reviews from a hub id, from parquet, csv or jsonl, or from an aclImdb directory; and tokenize them.

Reviews are a `datasets.Dataset` with the columns `text` (str), `label` (int), and `group` (str) if it is known.
"""

import itertools
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from datasets import Dataset, disable_progress_bars, load_dataset
from datasets.exceptions import DatasetNotFoundError

from sentiment.config import DataConfig
from sentiment.errors import InputError, RunError
from sentiment.text import tokenizer

BUILDERS = {".parquet": "parquet", ".csv": "csv", ".jsonl": "json"}
_HUB_ID = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)?")
_ACL_IMDB_NAME = re.compile(r"([0-9]+)_[0-9]+\.txt")

disable_progress_bars()


def load_reviews(config: DataConfig, split: str, labeled: bool = True) -> Dataset:
    """Read one split of a source.

    Args:
        config: the source and the names of its columns.
        split: name of the split; ignored if the source is a single file.
        labeled: whether a label column with 0 and 1 is required.

    Raises:
        InputError: if the source does not exist or cannot be parsed; if the split, a column or valid labels are
            missing; if two columns have the same name; or if groups are given twice or their number is wrong.
        RunError: if the hub cannot be reached.
    """
    if config.group_column is not None and config.groups_file is not None:
        raise InputError("data.group_column and data.groups_file both define the groups; leave one out.")
    columns = _columns(config, labeled, split)
    source = Path(config.source)
    where = f"{config.source} ({split})"
    if (source / split).is_dir() and any((source / split / name).is_dir() for name in ("pos", "neg", "unsup")):
        reviews = _read_acl_imdb(source, split)
    elif (source / "train" / "unsup").is_dir() and split == "unsupervised":
        reviews = _read_acl_imdb(source, "train", ("unsup",))
    else:
        reviews = _read_tables(config, source, split)
    if len(reviews) == 0:
        raise InputError(f"{where}: it contains no reviews.")
    reviews = _rename(reviews, columns, where)
    if config.groups_file is not None and split == "train":
        groups = _read_groups(Path(config.groups_file), len(reviews))
        # replaces the groups of the source, if it has any
        reviews = reviews.select_columns([name for name in reviews.column_names if name != "group"])
        reviews = reviews.add_column("group", groups)
    _check_texts(reviews, where)
    if labeled:
        _check_labels(reviews, where, config.label_column)
    return reviews


def _read_tables(config: DataConfig, source: Path, split: str) -> Dataset:
    # a file named after the split is given by name: `datasets` ignores names it does not know, such as "unsupervised"
    source = next((file for suffix in BUILDERS if (file := source / f"{split}{suffix}").is_file()), source)
    if source.is_file():
        builder = BUILDERS.get(source.suffix.lower())
        if builder is None:
            raise InputError(f"{source}: give a file that ends in {', '.join(BUILDERS)}, or a directory of such files.")
        if source.stat().st_size == 0:
            raise InputError(f"{source}: the file is empty.")
        arguments: dict[str, Any] = {"path": builder, "data_files": str(source), "split": "train"}
    elif source.is_dir():
        arguments = {"path": str(source), "split": split}
    elif _HUB_ID.fullmatch(config.source) and not config.source.endswith(tuple(BUILDERS)):
        arguments = {"path": config.source, "split": split}
    else:
        raise InputError(f"{config.source}: no such file or directory, and not a hub id such as stanfordnlp/imdb.")
    try:
        return load_dataset(**arguments)
    except (ConnectionError, TimeoutError) as error:
        raise RunError(f"{config.source}: the hub cannot be reached; give a local directory or file.") from error
    except DatasetNotFoundError as error:
        raise InputError(f"{config.source}: no such dataset on the hub, and no such file or directory.") from error
    except Exception as error:  # the builders raise many kinds of errors
        if isinstance(error.__cause__, OSError) and not source.exists():
            raise RunError(f"{config.source}: cannot be fetched from the hub: {_one_line(error)}") from error
        raise InputError(f"{config.source}: cannot read its split {split!r}: {_one_line(error)}") from error


def _one_line(error: BaseException) -> str:
    """Message of the innermost cause of an error, as one line."""
    while error.__cause__ is not None:
        error = error.__cause__
    return " ".join(str(error).split())[:300]


def _read_acl_imdb(source: Path, split: str, folders: tuple[str, ...] = ("neg", "pos")) -> Dataset:
    """The original archive: one file per review in a directory for its label, and the films in `urls_*.txt`."""
    columns: dict[str, list[Any]] = {"text": [], "label": [], "group": []}
    for folder in folders:
        urls_file = source / split / f"urls_{folder}.txt"
        urls = _read_utf8(urls_file).split() if urls_file.is_file() else []
        # hidden files are not reviews: macOS creates ._0_9.txt for 0_9.txt
        files = [file for file in (source / split / folder).glob("*.txt") if not file.name.startswith(".")]
        for index, file in sorted((_acl_imdb_number(file), file) for file in files):
            columns["text"].append(_read_utf8(file))
            columns["label"].append({"neg": 0, "pos": 1, "unsup": -1}[folder])
            columns["group"].append(urls[index] if index < len(urls) else str(file))
    return Dataset.from_dict(columns)


def _acl_imdb_number(file: Path) -> int:
    """Number of a review: its row in `urls_*.txt`."""
    name = _ACL_IMDB_NAME.fullmatch(file.name)
    if name is None:
        raise InputError(f"{file}: files in an aclImdb directory must be named NUMBER_STARS.txt; rename or remove it.")
    return int(name[1])


def _read_utf8(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: not UTF-8 at byte {error.start}; convert it to UTF-8.") from error


def _columns(config: DataConfig, labeled: bool, split: str) -> dict[str, str]:
    """{our name: name in the source} of the required columns; groups are needed only for the training split."""
    columns = {"text": config.text_column}
    if labeled:
        columns["label"] = config.label_column
    if config.group_column is not None and split == "train":
        columns["group"] = config.group_column
    for one, other in itertools.combinations(columns, 2):
        if columns[one] == columns[other]:
            raise InputError(f"the {one} column and the {other} column are both {columns[one]!r}; name two columns.")
    return columns


def _rename(reviews: Dataset, columns: dict[str, str], where: str) -> Dataset:
    for column in columns.values():
        if column not in reviews.column_names:
            raise InputError(f"{where}: no column {column!r}; its columns are {', '.join(reviews.column_names)}.")
    if "group" in reviews.column_names and "group" not in columns and "group" not in columns.values():
        columns = columns | {"group": "group"}
    chosen = reviews.select_columns(list(columns.values()))
    return chosen.rename_columns({theirs: ours for ours, theirs in columns.items() if theirs != ours})


def _read_groups(file: Path, rows: int) -> list[str]:
    if not file.is_file():
        raise InputError(f"{file}: no such groups file.")
    groups = _read_utf8(file).split("\n")
    groups = groups[:-1] if groups[-1] == "" else groups
    if len(groups) != rows:
        raise InputError(f"{file}: {len(groups)} groups for {rows} training rows; write one line per row.")
    return groups


def _check_texts(reviews: Dataset, where: str) -> None:
    kind = reviews.features["text"].dtype
    if kind not in ("string", "large_string"):
        raise InputError(f"{where}: the text column contains {kind}, not text.")
    missing = reviews.data.column("text").null_count
    if missing:
        row = next(index for index, text in enumerate(reviews["text"]) if text is None)
        raise InputError(f"{where}: {missing} rows have no text; the first is row {row}.")


def _check_labels(reviews: Dataset, where: str, column: str) -> None:
    labels = reviews["label"]
    for row, label in enumerate(labels):
        if isinstance(label, bool) or label not in (0, 1) or isinstance(label, str):
            raise InputError(f"{where}: row {row} of column {column!r} contains {label!r}; labels must be 0 or 1.")


def check_both_classes(labels: Iterable[int], where: str) -> None:
    """Check that both labels occur.

    Raises:
        InputError: if all labels are equal.
    """
    found = set(labels)
    if found != {0, 1}:
        raise InputError(f"{where}: every label is {found.pop()}; training needs both 0 and 1.")


def tokenize_reviews(reviews: Dataset) -> Dataset:
    """Add the column `tokens`: the review's tokens, joined by spaces. Runs in parallel, cached by `datasets`."""
    workers = min(os.cpu_count() or 1, 1 + len(reviews) // 2000)
    return reviews.map(
        _tokenize_batch,
        batched=True,
        input_columns=["text"],
        num_proc=workers if workers > 1 else None,
        fn_kwargs={"version": tokenizer.VERSION},  # part of the cache's fingerprint
    )


def _tokenize_batch(texts: list[str], version: int) -> dict[str, list[str]]:
    return {"tokens": [" ".join(tokenizer.tokenize(tokenizer.normalize(text))) for text in texts]}
