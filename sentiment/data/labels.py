"""Labels as people write them: 0 and 1, words, classes with names, stars; read as 0 (negative) and 1 (positive)."""

import math
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from sentiment.config import DataConfig
from sentiment.errors import InputError

Label: TypeAlias = Literal[0, 1] | None
"""0 for negative, 1 for positive, None for a review that is left out."""

WORDS: dict[str, Label] = {
    "0": 0, "1": 1, "false": 0, "true": 1, "neg": 0, "pos": 1, "negative": 0, "positive": 1, "skip": None
}  # fmt: skip
_MISSING = {"", "nan", "na", "n/a", "none", "null", "<na>"}
_RATING = re.compile(r"[-+]?\d+([.,]\d+)?")
_STARS = re.compile(r"\D*?([-+]?\d+([.,]\d+)?)(\s*(-?stars?|/\s*\d+|out of \d+( stars?)?))?$")
"""A rating as a number, or as in "5 stars", "4/5" and "4.0 out of 5"."""


class MissingLabelError(ValueError):
    """A row has no label."""


@dataclass(frozen=True)
class LabelReader:
    """Reads the values of one column of labels.

    Attributes:
        where: source of the rows, for messages.
        column: name of the column; None if labels are names of folders.
        classes: names of the classes, if the column holds their numbers (`datasets.ClassLabel`).
        mapping: meaning of labels, from `data.label_map`.
        positive_from: lowest rating of a positive review; None if labels are no ratings.
        negative_to: highest rating of a negative review.
        seen: labels so far that were understood without a mapping, for messages.
        used: labels so far that were understood by the mapping.
    """

    where: str
    column: str | None
    classes: tuple[str, ...]
    mapping: dict[str, Label]
    positive_from: float | None
    negative_to: float | None
    seen: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)

    def read(self, value: Any, place: str, others: Sequence[Any]) -> Label:
        """Read one label.

        Args:
            value: the value of the column.
            place: place of the row, for messages.
            others: values of other rows, from which a message says what could be meant.

        Raises:
            MissingLabelError: if there is no value.
            InputError: if the value is no label.
        """
        name = self._class_name(value, place) if self.classes else _name(value)
        if self.column is not None and name in _MISSING and name not in self.mapping:
            raise MissingLabelError(f"{place}: column {self.column!r} has no label")
        shown = name if self.classes else str(value).strip()
        if self.positive_from is not None and self.negative_to is not None:
            return self._from_rating(name, value, place)
        if name in self.mapping:
            self.used.add(name)
            return self.mapping[name]
        if name in WORDS and not (name.isdecimal() and any(map(_is_number, self.mapping))):
            self.seen.add(shown)
            return WORDS[name]  # but if the mapping gives 2 a meaning, 1 needs one, too
        raise InputError(
            f"{self._found(place, shown)}, which is no label; "
            f"{self._advice([str(other).strip() for other in others if _name(other) not in _MISSING])}."
        )

    def _found(self, place: str, shown: Any) -> str:
        """A value that is not understood, and where it stands; beginning of a message."""
        if self.column is None:
            return f"{self.where}: a folder is named {shown!r}"
        return f"{self.where}: {place}: column {self.column!r} contains {shown!r}"

    def _class_name(self, value: Any, place: str) -> str:
        """Name of a class; the number of a class says nothing about its meaning."""
        if value is None or value == -1:
            raise MissingLabelError(f"{place}: column {self.column!r} has no label")
        if not 0 <= value < len(self.classes):
            raise InputError(f"{self.where}: {place}: column {self.column!r} has no class {value}.")
        return _name(self.classes[value])

    def _from_rating(self, name: str, value: Any, place: str) -> Label:
        """Label of a rating; of a class such as "5 stars", the number in its name."""
        number = _STARS.match(name)
        if number is None:
            advice = "; move it elsewhere" if self.column is None else ""
            raise InputError(f"{self._found(place, value)}, not a rating{advice}.")
        assert self.positive_from is not None and self.negative_to is not None
        rating = float(number[1].replace(",", "."))
        if rating >= self.positive_from:
            return 1
        return 0 if rating <= self.negative_to else None

    def _advice(self, others: Sequence[str]) -> str:
        """What to do about labels that are not understood."""
        found = list(self.classes) or sorted(self.seen.union(others), key=_sort_key)
        numbers = [float(name) for name in found if _is_number(name)]
        if len(numbers) == len(found) >= 4 and min(numbers) >= 0 and max(numbers) <= 10:
            stars = min(numbers) >= 1 and max(numbers) <= 5
            return f"for ratings, add --positive-from {'4' if stars else 'N'} --negative-to {'2' if stars else 'N'}"
        known = [name for name in found if _name(name) in WORDS and not numbers]
        unknown = [name for name in found if name not in known and _name(name) not in self.mapping]
        if any("," in name or "=" in name for name in unknown):
            return "labels are 0 and 1, or negative and positive; write others without commas and equals signs"
        meanings = ",".join(f"{name}=MEANING" for name in unknown[:5])
        return f"say what it means: --label-map={shlex.quote(meanings)}, with negative, positive or skip as MEANING"


def label_reader(
    config: DataConfig, where: str, column: str | None, classes: Sequence[str] = (), used: set[str] | None = None
) -> LabelReader:
    """A reader for the labels of a file, or of names of folders, which have no column.

    `used` collects the labels of several files that the mapping explains.

    Raises:
        InputError: if `config.label_map` is not of the form NAME=MEANING,NAME=MEANING.
    """
    mapping, used = _mapping(config.label_map), set() if used is None else used
    return LabelReader(where, column, tuple(classes), mapping, config.positive_from, config.negative_to, used=used)


def _mapping(text: str | None) -> dict[str, Label]:
    mapping: dict[str, Label] = {}
    for part in (text or "").split(",") if text else []:
        name, equals, meaning = (piece.strip(" '\"") for piece in part.rpartition("="))
        if not equals or not name or "=" in name or meaning.casefold() not in WORDS:
            form = "NAME=negative, NAME=positive or NAME=skip, separated by commas"
            raise InputError(f"label_map {text!r}: write {form}.")
        label = WORDS[meaning.casefold()]
        if mapping.setdefault(_name(name), label) != label:
            raise InputError(f"label_map {text!r}: {name!r} has two meanings.")
    return mapping


def _is_number(text: str) -> bool:
    return _RATING.fullmatch(text) is not None and "," not in text


def _sort_key(text: str) -> tuple[float, str]:
    return (float(text), text) if _is_number(text) else (math.inf, text)


def _name(value: Any) -> str:
    """A label as it is compared: in lower case, and 1.0 as 1."""
    if value is None:
        return ""
    text = str(value).strip().casefold()
    return str(int(float(text))) if _is_number(text) and float(text).is_integer() else text
