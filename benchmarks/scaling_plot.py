"""Time and memory against the number of reviews, both axes logarithmic: a line's slope is the exponent."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from sentiment.files import replacing

if TYPE_CHECKING:
    from benchmarks.scaling import Point

COLOURS = ("#0b6e4f", "#b45309")
GUIDE = "#94a3b8"


def draw(points: "Sequence[Point]", exponents: Mapping[str, Mapping[str, float | None]], file: Path) -> None:
    """Write the curves as PNG.

    Raises:
        RunError: if the file cannot be written.
    """
    figure = Figure(figsize=(9, 4), dpi=150, layout="constrained")
    left, right = figure.subplots(1, 2)
    for axes, kind, title in (left, "time", "time, seconds"), (right, "memory", "peak memory, megabytes"):
        for colour, job in zip(COLOURS, exponents, strict=False):
            own = [point for point in points if point.job == job]
            sizes = [point.reviews for point in own]
            values = [point.seconds if kind == "time" else point.memory for point in own]
            fit = exponents[job][kind]
            label = job if fit is None else f"{job}: ∝ n$^{{{fit:.2f}}}$"
            axes.plot(sizes, [median(ones) for ones in values], "o-", color=colour, markersize=5, label=label)
            for size, ones in zip(sizes, values, strict=True):
                axes.plot([size, size], [min(ones), max(ones)], color=colour, linewidth=3, alpha=0.4)
        _dress(axes, title)
    _guide(left, points)
    bottom, top = right.get_ylim()
    right.set_ylim(min(bottom, top / 100), top * 3)  # flat is to look flat
    for axes in (left, right):
        axes.legend(frameon=False, fontsize=9, loc="upper left")
    with replacing(file) as temporary:
        figure.savefig(temporary, format="png")


def _dress(axes: Axes, title: str) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.xaxis.set_major_locator(LogLocator(numticks=12))
    axes.xaxis.set_minor_formatter(NullFormatter())
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.12g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("reviews n")
    axes.set_title(title, fontsize=10, loc="left")
    axes.grid(color="#e2e8f0", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _guide(axes: Axes, points: "Sequence[Point]") -> None:
    """A line of slope 1 below the points, to hold them against."""
    sizes = np.array([min(point.reviews for point in points), max(point.reviews for point in points)], dtype=float)
    rate = min(median(point.seconds) / point.reviews for point in points) / 2
    axes.plot(sizes, sizes * rate, "--", color=GUIDE, linewidth=1, label="linear", zorder=1)
    axes.set_ylim(top=axes.get_ylim()[1] * 8)  # room for the legend
