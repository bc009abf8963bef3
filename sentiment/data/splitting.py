"""Which reviews train and which validate: no film and no text stands on both sides."""

from dataclasses import dataclass

import numpy as np
from datasets import Dataset
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import StratifiedGroupKFold

from sentiment.config import DataConfig
from sentiment.data.loading import check_both_classes, load_reviews, tokenize_reviews
from sentiment.errors import InputError
from sentiment.text import tokenizer


def split_validation(reviews: Dataset, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows that train and rows that validate, each sorted.

    Reviews of one group (film), and reviews that read the same once normalized, stay on one side; both sides keep
    the share of positive labels as nearly as that allows.

    Raises:
        InputError: for a fraction above a half, or if there are too few groups to set it aside.
    """
    if fraction > 0.5:
        raise InputError(f"data.validation_fraction is {fraction}; give at most 0.5.")
    folds = round(1 / fraction)
    labels = np.asarray(reviews["label"])
    units = linked_rows([tokenizer.normalize(text).lower() for text in reviews["text"]], _groups(reviews))
    try:
        splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
        train, validation = next(iter(splitter.split(labels, labels, units)))
    except ValueError as error:
        raise InputError(
            f"{len(labels)} reviews in {len(set(units))} groups are too few to set 1/{folds} of them aside."
        ) from error
    return np.sort(train), np.sort(validation)


@dataclass(frozen=True)
class Parts:
    """The training split, tokenized and divided; a review is its tokens joined by spaces."""

    train: list[str]
    train_labels: np.ndarray
    """[len(train)] float32, 0 or 1."""
    validation: list[str]
    validation_labels: np.ndarray
    """[len(validation)] float32, 0 or 1."""


def read_parts(config: DataConfig) -> Parts:
    """Read the training split, tokenize it, and set the validation part aside.

    Raises:
        InputError: for reviews that cannot be used, or of one class only.
        RunError: for a hub that cannot be reached.
    """
    reviews = load_reviews(config, "train")
    check_both_classes(reviews["label"], config.source)
    train, validation = split_validation(reviews, config.validation_fraction, config.validation_seed)
    tokens, labels = list(tokenize_reviews(reviews)["tokens"]), np.asarray(reviews["label"], dtype=np.float32)
    return Parts([tokens[row] for row in train], labels[train], [tokens[row] for row in validation], labels[validation])


def read_unlabeled(config: DataConfig, split: str, parts: Parts) -> list[str]:
    """Reviews of an unlabeled split, tokenized, without those that repeat a text of the validation part."""
    held_out = set(parts.validation)
    tokens = tokenize_reviews(load_reviews(config, split, labeled=False))["tokens"]
    return [review for review in tokens if review not in held_out]


def _groups(reviews: Dataset) -> list[str]:
    return [str(group) for group in reviews["group"]] if "group" in reviews.column_names else []


def linked_rows(*keys: list[str]) -> np.ndarray:
    """Number of the linked unit of each row: rows that share any key, directly or through others, share a unit."""
    columns = [key for key in keys if key]
    rows = len(columns[0])
    codes, offset = [], rows
    for key in columns:
        numbers: dict[str, int] = {}  # np.unique would make every string as wide as the longest
        codes.append(offset + np.array([numbers.setdefault(value, len(numbers)) for value in key]))
        offset += len(numbers)
    nodes, index = np.concatenate(codes), np.tile(np.arange(rows), len(columns))
    edges = coo_matrix((np.ones(len(nodes)), (index, nodes)), shape=(offset, offset))
    _, units = connected_components(edges, directed=False)
    return np.asarray(units[:rows])
