"""Split reviews into training part and validation part; no film and no text is in both."""

import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from datasets import Dataset
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import StratifiedGroupKFold

from sentiment.config import DataConfig
from sentiment.data.loading import check_both_classes, comparable, load_reviews, tokenize_texts
from sentiment.data.texts import Texts
from sentiment.errors import InputError

logger = logging.getLogger(__name__)


def split_validation(reviews: Dataset, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the training part and of the validation part, each sorted.

    Reviews of one group (film), and reviews with the same normalized text, are in the same part. The share of positive
    labels is as equal as that allows.

    Raises:
        InputError: if the fraction is above 0.5, or there are too few groups for the split.
    """
    if fraction > 0.5:
        raise InputError(f"data.validation_fraction is {fraction}; give at most 0.5.")
    folds = round(1 / fraction)
    labels = np.asarray(reviews["label"])
    units = linked_rows([comparable(text) for text in reviews["text"]], groups_of(reviews))
    try:
        with warnings.catch_warnings(category=UserWarning, action="ignore"):  # of rare labels; there is one below
            splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
            train, validation = next(iter(splitter.split(labels, labels, units)))
    except ValueError as error:
        raise InputError(
            f"{len(labels)} reviews in {len(set(units))} groups are too few for a validation part of 1/{folds}."
        ) from error
    if len(found := set(labels[validation].tolist())) == 1:
        logger.warning(
            "all %d reviews of the validation part are %s, so it cannot tell how good a model is; give more reviews "
            "of the other label, a larger validation_fraction, or another validation_seed.",
            len(validation),
            ("negative", "positive")[found.pop()],
        )
    return np.sort(train), np.sort(validation)


@dataclass(frozen=True)
class Parts:
    """The training split, divided. Each review is given as its tokens joined by spaces, and as it was written."""

    train: list[str]
    train_labels: np.ndarray
    """[len(train)] float32, 0 or 1."""
    validation: list[str]
    validation_labels: np.ndarray
    """[len(validation)] float32, 0 or 1."""
    train_texts: Sequence[str] = ()
    """[len(train)], as they were written."""
    validation_texts: Sequence[str] = ()
    """[len(validation)], as they were written."""


def read_parts(config: DataConfig) -> Parts:
    """Load the training split, tokenize it, and split off the validation part.

    Raises:
        InputError: if the reviews cannot be used, or all of them, or of the training part, have the same label.
        RunError: if the hub cannot be reached.
    """
    reviews = load_reviews(config, "train")
    check_both_classes(reviews["label"], config.source)
    train, validation = split_validation(reviews, config.validation_fraction, config.validation_seed)
    labels = np.asarray(reviews["label"], dtype=np.float32)
    if len(found := set(labels[train].tolist())) == 1:
        name = ("negative", "positive")[int(found.pop())]
        raise InputError(
            f"{config.source}: all reviews of the training part are {name}, since those of the other label are few or "
            "of one group; give more of them, or another validation_seed."
        )
    texts = list(reviews["text"])
    tokens = tokenize_texts(texts)
    return Parts(
        [tokens[row] for row in train],
        labels[train],
        [tokens[row] for row in validation],
        labels[validation],
        [texts[row] for row in train],
        [texts[row] for row in validation],
    )


def read_unlabeled(config: DataConfig, split: str, parts: Parts) -> Texts:
    """Load an unlabeled split, without reviews that have the text of a validation review."""
    held_out = set(parts.validation)
    texts = Texts.tokenized(load_reviews(config, split, labeled=False)["text"])
    return texts.rows([row for row, document in enumerate(texts.documents) if document not in held_out])


def groups_of(reviews: Dataset) -> list[str]:
    """The group of each review; empty if groups are not known."""
    return [str(group) for group in reviews["group"]] if "group" in reviews.column_names else []


def linked_rows(*keys: list[str]) -> np.ndarray:
    """Unit of each row [rows] int: rows that share a key, directly or through other rows, are in the same unit."""
    columns = [key for key in keys if key]
    if not columns:
        return np.zeros(0, dtype=np.int64)
    rows = len(columns[0])
    codes, offset = [], rows
    for key in columns:
        numbers: dict[str, int] = {}  # np.unique would store each string with the length of the longest
        codes.append(offset + np.array([numbers.setdefault(value, len(numbers)) for value in key]))
        offset += len(numbers)
    nodes, index = np.concatenate(codes), np.tile(np.arange(rows), len(columns))
    edges = coo_matrix((np.ones(len(nodes)), (index, nodes)), shape=(offset, offset))
    _, units = connected_components(edges, directed=False)
    return np.asarray(units[:rows])
