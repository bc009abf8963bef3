"""The page of an evaluation: one HTML file that needs no network and holds everything that was measured."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from sklearn.metrics import precision_recall_fscore_support

from sentiment import charts
from sentiment.assessment import Assessment, uncalibrated
from sentiment.behaviour import MOST_MOVE, NEARLY_CERTAIN
from sentiment.decision import is_positive
from sentiment.evaluation import reliability
from sentiment.examples import examples, least_sure, surest_errors
from sentiment.files import write_text

SHOWN = 10
"""Reviews shown of each kind."""


def write_report(assessment: Assessment, file: Path) -> None:
    """Write the page, whole or not at all.

    Raises:
        RunError: if the file cannot be written.
    """
    write_text(file, render(assessment))


def render(assessment: Assessment) -> str:
    """The page as HTML; everything that comes from reviews is escaped."""
    loader = PackageLoader("sentiment")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters.update(percent=percent, points=points, interval=interval, p_value=p_value)
    classifier, answers, metrics = assessment.classifier, assessment.answers, assessment.metrics
    return environment.get_template("report.html.j2").render(
        metrics=metrics,
        verdict=verdict(metrics),
        per_class=_per_class(assessment),
        charts=_charts(assessment),
        errors=examples(classifier, answers, surest_errors(answers, SHOWN)),
        unsure=examples(classifier, answers, least_sure(answers, SHOWN)),
        behaviour_baselines=[rival.name for rival in assessment.baselines[1:]],
        nearly_certain=NEARLY_CERTAIN,
        most_move=MOST_MOVE,
        settings=json.dumps(
            {
                "model": classifier.checkpoint.model_settings,
                "calibration": classifier.checkpoint.calibration,
                "training": classifier.checkpoint.metrics.get("training", "not recorded in the model's metrics.json"),
            },
            indent=2,
        ),
    )


def verdict(metrics: dict[str, Any]) -> list[str]:
    """What a person should take away, in sentences that follow from the figures."""
    found = []
    linear = metrics["baselines"][1:]
    if linear:
        best = max(linear, key=lambda row: row["accuracy"])
        gap = f"{abs(100 * best['difference']):.1f} points"
        if best["p_value"] >= 0.05:
            found.append(f"It cannot be told apart from {best['name']} on these reviews ({best['accuracy']:.1%}).")
        elif best["difference"] > 0:
            found.append(f"It is {gap} better than {best['name']}, the better of the linear baselines, beyond chance.")
        else:
            found.append(f"It is {gap} worse than {best['name']}, a linear baseline, beyond chance: use that.")
    error = 100 * metrics["calibration"]["after"]["ece"]
    chance = 100 * metrics["calibration"]["ece_if_perfect"]
    found.append(f"Its probabilities are off by {error:.1f} points on average; chance alone would give {chance:.1f}.")
    uncertain = metrics["uncertain"]
    if uncertain["answered_accuracy"] is not None and uncertain["answered_share"] < 1:
        share, accuracy = uncertain["answered_share"], uncertain["answered_accuracy"]
        found.append(f"It calls itself sure on {share:.0%} of the reviews, and is right on {accuracy:.1%} of those.")
    worse = [row for row in metrics["slices"] if row["marked"] and row["difference"] < 0]
    if worse:
        row = min(worse, key=lambda row: row["accuracy"])
        found.append(
            f"It is weakest on one kind of reviews ({row['family']}: {row['name']}): {row['accuracy']:.1%} right."
        )
    failing = [row["test"] for row in metrics["behaviour"] if row["failures"] > row["n"] / 2]
    if failing:
        found.append(f"It fails most sentences of {len(failing)} behaviour tests: {', '.join(failing)}.")
    if metrics["also_in_training"]:
        found.append(f"{metrics['also_in_training']:,} of these reviews stand in the training part too.")
    return found


def _per_class(assessment: Assessment) -> list[dict[str, Any]]:
    labels, predicted = assessment.answers.labels, is_positive(assessment.answers.probabilities).astype(int)
    columns = precision_recall_fscore_support(labels, predicted, labels=[0, 1], zero_division=np.nan)
    names = ("precision", "recall", "f1", "n")
    rows = [dict(zip(names, row, strict=True)) for row in np.transpose(columns).tolist()]
    return [{"name": name} | row for name, row in zip(("negative", "positive"), rows, strict=True)]


def _charts(assessment: Assessment) -> dict[str, str]:
    """SVG by name; ROC and precision-recall only where both classes occur."""
    labels, probabilities = assessment.answers.labels, assessment.answers.probabilities
    linear = max(assessment.metrics["baselines"][1:], key=lambda row: row["accuracy"], default={"name": None})["name"]
    rivals = [*assessment.compared, *(rival for rival in assessment.baselines if rival.name == linear)]
    curves = [("this model", probabilities), *((rival.name, rival.probabilities) for rival in rivals)]
    before = uncalibrated(probabilities, assessment.classifier.temperature)
    share = assessment.metrics["uncertain"]["answered_share"]
    drawn = {
        "reliability": charts.reliability_chart(reliability(labels, before), reliability(labels, probabilities)),
        "risk_coverage": charts.risk_coverage_chart(labels, curves, share if 0 < share < 1 else None),
    }
    if len(set(labels.tolist())) == 2:
        drawn["roc"] = charts.roc_chart(labels, curves)
        drawn["precision_recall"] = charts.precision_recall_chart(labels, curves)
    return drawn


def percent(share: float | None, digits: int = 1) -> str:
    """A share for reading; a dash where the labels do not define it."""
    return "–" if share is None or np.isnan(share) else f"{100 * share:.{digits}f}%"


def points(difference: float, digits: int = 1) -> str:
    """A difference of two shares, in percentage points, with its sign."""
    return f"{100 * difference:+.{digits}f}".replace("-", "−")


def interval(ends: list[float], digits: int = 1) -> str:
    """An interval of shares, in percent."""
    return f"{100 * ends[0]:.{digits}f} to {100 * ends[1]:.{digits}f}".replace("-", "−")


def p_value(value: float) -> str:
    """A p-value for reading."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
