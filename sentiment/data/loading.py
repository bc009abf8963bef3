"""Load labeled or unlabeled reviews for training and evaluation from files, folders named after labels, or the hub.

Reviews are a `datasets.Dataset` with the columns `text` (str), `label` (int), `group` (str) if it is known, and `row`.
"""

import itertools
import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from datasets import ClassLabel, Dataset, Features, disable_progress_bars, load_dataset
from datasets.exceptions import DatasetNotFoundError

from sentiment.config import DataConfig
from sentiment.data.acl_imdb import read_utf8
from sentiment.data.label_folders import find_label_folders, read_folder
from sentiment.data.labels import Label, LabelReader, MissingLabelError, label_reader
from sentiment.data.named_splits import files_of_split
from sentiment.errors import InputError, RunError
from sentiment.io.formats import format_of
from sentiment.io.hub_cache import cache_problem
from sentiment.tables.chunk import CHUNK_ROWS, Chunk, Rows, columns_of, described
from sentiment.tables.columns import choose_label_column
from sentiment.tables.parquet import table_chunks
from sentiment.tables.reader import read_chunks
from sentiment.tables.sources import find_files, is_local, local_path
from sentiment.text.normalization import FIRST_STEPS, normalize
from sentiment.text.tokenizer import tokenize

logger = logging.getLogger(__name__)

_HUB_ID = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)?")

disable_progress_bars()


def load_reviews(config: DataConfig, split: str, labeled: bool = True, places: bool = False) -> Dataset:
    """Read one split of a source.

    Args:
        config: the source, its columns and labels, and what to do with rows that cannot be read.
        split: name of the split; ignored if the source is a file or pattern, or its files are not named after splits.
        labeled: whether labels are required.
        places: whether to add the column `place` (str), such as "reviews.csv: line 7" or "reviews/pos/good.txt".

    Returns:
        A data set with the columns `text` (str), `label` (0 or 1, if required), `group` (str, if known), and `row`, the
        number of the row in the source, from 0. Reviews without a text, and those that `config` leaves out, are
        not in it; a message says how many.

    Raises:
        InputError: if the source does not exist or cannot be read; if the split, a column or valid labels are missing;
            or if groups are given twice or their number is wrong.
        RunError: if the hub cannot be reached, or its cache cannot be written.
    """
    if config.group_column is not None and config.groups_file is not None:
        raise InputError("data.group_column and data.groups_file both define the groups; leave one out.")
    _check_different(config, labeled, split)
    collected = _Collected(config, labeled, split == "train")
    for chunk in _chunks(config, split, labeled):
        collected.add(chunk)
    reviews = collected.dataset(f"{config.source} ({split})")
    return reviews.add_column("place", collected.described_places()) if places else reviews


