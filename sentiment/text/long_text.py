"""What to read of a text that is longer than a model's maximum length."""

from collections.abc import Sequence
from typing import Literal, TypeVar

import numpy as np

LongText = Literal["head", "tail", "windows", "whole"]
"""Its beginning, its end, windows whose logits are averaged, or all of it."""

Tokens = TypeVar("Tokens", bound=Sequence[str] | np.ndarray)


def windows(tokens: Tokens, limit: int) -> list[Tokens]:
    """Windows of `limit` tokens or ids, evenly spaced over a review; neighbors overlap by half or more.

    A review of at most `limit` tokens is one window.
    """
    if len(tokens) <= limit:
        return [tokens]
    steps = -(-(len(tokens) - limit) // max(1, limit // 2))
    starts = np.linspace(0, len(tokens) - limit, steps + 1).round().astype(int)
    return [tokens[start : start + limit] for start in starts]  # type: ignore[misc]  # a part has the same type
