"""Time and memory against the number of reviews, both axes logarithmic: a line's slope is the exponent."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from benchmarks.growth.results import Point
from sentiment.io.files import atomic_file

COLORS = ("#0b6e4f", "#b45309")
GUIDE, GRID = "#94a3b8", "#e2e8f0"


def draw(points: Sequence[Point], exponents: Mapping[str, Mapping[str, float | None]], file: Path) -> None:
    """Write the curves as PNG."""
    figure = Figure(figsize=(9, 4), dpi=150, layout="constrained")
    left, right = figure.subplots(1, 2)
    for axes, kind, title in (left, "time", "time, seconds"), (right, "memory", "peak memory, megabytes"):
        for color, job in zip(COLORS, exponents, strict=False):
            own = [point for point in points if point.job == job]
            sizes = [point.reviews for point in own]
            values = [point.seconds if kind == "time" else point.memory for point in own]
            fit = exponents[job][kind]
            label = job if fit is None else f"{job}: ∝ n$^{{{fit:.2f}}}$"
            axes.plot(sizes, [median(ones) for ones in values], "o-", color=color, markersize=5, label=label)
            axes.vlines(sizes, [min(ones) for ones in values], [max(ones) for ones in values], color, linewidth=3)
        _scale_axes(axes, title)
    # a line of slope 1 below the points, to compare them with
    sizes = [min(point.reviews for point in points), max(point.reviews for point in points)]
    rate = min(median(point.seconds) / point.reviews for point in points) / 2
    left.plot(sizes, [size * rate for size in sizes], "--", color=GUIDE, linewidth=1, label="linear", zorder=1)
    left.set_ylim(top=left.get_ylim()[1] * 8)  # room for the legend
    bottom, top = right.get_ylim()
    right.set_ylim(min(bottom, top / 100), top * 3)  # flat is to look flat
    for axes in (left, right):
        axes.legend(frameon=False, fontsize=9, loc="upper left")
    with atomic_file(file) as temporary:
        figure.savefig(temporary, format="png")


def _scale_axes(axes: Axes, title: str) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.xaxis.set_major_locator(LogLocator(numticks=12))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(StrMethodFormatter("{x:,.12g}"))
        axis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("reviews n")
    axes.set_title(title, fontsize=10, loc="left")
    axes.grid(color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