class _Collected:
    """The reviews of a source, read chunk by chunk."""

    def __init__(self, config: DataConfig, labeled: bool, grouped: bool) -> None:
        self.config, self.labeled, self.grouped = config, labeled, grouped
        self.columns: dict[str, list[Any]] = {"text": [], "row": []} | ({"label": []} if labeled else {})
        self.groups: list[str] | None = None
        self.places: list[tuple[Path, str]] = []
        self.rows = 0
        self.left_out: Counter[str] = Counter()
        self.file: Path | None = None
        self.labels: LabelReader | None = None
        self.used: set[str] = set()

    def add(self, chunk: Chunk) -> None:
        """Add the reviews of a chunk, and count those that are left out."""
        if chunk.file != self.file and chunk.texts:
            self._open(chunk)
        for problem in chunk.problems:
            self._bad_row(chunk, problem)
        group_column = self.config.group_column if self.grouped and self.config.group_column else "group"
        groups = _values(chunk.rows, group_column) if self.groups is not None else []
        labels = self._labels(chunk)
        for position, (text, label) in enumerate(zip(chunk.texts, labels, strict=True)):
            if text is None:
                self.left_out["without a text"] += 1
            elif isinstance(label, MissingLabelError):
                self._bad_row(chunk, str(label))
            elif self.labeled and label is None:
                self.left_out["with a label that is not used"] += 1
            else:
                self.columns["text"].append(text)
                self.columns["row"].append(self.rows + chunk.indices[position])
                self.places.append((chunk.file, chunk.places[position]))
                if self.labeled:
                    self.columns["label"].append(label)
                if self.groups is not None:
                    known = groups[position] is not None
                    self.groups.append(str(groups[position]) if known else f"row {self.columns['row'][-1]}")
        self.rows += chunk.rows_read

    def _open(self, chunk: Chunk) -> None:
        """Find the columns of a file."""
        first, self.file = self.file is None, chunk.file
        where, config = described(chunk.file), self.config
        names = columns_of(chunk.rows)
        if self.labeled and (found := format_of(chunk.file, config.format)) is not None and found.name == "txt":
            raise InputError(
                f"{where}: a .txt file has no labels; give a table with a column of labels, or put each review into a "
                "file of its own, directly in a folder named after its label, such as pos/1.txt and neg/2.txt."
            )
        if self.labeled:
            column = choose_label_column(
                where, names, config.label_column, config.positive_from is not None, chunk.text_column
            )
            if column == chunk.text_column:
                raise InputError(f"{where}: {column!r} is the column of the review and of the label; name two columns.")
            self.labels = label_reader(config, where, column, _class_names(chunk.rows, column), self.used)
        wanted = config.group_column if self.grouped else None
        if wanted is not None and wanted not in names:
            raise InputError(f"{where}: no column {wanted!r}; its columns are {', '.join(map(repr, names))}.")
        taken = {chunk.text_column, self.labels.column if self.labels else None}
        if wanted is not None or ("group" in names and "group" not in taken):
            self.groups = [] if first else self.groups
        elif self.groups is not None:
            raise InputError(f"{where}: no column 'group', which the files before it have.")

    def _labels(self, chunk: Chunk) -> Sequence[Label | MissingLabelError]:
        if self.labels is None or not self.labeled:
            return [None] * len(chunk.texts)
        assert self.labels.column is not None
        values = _values(chunk.rows, self.labels.column)
        found: list[Label | MissingLabelError] = []
        for value, place, text in zip(values, chunk.places, chunk.texts, strict=True):
            try:
                found.append(None if text is None else self.labels.read(value, place, values))
            except MissingLabelError as missing:
                found.append(missing)
        return found

    def _bad_row(self, chunk: Chunk, problem: str) -> None:
        if self.config.on_bad_row == "stop":
            raise InputError(
                f"{described(chunk.file)}: {problem}. Correct it, or skip such rows with --on-bad-row=skip."
            )
        logger.warning("%s: skipped: %s", described(chunk.file), problem)
        self.left_out["that cannot be read"] += 1

    def dataset(self, where: str) -> Dataset:
        """All reviews; groups from `groups_file` replace those of the source."""
        left_out = ", ".join(f"{count} {reason}" for reason, count in self.left_out.items())
        if not self.columns["text"]:
            raise InputError(f"{where}: it contains no reviews{f' ({left_out})' if left_out else ''}.")
        if left_out:
            used = len(self.columns["text"])
            logger.warning("%s: %d of %d rows are used; left out: %s.", where, used, self.rows, left_out)
        if self.labels is not None and (unused := self.labels.mapping.keys() - self.used):
            names = ", ".join(sorted(unused))
            if not self.used:
                raise InputError(f"{where}: no label is {names}, as --label-map says; the labels are other words.")
            logger.warning("%s: no label is %s, which is in --label-map.", where, names)
        if self.labeled and self.labels is not None and len(set(self.columns["label"])) == 1:
            name = ("negative", "positive")[self.columns["label"][0]]
            logger.warning("%s: every label is %s.", where, name)
        self._warn_of_both_labels(where)
        groups = self.groups
        if self.config.groups_file is not None and self.grouped:
            of_rows = _read_groups(Path(self.config.groups_file), self.rows)
            groups = [of_rows[row] for row in self.columns["row"]]
        return Dataset.from_dict(self.columns | ({} if groups is None else {"group": groups}))

    def described_places(self) -> list[str]:
        """Where each review stands: its file, and its place in it."""
        return [described_place(*place) for place in self.places]

    def _warn_of_both_labels(self, where: str) -> None:
        """Warn of texts that occur with both labels, since one of these must be wrong."""
        if len(set(self.columns.get("label", []))) < 2:
            return
        first: dict[str, int] = {}
        found: dict[str, tuple[int, int]] = {}
        labels = self.columns["label"]
        for row, text in enumerate(self.columns["text"]):
            key = comparable(text)
            other = first.setdefault(key, row)
            if labels[row] != labels[other] and key:
                found.setdefault(key, (other, row))
        if found:
            pair = next(iter(found.values()))
            shown = " and ".join(
                f"{described_place(*self.places[row])} ({('negative', 'positive')[labels[row]]})" for row in pair
            )
            count = "one text has" if len(found) == 1 else f"{len(found)} texts have"
            logger.warning("%s: %s both labels: %s; correct a label, or remove the text.", where, count, shown)


