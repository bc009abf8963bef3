"""Accuracy against speed, with the frontier drawn."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from matplotlib.transforms import Bbox

from benchmarks.results import System, frontier
from sentiment.files import replacing

OURS, THEIRS = "#0b6e4f", "#4a5568"
MARKER = 7.0
"""Diameter of a point, in typographic points."""
TICKS = (50, 60, 65, 70, 75, 80, 85, 88, 90, 92, 93, 94, 95, 96, 97, 98, 99)
LEAST_ERROR = 1.0
"""Errors in percent; fewer are drawn as that many, for the logarithm's sake."""
KEY = "■ this project   ● peer   ○ peer, accuracy quoted   -- frontier   — smallest to largest of the rounds"


def draw(systems: Sequence[System], file: Path) -> None:
    """Write the plot as PNG: speed on a logarithmic axis, accuracy so that half the errors is one step up.

    Raises:
        RunError: if the file cannot be written.
    """
    figure = Figure(figsize=(9, 5.6), dpi=150)
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((0.07, 0.1, 0.91, 0.85))
    points = [(speed, min(100 * accuracy, 100 - LEAST_ERROR)) for accuracy, speed in (one.point for one in systems)]
    best = [points[index] for index in frontier([system.point for system in systems])]
    steps = best[:1]
    for faster, slower in pairwise(best):
        steps += [(slower[0], faster[1]), slower]
    axes.plot(*zip(*steps, strict=True), color=OURS, linestyle="--", linewidth=1)
    for system, (speed, accuracy) in zip(systems, points, strict=True):
        colour = OURS if system.ours else THEIRS
        axes.plot([min(system.speeds), max(system.speeds)], [accuracy] * 2, color=colour, linewidth=1.2)
        axes.plot(
            speed,
            accuracy,
            marker="s" if system.ours else "o",
            markersize=MARKER,
            color=colour,
            markerfacecolor="white" if system.quoted_from else colour,
        )
    _dress(axes, [accuracy for _, accuracy in points])
    canvas.draw()  # type: ignore[no-untyped-call]  # names are placed on what is drawn
    _name(axes, systems, points, steps)
    with replacing(file) as temporary:
        figure.savefig(temporary, format="png")


def _dress(axes: Axes, accuracies: Sequence[float]) -> None:
    """Scales, ticks, names of the axes, and what the marks mean."""
    axes.set_xscale("log")
    axes.set_yscale("function", functions=(_error_scale, lambda scaled: 100 - np.exp(-scaled)))
    axes.margins(x=0.13)
    low, high = _error_scale(np.array([min(accuracies), max(accuracies)]))
    margin = 0.1 * (high - low) + 0.1
    axes.set_ylim(100 - np.exp(margin - low), 100 - np.exp(-high - margin))
    axes.set_yticks([tick for tick in TICKS if axes.get_ylim()[0] <= tick <= axes.get_ylim()[1]])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel("reviews per second, raw text in, label out (logarithmic)")
    axes.set_ylabel("accuracy, % (logarithmic in the errors)")
    axes.set_title(KEY, fontsize=9, loc="left", color=THEIRS, pad=6)
    axes.grid(color="#e2e8f0", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _error_scale(accuracy: np.ndarray) -> np.ndarray:
    return -np.log(np.maximum(100 - np.asarray(accuracy), LEAST_ERROR / 2))


Place = tuple[float, float]


def _name(axes: Axes, systems: Sequence[System], points: Sequence[Place], steps: Sequence[Place]) -> None:
    """Write each name beside its point, on the nearest place where it covers no point, no name and no frontier.

    Points with the nearest neighbours choose first.
    """
    figure = axes.figure
    pixels = figure.dpi / 72
    centres, corners = axes.transData.transform(points), axes.transData.transform(steps)
    radius = 0.7 * MARKER * pixels
    taken = [Bbox([centre - radius, centre + radius]) for centre in centres]
    taken += [Bbox([np.minimum(*ends) - pixels, np.maximum(*ends) + pixels]) for ends in pairwise(corners)]
    distances = np.linalg.norm(centres[:, None] - centres, axis=2)
    for index in np.argsort(np.sort(distances, axis=1)[:, :4].sum(axis=1), kind="stable"):
        system, centre = systems[index], centres[index]
        colour, weight = (OURS, "bold") if system.ours else (THEIRS, "normal")
        text = axes.text(0, 0, system.name, fontsize=8.5, color=colour, fontweight=weight, transform=None)
        box = _free_place(centre, np.array(text.get_window_extent().size), taken, axes.get_window_extent(), pixels)
        text.set(position=box.min, verticalalignment="bottom")
        taken.append(box)
        edge = np.clip(centre, box.min, box.max)
        if np.linalg.norm(edge - centre) > 12 * pixels:
            axes.plot(*zip(centre, edge, strict=True), color=THEIRS, linewidth=0.5, transform=None, zorder=1)


def _free_place(centre: np.ndarray, size: np.ndarray, taken: Sequence[Bbox], inside: Bbox, pixels: float) -> Bbox:
    """Of the boxes around a point that overlap the fewest others, the nearest. All in pixels."""
    choices: list[tuple[int, int, Bbox]] = []
    for distance in (8, 14, 22, 32, 44, 58, 74):
        for angle in range(0, 360, 30):
            direction = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
            middle = centre + direction * (distance * pixels + np.abs(direction) * size / 2)
            box = Bbox([middle - size / 2, middle + size / 2])
            outside = not (inside.contains(*box.min) and inside.contains(*box.max))
            choices.append((box.count_overlaps(taken) + 10 * outside, len(choices), box))
    return min(choices, key=lambda choice: choice[:2])[2]
