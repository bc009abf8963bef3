"""What was measured, as Markdown tables: medians over the rounds, with their smallest and largest value."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.harness.machine import machine_note
from benchmarks.harness.results import digits, markdown_table, ratios, spread
from benchmarks.peers.measurement import ONE_BY_ONE, WARM_UP, Measurement
from benchmarks.peers.system import System

Point = tuple[float, float]
"""Accuracy and reviews per second; more is better in both."""

COLUMNS: dict[str, Callable[[Measurement], float | None]] = {
    "reviews/s, one process": lambda found: found.one_process,
    "reviews/s, a process per core": lambda found: found.process_per_core,
    "one review, p50, ms": lambda found: 1000 * found.p50,
    "p99, ms": lambda found: 1000 * found.p99,
    "cold start, s": lambda found: found.cold_start,
    "peak memory, MB": lambda found: found.peak_memory / 1e6,
}


@dataclass(frozen=True)
class SystemResult:
    """A row of the table."""

    system: System
    rounds: list[Measurement]

    @property
    def accuracy(self) -> float:
        """0 to 1; quoted where the weights are random."""
        measured = median(found.accuracy for found in self.rounds)
        return measured if self.system.quoted_accuracy is None else self.system.quoted_accuracy

    @property
    def speeds(self) -> list[float]:
        """Reviews per second of each round, in one process or in one per core, whichever is faster over all rounds."""
        one = [found.one_process for found in self.rounds]
        per_core = [found.process_per_core for found in self.rounds if found.process_per_core is not None]
        return per_core if len(per_core) == len(one) and median(per_core) > median(one) else one

    @property
    def point(self) -> Point:
        """Its place in the plot."""
        return self.accuracy, median(self.speeds)

    def to_dict(self) -> dict[str, Any]:
        """For the JSON file."""
        accuracy, speed = self.point
        return {"name": self.system.name, "accuracy": accuracy, "reviews_per_second": speed, "rounds": self.rounds}


def frontier(points: Sequence[Point]) -> list[int]:
    """Indices of the points that no other beats: none is at least as good in both and better in one; fastest first."""
    best = [
        index
        for index, point in enumerate(points)
        if not any(other != point and other[0] >= point[0] and other[1] >= point[1] for other in points)
    ]
    return sorted(best, key=lambda index: (-points[index][1], points[index][0]))


def table(results: Sequence[SystemResult]) -> str:
    """All figures, the fastest system first; those on the frontier are bold."""
    best = {results[index].system.name for index in frontier([result.point for result in results])}
    rows = []
    for result in sorted(results, key=lambda result: -result.point[1]):
        system = result.system
        columns = ([column(found) for found in result.rounds] for column in COLUMNS.values())
        rows.append(
            [
                f"**{system.name}**" if system.name in best else system.name,
                f"{100 * result.accuracy:.2f}{'' if system.quoted_from is None else ' (quoted)'}",
                *(spread(value for value in column if value is not None) for column in columns),
                digits(system.size_on_disk() / 1e6),
            ]
        )
    return markdown_table(["system", "accuracy, %", *COLUMNS, "size on disk, MB"], rows)


def ratio_table(results: Sequence[SystemResult]) -> str:
    """How many times as fast as each peer this project is, compared round by round."""
    ours = [result for result in results if result.system.ours]
    peers = [result for result in results if not result.system.ours]
    return markdown_table(
        ["reviews/s, as a multiple of", *(result.system.name for result in ours)],
        [[peer.system.name, *(ratios(mine.speeds, peer.speeds) for mine in ours)] for peer in peers],
    )


def notes(results: Sequence[SystemResult], info: dict[str, Any], left_out: Mapping[str, Sequence[str]]) -> str:
    """What belongs to the table: how it was measured, on what, and what was not measured."""
    error = 196 * math.sqrt(0.9 * 0.1 / info["reviews"])
    lines = [
        f"- {info['reviews']:,} reviews, the same for all, raw text in and label out. Median of {info['rounds']} "
        "rounds (smallest–largest) in turns; every round is a new process. Bold: no other is at least as right and as "
        f"fast. A measured accuracy near 90% has a 95% interval of ±{error:.1f} points.",
        f"- Not counted: learning, and a warm-up of up to {WARM_UP} of the reviews. One process has as many threads as "
        "there are cores; of a process per core each has one. The cold start goes from the start of a process to its "
        "first answer. Memory is one process's peak; size on disk leaves libraries out.",
    ]
    for system in (result.system for result in results):
        reviews = min(info["reviews"], system.most_reviews or info["reviews"])
        part = "" if reviews == info["reviews"] else f" {reviews} reviews evenly spaced by length;"
        source = "" if system.quoted_from is None else f" Random weights; accuracy quoted: {system.quoted_from}."
        one_by_one = min(reviews, ONE_BY_ONE)
        lines.append(f"- {system.name}: {system.description};{part} p50 and p99 of {one_by_one} reviews.{source}")
    lines += [f"- Left out: {name}, for want of the package {', '.join(left_out[name])}." for name in left_out]
    return "\n".join([*lines, machine_note(info)])
