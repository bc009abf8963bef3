"""Accuracy against speed, with the frontier drawn."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter
from matplotlib.transforms import Bbox

from benchmarks.peers.results import SystemResult, frontier
from sentiment.io.files import atomic_file

OURS, THEIRS, GRID = "#0b6e4f", "#4a5568", "#e2e8f0"
MARKER = 7.0
"""Diameter of a point, in typographic points."""
TICKS = (50, 60, 65, 70, 75, 80, 85, 88, 90, 92, 93, 94, 95, 96, 97, 98, 99)
LEAST_ERROR = 1.0
"""Errors in percent; fewer are drawn as that many, for the logarithm's sake."""
KEY = "■ this project   ● peer   ○ peer, accuracy quoted   -- frontier   — smallest to largest of the rounds"

Place = tuple[float, float]


def draw(results: Sequence[SystemResult], file: Path) -> None:
    """Write the plot as PNG: speed on a logarithmic axis, accuracy so that half the errors is one step up."""
    figure = Figure(figsize=(9, 5.6), dpi=150)
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((0.07, 0.1, 0.91, 0.85))
    points = [(speed, min(100 * accuracy, 100 - LEAST_ERROR)) for accuracy, speed in (one.point for one in results)]
    best = [points[index] for index in frontier([result.point for result in results])]
    steps = best[:1]
    for faster, slower in pairwise(best):
        steps += [(slower[0], faster[1]), slower]
    axes.plot(*zip(*steps, strict=True), color=OURS, linestyle="--", linewidth=1)
    for result, (speed, accuracy) in zip(results, points, strict=True):
        color, marker = (OURS, "s") if result.system.ours else (THEIRS, "o")
        face = "white" if result.system.quoted_from else color
        axes.plot([min(result.speeds), max(result.speeds)], [accuracy] * 2, color=color, linewidth=1.2)
        axes.plot(speed, accuracy, marker, markersize=MARKER, color=color, markerfacecolor=face)
    _scale_axes(axes, [accuracy for _, accuracy in points])
    canvas.draw()  # type: ignore[no-untyped-call]  # names are placed on what is drawn
    _write_names(axes, results, points, steps)
    with atomic_file(file) as temporary:
        figure.savefig(temporary, format="png")


def _scale_axes(axes: Axes, accuracies: Sequence[float]) -> None:
    axes.set_xscale("log")
    axes.set_yscale("function", functions=(_error_scale, lambda scaled: 100 - np.exp(-scaled)))
    axes.margins(x=0.13)
    low, high = _error_scale(np.array([min(accuracies), max(accuracies)]))
    margin = 0.1 * (high - low) + 0.1
    axes.set_ylim(100 - np.exp(margin - low), 100 - np.exp(-high - margin))
    axes.set_yticks([tick for tick in TICKS if axes.get_ylim()[0] <= tick <= axes.get_ylim()[1]])
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.set_xlabel("reviews per second, raw text in, label out (logarithmic)")
    axes.set_ylabel("accuracy, % (logarithmic in the errors)")
    axes.set_title(KEY, fontsize=9, loc="left", color=THEIRS, pad=6)
    axes.grid(color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _error_scale(accuracy: np.ndarray) -> np.ndarray:
    return -np.log(np.maximum(100 - np.asarray(accuracy), LEAST_ERROR / 2))


def _write_names(axes: Axes, results: Sequence[SystemResult], points: Sequence[Place], steps: Sequence[Place]) -> None:
    """Write each name near its point, where it covers as few other names, points and lines as possible."""
    centers, corners = axes.transData.transform(points), axes.transData.transform(steps)
    taken = [Bbox([center - MARKER, center + MARKER]) for center in centers]
    taken += [Bbox([np.minimum(*ends) - 2, np.maximum(*ends) + 2]) for ends in pairwise(corners)]
    inside = axes.get_window_extent()
    to_neighbors = np.sort(np.linalg.norm(centers[:, None] - centers, axis=2), axis=1)[:, :4].sum(axis=1)
    for index in np.argsort(to_neighbors, kind="stable"):  # where it is narrow, a name must choose early
        result, center = results[index], centers[index]
        color, weight = (OURS, "bold") if result.system.ours else (THEIRS, "normal")
        text = axes.text(0, 0, result.system.name, fontsize=8.5, color=color, fontweight=weight, transform=None)
        size = np.array(text.get_window_extent().size)
        box = min(_boxes_around(center, size), key=lambda box: _overlaps(box, taken, inside))  # the nearest of equals
        text.set(position=box.min, verticalalignment="bottom")
        taken.append(box)


def _boxes_around(center: np.ndarray, size: np.ndarray) -> Iterator[Bbox]:
    """Places for a text of some size, in pixels; the nearest to the point come first."""
    for distance in (14, 22, 32, 44, 60):
        for angle in np.radians(range(0, 360, 30)):
            direction = np.array([np.cos(angle), np.sin(angle)])
            middle = center + direction * (distance + size / 2)
            yield Bbox([middle - size / 2, middle + size / 2])


def _overlaps(box: Bbox, taken: Sequence[Bbox], inside: Bbox) -> int:
    outside = not (inside.contains(*box.min) and inside.contains(*box.max))
    return int(box.count_overlaps(taken)) + 10 * outside