def _chunks(config: DataConfig, split: str, labeled: bool) -> Iterator[Chunk]:
    source = local_path(config.source)
    label_column = config.label_column if labeled else None
    if (found := find_label_folders(config, split, labeled)) and (folders := found.of_split(config, split, labeled)):
        if config.text_column not in (None, "text") or label_column not in (None, "label"):
            raise InputError(
                f"{config.source}: has one review per file, in folders named after the labels, so it has no columns; "
                "leave out --text-column and --label-column."
            )
        return itertools.chain.from_iterable(read_folder(folder, config) for folder in folders)
    if is_local(config.source):
        files = files_of_split(config, split) if source.is_dir() else find_files(config.source, config.format)
        return read_chunks(files, config, label_column)
    return _read_hub(config, split, label_column)


def _read_hub(config: DataConfig, split: str, label_column: str | None) -> Iterator[Chunk]:
    if not _HUB_ID.fullmatch(config.source):
        raise InputError(f"{config.source}: no such file or directory, and not a hub id such as stanfordnlp/imdb.")
    try:
        dataset = load_dataset(config.source, split=split)
    except (ConnectionError, TimeoutError) as error:
        raise RunError(f"{config.source}: the hub cannot be reached; give a local directory or file.") from error
    except DatasetNotFoundError as error:
        raise InputError(f"{config.source}: no such dataset on the hub, and no such file or directory.") from error
    except Exception as error:  # the builders raise many kinds of errors
        if (problem := cache_problem(error)) is not None:
            raise RunError(f"{config.source}: {problem}.") from error
        if isinstance(error.__cause__, OSError):
            raise RunError(f"{config.source}: cannot be fetched from the hub: {_one_line(error)}") from error
        raise InputError(f"{config.source}: cannot read its split {split!r}: {_one_line(error)}") from error
    metadata = dataset.features.arrow_schema.metadata
    tables = (
        table.replace_schema_metadata(metadata) for table in dataset.with_format("arrow").iter(batch_size=CHUNK_ROWS)
    )
    yield from table_chunks(tables, Path(config.source), config, label_column)


def _one_line(error: BaseException) -> str:
    """Message of the innermost cause of an error, as one line."""
    while error.__cause__ is not None:
        error = error.__cause__
    return " ".join(str(error).split())[:300]


def _check_different(config: DataConfig, labeled: bool, split: str) -> None:
    """Check that no two columns are the same; groups are needed only for the training split."""
    columns = {"text": config.text_column}
    if labeled:
        columns["label"] = config.label_column
    if split == "train":
        columns["group"] = config.group_column
    for one, other in itertools.combinations(columns, 2):
        if columns[one] is not None and columns[one] == columns[other]:
            raise InputError(f"the {one} column and the {other} column are both {columns[one]!r}; name two columns.")


def _values(rows: Rows, column: str) -> list[Any]:
    if isinstance(rows, pa.Table):
        return list(rows.column(column).to_pylist())
    return [row.get(column) for row in rows]


def _class_names(rows: Rows, column: str) -> Sequence[str]:
    """Names of the classes, if the column holds their numbers (`datasets.ClassLabel`, also in parquet files)."""
    if not isinstance(rows, pa.Table):
        return ()
    try:
        feature = Features.from_arrow_schema(rows.schema)[column]
    except (ValueError, TypeError, KeyError):  # the schema has types or metadata that `datasets` does not know
        return ()
    return feature.names if isinstance(feature, ClassLabel) else ()


def _read_groups(file: Path, rows: int) -> list[str]:
    if not file.is_file():
        raise InputError(f"{file}: no such groups file.")
    groups = read_utf8(file).split("\n")
    groups = groups[:-1] if groups[-1] == "" else groups
    if len(groups) != rows:
        raise InputError(f"{file}: {len(groups)} groups for {rows} training rows; write one line per row.")
    return groups


def described_place(file: Path, place: str) -> str:
    """Where a review stands, for messages; a file of its own has no place but is one, in its folder."""
    return str(file / place) if file.is_dir() else f"{described(file)}: {place}"


def comparable(text: str) -> str:
    """The same for texts that count as equal: those that differ only in case, tags, white space and the like.

    The steps are the first ones, also if newer models have others, so that a split stays as it is.
    """
    return normalize(text, FIRST_STEPS).lower()


def check_both_classes(labels: Iterable[int], where: str) -> None:
    """Check that both labels occur.

    Raises:
        InputError: if all labels are equal.
    """
    found = set(labels)
    if found != {0, 1}:
        raise InputError(f"{where}: every label is {found.pop()}; training needs both 0 and 1.")


def tokenize_texts(texts: Iterable[str]) -> list[str]:
    """The tokens of each text, joined by spaces."""
    return [" ".join(tokenize(normalize(text))) for text in texts]
