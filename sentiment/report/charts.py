"""Charts of the report as inline SVG, for light mode, dark mode and print.

Matplotlib draws them; each of its colors is then replaced by a CSS color, so that the page's style sheet decides.
Curves differ in line style and marker as well as in color, for color-blind readers.
"""

import io
from collections.abc import Sequence
from html import escape
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter, StrMethodFormatter
from sklearn.metrics import precision_recall_curve, roc_curve

from sentiment.evaluation.metrics import Bin, risk_coverage

INK, GRID, FIRST, SECOND, THIRD = "#010101", "#020202", "#030303", "#040404", "#050505"
PAGE_COLORS = {INK: "currentColor", GRID: "var(--line)", FIRST: "var(--a)", SECOND: "var(--b)", THIRD: "var(--c)"}
STYLES = ((FIRST, "-"), (SECOND, "--"), (THIRD, ":"), (FIRST, "-."), (SECOND, ":"), (THIRD, "--"))
"""Color and line style of each curve. More curves would be hard to distinguish; they appear only in the table."""
MOST_POINTS = 300
"""Points per curve, so that the page is small for any number of reviews."""

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
"""Characters of a name in a legend; only the end of a longer name is shown, since it is usually a path."""

Curve = tuple[str, np.ndarray]
"""Name of a model and its probabilities of positive [n]."""


def roc_chart(labels: np.ndarray, curves: Sequence[Curve]) -> str:
    """ROC curves; `labels` [n] are 0 or 1, and both must occur."""
    with mpl.rc_context(_SETTINGS):
        figure, axes = _axes("false positive rate", "true positive rate")
        for (name, probabilities), (color, style) in zip(curves, STYLES, strict=False):
            false_positives, true_positives, _ = roc_curve(labels, probabilities)
            axes.plot(*_thinned(false_positives, true_positives), color=color, linestyle=style, label=_short(name))
        axes.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle=(0, (1, 3)), label="random guessing")
        axes.legend(loc="lower right", fontsize=9)
        return _svg(figure, "ROC curve")


def precision_recall_chart(labels: np.ndarray, curves: Sequence[Curve]) -> str:
    """Precision-recall curves for positive; `labels` [n] are 0 or 1, and both must occur."""
    with mpl.rc_context(_SETTINGS):
        figure, axes = _axes("recall", "precision")
        for (name, probabilities), (color, style) in zip(curves, STYLES, strict=False):
            precision, recall, _ = precision_recall_curve(labels, probabilities)
            axes.plot(*_thinned(recall, precision), color=color, linestyle=style, label=_short(name))
        axes.set_ylim(0.45, 1.01)
        axes.legend(loc="lower left", fontsize=9)
        return _svg(figure, "Precision-recall curve")


def reliability_chart(before: Sequence[Bin], after: Sequence[Bin]) -> str:
    """Observed share of positive against predicted probability, before and after temperature scaling."""
    with mpl.rc_context(_SETTINGS):
        figure, axes = _axes("predicted probability of positive", "observed share of positive")
        axes.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle=(0, (1, 3)), label="perfect calibration")
        axes.plot(
            [part.predicted for part in before],
            [part.observed for part in before],
            linestyle="none",
            marker="o",
            markerfacecolor="none",
            markeredgecolor=SECOND,
            label="before temperature scaling",
        )
        observed = np.array([part.observed for part in after])
        low, high = np.array([part.interval for part in after]).T
        axes.errorbar(
            [part.predicted for part in after],
            observed,
            # rounding can make a distance slightly negative
            yerr=np.maximum(0, [observed - low, high - observed]),
            color=FIRST,
            linestyle="none",
            marker="s",
            markersize=4,
            label="after, with 95% interval",
        )
        axes.legend(loc="upper left", fontsize=9)
        return _svg(figure, "Reliability diagram")


def risk_coverage_chart(labels: np.ndarray, curves: Sequence[Curve], answered_share: float | None) -> str:
    """Accuracy if only the most confident predictions are used; `answered_share` (0 to 1) is marked."""
    with mpl.rc_context(_SETTINGS):
        figure, axes = _axes("coverage: share of reviews answered,\nmost confident first", "accuracy of those")
        lowest = 1.0
        for (name, probabilities), (color, style) in zip(curves, STYLES, strict=False):
            coverage, accuracy = risk_coverage(labels, probabilities)
            lowest = min(lowest, float(accuracy[coverage >= 0.1].min()))
            # clipped nowhere, since the line at 100% would be half as wide
            axes.plot(*_thinned(coverage, accuracy), color=color, linestyle=style, label=_short(name), clip_on=False)
        if answered_share is not None:
            axes.axvline(answered_share, color=INK, linewidth=0.9, linestyle="-.", label="left of it: not uncertain")
        axes.set(xlim=(0, 1), ylim=(max(0.0, lowest - 0.03), 1))
        axes.legend(loc="lower left", fontsize=9)
        return _svg(figure, "Accuracy by coverage")


def score_histogram(labels: np.ndarray, probabilities: np.ndarray) -> str:
    """Number of reviews by predicted probability of positive [n], for each actual label [n], 0 or 1."""
    with mpl.rc_context(_SETTINGS):
        figure, axes = _axes("predicted probability of positive", "reviews")
        bins = np.linspace(0, 1, 21)
        for label, name, color, style in ((0, "actual negative", SECOND, "--"), (1, "actual positive", FIRST, "-")):
            axes.hist(
                probabilities[labels == label],
                bins.tolist(),
                histtype="step",
                color=color,
                linestyle=style,
                linewidth=1.8,
            )
            axes.plot([], [], color=color, linestyle=style, label=name)
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.autoscale(axis="y")
        axes.set_ylim(bottom=0)
        axes.legend(loc="upper center", fontsize=9)
        return _svg(figure, "Histogram of the predicted probabilities")


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
    """At most `MOST_POINTS` points, evenly spaced along the curve, including both ends."""
    if len(x) <= MOST_POINTS:
        return x, y
    distance = np.concatenate([[0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))])
    rows = np.unique(np.searchsorted(distance, np.linspace(0, distance[-1], MOST_POINTS)).clip(0, len(x) - 1))
    return x[rows], y[rows]


def _svg(figure: Figure, title: str) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :].replace("<svg ", f'<svg role="img" aria-label="{escape(title)}" ', 1)
    for color, css_color in PAGE_COLORS.items():
        text = text.replace(color, css_color)
    return text
