"""What was measured, as a Markdown table: medians over the rounds, with their smallest and largest value."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.measuring import Round

Point = tuple[float, float]
"""Accuracy and reviews per second; more is better in both."""


@dataclass(frozen=True)
class System:
    """A row of the table."""

    name: str
    way: str
    ours: bool
    rounds: list[Round]
    reviews: int
    """Read in one call."""
    one_by_one: int
    """Read one at a time."""
    size_on_disk: int
    """Bytes of its files, libraries not counted."""
    quoted_accuracy: float | None = None
    """0 to 1, where its weights are random."""
    quoted_from: str | None = None

    @property
    def accuracy(self) -> float:
        """0 to 1."""
        measured = median(found.accuracy for found in self.rounds)
        return measured if self.quoted_accuracy is None else self.quoted_accuracy

    @property
    def speeds(self) -> list[float]:
        """Reviews per second of each round, in the way that is faster over all rounds: one process, or one per core."""
        one = [found.one_process for found in self.rounds]
        per_core = [found.process_per_core for found in self.rounds if found.process_per_core is not None]
        return per_core if len(per_core) == len(one) and median(per_core) > median(one) else one

    @property
    def point(self) -> Point:
        """Where it stands in the plot."""
        return self.accuracy, median(self.speeds)


def frontier(points: Sequence[Point]) -> list[int]:
    """Indices of the points that no other beats: none is at least as good in both and better in one; fastest first."""
    best = [
        index
        for index, point in enumerate(points)
        if not any(other != point and other[0] >= point[0] and other[1] >= point[1] for other in points)
    ]
    return sorted(best, key=lambda index: (-points[index][1], points[index][0]))


def digits(value: float) -> str:
    """A number with three significant digits, thousands apart: 5.31, 53.1, 531, 5,310."""
    if value == 0:
        return "0"
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.{max(0, 2 - math.floor(math.log10(abs(rounded))))}f}"


def spread(values: Iterable[float]) -> str:
    """Median and, where they differ from it, the smallest and the largest value."""
    found = sorted(values)
    smallest, middle, largest = digits(found[0]), digits(median(found)), digits(found[-1])
    return middle if smallest == largest else f"{middle} ({smallest}–{largest})"


_COLUMNS: dict[str, Callable[[Round], float | None]] = {
    "reviews/s, one process": lambda found: found.one_process,
    "reviews/s, a process per core": lambda found: found.process_per_core,
    "one review, p50, ms": lambda found: 1000 * found.p50,
    "p99, ms": lambda found: 1000 * found.p99,
    "cold start, s": lambda found: found.cold_start,
    "peak memory, MB": lambda found: found.peak_memory / 1e6,
}


def table(systems: Sequence[System]) -> str:
    """The Markdown table, fastest first; those on the frontier are bold."""
    best = set(frontier([system.point for system in systems]))
    header = ["system", "accuracy, %", *_COLUMNS, "size on disk, MB"]
    lines = [_row(header), _row(["---"] * len(header))]
    for index in sorted(range(len(systems)), key=lambda index: -systems[index].point[1]):
        system = systems[index]
        name = f"**{system.name}**" if index in best else system.name
        quoted = "" if system.quoted_from is None else " (quoted)"
        cells = [
            name,
            f"{100 * system.accuracy:.2f}{quoted}",
            *_figures(system.rounds),
            digits(system.size_on_disk / 1e6),
        ]
        lines.append(_row(cells))
    return "\n".join(lines)


def _figures(rounds: Sequence[Round]) -> list[str]:
    cells = []
    for column in _COLUMNS.values():
        values = [value for found in rounds if (value := column(found)) is not None]
        cells.append(spread(values) if values else "–")
    return cells


def ratios(systems: Sequence[System]) -> str:
    """How many times as fast as each peer this project reads, compared round by round, as a Markdown table."""
    ours = [system for system in systems if system.ours]
    lines = [_row(["reviews/s, as a multiple of", *(system.name for system in ours)]), _row(["---"] * (1 + len(ours)))]
    for peer in systems:
        if not peer.ours:
            pairs = ([mine / its for mine, its in zip(system.speeds, peer.speeds, strict=True)] for system in ours)
            lines.append(_row([peer.name, *map(spread, pairs)]))
    return "\n".join(lines)


def notes(systems: Sequence[System], setting: dict[str, Any], left_out: Sequence[str]) -> str:
    """What the reader of the table must know: how it was measured, on what, and what was not."""
    rounds = setting["rounds"]
    error = 196 * math.sqrt(0.9 * 0.1 / setting["reviews"])
    lines = [
        f"- {setting['reviews']:,} reviews, the same for all, raw text in and label out: tokenising is counted. Median "
        f"of {rounds} rounds (smallest–largest) that take turns over the systems; every round is a new process. Bold: "
        "no other is at least as right and as fast.",
        "- Not counted: learning; before each timed pass, a warm-up of up to 64 of the reviews. The cold start, "
        "which is counted apart, goes from the start of a process to its first answer, its files in the system's cache "
        "but for the first round. Memory is one process's peak, reviews included; size on disk leaves libraries out.",
        f"- A measured accuracy near 90% has a 95% interval of ±{error:.1f} points.",
    ]
    for system in systems:
        part = "" if system.reviews == setting["reviews"] else f" {system.reviews} reviews evenly spaced by length;"
        source = "" if system.quoted_from is None else f" Random weights; accuracy quoted: {system.quoted_from}."
        lines.append(f"- {system.name}: {system.way};{part} p50 and p99 of {system.one_by_one} reviews.{source}")
    lines += [f"- Left out: {sentence}" for sentence in left_out]
    versions = ", ".join(f"{name} {number}" for name, number in setting["versions"].items())
    lines.append(
        f"- {setting['machine']}; {setting['cores']} cores, as many threads in one process, one thread in a "
        f"process per core; load average at the start {setting['load_average']:.2f}. {versions}."
    )
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
