"""Charts of an evaluation as inline SVG: readable in light, dark and print, and without colour vision.

Matplotlib draws; each of its colours is then replaced by a colour of the page, so that the page's style sheet decides.
Series differ in line style and marker as well as in colour.
"""

import io
from collections.abc import Sequence
from html import escape
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from sklearn.metrics import precision_recall_curve, roc_curve

from sentiment.evaluation import Bin, risk_coverage

INK, GRID, FIRST, SECOND, THIRD = "#010101", "#020202", "#030303", "#040404", "#050505"
PAGE_COLOURS = {INK: "currentColor", GRID: "var(--line)", FIRST: "var(--a)", SECOND: "var(--b)", THIRD: "var(--c)"}
STYLES = ((FIRST, "-"), (SECOND, "--"), (THIRD, ":"), (FIRST, "-."), (SECOND, ":"), (THIRD, "--"))
"""Of the curves of a chart; more than these would not be told apart, and are left to the table."""
MOST_POINTS = 300
"""Points of a curve: a page of 100,000 reviews is as small as one of 1,000."""

_SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "sentiment",
    "font.size": 11,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": GRID,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
}

LONGEST_NAME = 44
"""Characters of a name in a legend; of a longer one, a path, the end."""

Curve = tuple[str, np.ndarray]
"""Name of a model and its probabilities [n]."""


def roc_chart(labels: np.ndarray, curves: Sequence[Curve]) -> str:
    """ROC curves; both classes must occur."""
    with mpl.rc_context(_SETTINGS):
        figure, axes = _axes("negatives wrongly called positive", "positives found")
        for (name, probabilities), (colour, style) in zip(curves, STYLES, strict=False):
            wrong, found, _ = roc_curve(labels, probabilities)
            axes.plot(*_thinned(wrong, found), color=colour, linestyle=style, label=_short(name))
        axes.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle=(0, (1, 3)), label="guessing")
        axes.legend(loc="lower right", fontsize=9)
        return _svg(figure, "ROC curve")


def precision_recall_chart(labels: np.ndarray, curves: Sequence[Curve]) -> str:
    """Precision against recall of the positive class; both classes must occur."""
    with mpl.rc_context(_SETTINGS):
        figure, axes = _axes("recall: positives found", "precision: right among called positive")
        for (name, probabilities), (colour, style) in zip(curves, STYLES, strict=False):
            precision, recall, _ = precision_recall_curve(labels, probabilities)
            axes.plot(*_thinned(recall, precision), color=colour, linestyle=style, label=_short(name))
        axes.set_ylim(0.45, 1.01)
        axes.legend(loc="lower left", fontsize=9)
        return _svg(figure, "Precision and recall")


def reliability_chart(before: Sequence[Bin], after: Sequence[Bin]) -> str:
    """Stated probability against observed frequency, with 95% intervals, before and after the temperature."""
    with mpl.rc_context(_SETTINGS):
        figure, axes = _axes("stated probability of positive", "share that is positive")
        axes.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle=(0, (1, 3)), label="what it should be")
        axes.plot(
            [part.stated for part in before],
            [part.observed for part in before],
            linestyle="none",
            marker="o",
            markerfacecolor="none",
            markeredgecolor=SECOND,
            label="before the temperature",
        )
        observed = np.array([part.observed for part in after])
        low, high = np.array([part.interval for part in after]).T
        axes.errorbar(
            [part.stated for part in after],
            observed,
            # rounding can put an interval's end a hair inside its middle
            yerr=np.maximum(0, [observed - low, high - observed]),
            color=FIRST,
            linestyle="none",
            marker="s",
            markersize=4,
            label="as stated, 95% interval",
        )
        axes.legend(loc="upper left", fontsize=9)
        return _svg(figure, "Reliability diagram")


def risk_coverage_chart(labels: np.ndarray, curves: Sequence[Curve], answered_share: float | None) -> str:
    """Accuracy of the answers kept when the least sure reviews are left to a person."""
    with mpl.rc_context(_SETTINGS):
        figure, axes = _axes("reviews answered, surest first", "right among those")
        lowest = 1.0
        for (name, probabilities), (colour, style) in zip(curves, STYLES, strict=False):
            coverage, accuracy = risk_coverage(labels, probabilities)
            lowest = min(lowest, float(accuracy[coverage >= 0.1].min()))
            axes.plot(*_thinned(coverage, accuracy), color=colour, linestyle=style, label=_short(name))
        if answered_share is not None:
            axes.axvline(answered_share, color=INK, linewidth=0.9, linestyle="-.", label="left of it: called sure")
        axes.set_ylim(max(0.0, lowest - 0.03), 1.005)
        axes.legend(loc="lower left", fontsize=9)
        return _svg(figure, "Accuracy by share of reviews answered")


def _axes(x_label: str, y_label: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(4.6, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.set(xlabel=x_label, ylabel=y_label, xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    return figure, axes


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"…{name[1 - LONGEST_NAME :]}"


def _thinned(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """At most `MOST_POINTS` points of a curve, evenly along it, its ends among them."""
    if len(x) <= MOST_POINTS:
        return x, y
    way = np.concatenate([[0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))])
    rows = np.unique(np.searchsorted(way, np.linspace(0, way[-1], MOST_POINTS)).clip(0, len(x) - 1))
    return x[rows], y[rows]


def _svg(figure: Figure, title: str) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :].replace("<svg ", f'<svg role="img" aria-label="{escape(title)}" ', 1)
    for colour, of_page in PAGE_COLOURS.items():
        text = text.replace(colour, of_page)
    return text
