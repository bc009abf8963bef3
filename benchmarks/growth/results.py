"""What was measured at each size, how it grows, and the table of both."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from benchmarks.harness.results import digits, markdown_table, spread


@dataclass(frozen=True)
class Point:
    """One size of one job; each list has a value for every repetition."""

    job: str
    reviews: int
    seconds: list[float]
    """Of the work itself, as the command reports them: the epoch's steps, or the file read, predicted and written."""
    whole: list[float]
    """Seconds of the command, its start and all else included."""
    memory: list[float]
    """Peak megabytes of all the command's processes; what several share is counted once."""


def exponent(sizes: Sequence[float], values: Sequence[float]) -> float | None:
    """Slope b of the least-squares line through log value over log size: value ∝ size^b; None for a single size."""
    if len(sizes) < 2:
        return None
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def exponents(points: Sequence[Point]) -> dict[str, dict[str, float | None]]:
    """Of time and memory, by job."""
    fitted = {}
    for job in dict.fromkeys(point.job for point in points):
        own = [point for point in points if point.job == job]
        sizes = [point.reviews for point in own]
        fitted[job] = {
            "time": exponent(sizes, [median(point.seconds) for point in own]),
            "memory": exponent(sizes, [median(point.memory) for point in own]),
        }
    return fitted


def table(points: Sequence[Point]) -> str:
    """A row for each size."""
    rows = []
    for point in points:
        rate = digits(point.reviews / median(point.seconds))
        measured = (spread(values) for values in (point.whole, point.memory))
        rows.append([point.job, f"{point.reviews:,}", spread(point.seconds), rate, *measured])
    header = ["job", "reviews", "seconds", "reviews/s", "whole command, s", "peak memory, MB"]
    return markdown_table(header, rows)
