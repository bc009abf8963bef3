"""The report of an evaluation: one HTML file with all metrics; it needs no network."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from sklearn.metrics import precision_recall_fscore_support

from sentiment.evaluation.checklist import ALLOWED_CHANGE, NEARLY_CERTAIN
from sentiment.evaluation.evaluator import EvaluationResult, uncalibrated
from sentiment.evaluation.metrics import reliability
from sentiment.inference.postprocessing import is_positive
from sentiment.io.files import write_text
from sentiment.report import charts
from sentiment.report.error_examples import explain_examples, least_confident, most_confident_errors

SHOWN = 10
"""Number of most confident errors, and of least confident predictions."""


def write_report(result: EvaluationResult, file: Path, command: str = "") -> None:
    """Write the report atomically.

    Args:
        result: what to report.
        file: HTML file to write.
        command: command line that makes the report again.

    Raises:
        RunError: if the file cannot be written.
    """
    write_text(file, render(result, command))


def render(result: EvaluationResult, command: str = "") -> str:
    """The report as HTML; all text from reviews is escaped."""
    loader = ChoiceLoader([PackageLoader("sentiment.report"), PackageLoader("sentiment.explanation")])
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters.update(percent=percent, points=points, interval=interval, p_value=p_value)
    classifier, predictions, metrics = result.classifier, result.predictions, result.metrics
    return environment.get_template("report.html.j2").render(
        metrics=metrics,
        verdict=verdict(metrics),
        per_class=_per_class(result),
        charts=_charts(result),
        errors=explain_examples(classifier, predictions, most_confident_errors(predictions, SHOWN)),
        uncertain_examples=explain_examples(classifier, predictions, least_confident(predictions, SHOWN)),
        checklist_baselines=[baseline.name for baseline in result.baselines[1:]],
        nearly_certain=NEARLY_CERTAIN,
        allowed_change=ALLOWED_CHANGE,
        command=command,
        today=date.today().isoformat(),
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
    """The main findings as sentences, derived from the content of metrics.json."""
    found = []
    linear = metrics["baselines"][1:]
    if linear:
        best = max(linear, key=lambda row: row["accuracy"])
        gap = f"{points(best['difference'])} percentage points"
        if best["p_value"] >= 0.05:
            found.append(f"No significant difference from {best['name']} ({best['accuracy']:.1%} accuracy).")
        elif best["difference"] > 0:
            found.append(f"Significantly more accurate than {best['name']}, the best linear baseline ({gap}).")
        else:
            found.append(f"Significantly less accurate than {best['name']}, a linear baseline ({gap}).")
    error, chance = metrics["calibration"]["after"]["ece"], metrics["calibration"]["ece_if_perfect"]
    found.append(f"Calibration error {error:.1%}; a perfectly calibrated model would have {chance:.1%} by chance.")
    uncertain = metrics["uncertain"]
    if uncertain["answered_accuracy"] is not None and uncertain["answered_share"] < 1:
        share, accuracy = uncertain["answered_share"], uncertain["answered_accuracy"]
        found.append(f"{share:.0%} of the predictions are not uncertain; their accuracy is {accuracy:.1%}.")
    worse = [row for row in metrics["slices"] if row["marked"] and row["difference"] < 0]
    if worse:
        row = min(worse, key=lambda row: row["accuracy"])
        where = f"“{row['family']}: {row['name']}”"
        found.append(f"Significantly less accurate on the slice {where}: {row['accuracy']:.1%} accuracy.")
    failing = [row["test"] for row in metrics["checklist"] if row["failures"] > row["n"] / 2]
    if failing:
        found.append(f"Fails more than half of the sentences in these behavior tests: {', '.join(failing)}.")
    if metrics["also_in_training"]:
        found.append(f"{metrics['also_in_training']:,} of these reviews are also training reviews.")
    return found


def _per_class(result: EvaluationResult) -> list[dict[str, Any]]:
    labels, predicted = result.predictions.labels, is_positive(result.predictions.probabilities).astype(int)
    columns = precision_recall_fscore_support(labels, predicted, labels=[0, 1], zero_division=np.nan)
    names = ("precision", "recall", "f1", "n")
    rows = [dict(zip(names, row, strict=True)) for row in np.transpose(columns).tolist()]
    return [{"name": name} | row for name, row in zip(("negative", "positive"), rows, strict=True)]


def _charts(result: EvaluationResult) -> dict[str, str]:
    """SVG charts by name; ROC and precision-recall curves only if both labels occur."""
    labels, probabilities = result.predictions.labels, result.predictions.probabilities
    linear = max(result.metrics["baselines"][1:], key=lambda row: row["accuracy"], default={"name": None})["name"]
    models = [*result.compared, *(baseline for baseline in result.baselines if baseline.name == linear)]
    curves = [("this model", probabilities), *((model.name, model.probabilities) for model in models)]
    before = uncalibrated(result.predictions, result.classifier)
    share = result.metrics["uncertain"]["answered_share"]
    svgs = {
        "reliability": charts.reliability_chart(reliability(labels, before), reliability(labels, probabilities)),
        "scores": charts.score_histogram(labels, probabilities),
        "risk_coverage": charts.risk_coverage_chart(labels, curves, share if 0 < share < 1 else None),
    }
    if len(set(labels.tolist())) == 2:
        svgs["roc"] = charts.roc_chart(labels, curves)
        svgs["precision_recall"] = charts.precision_recall_chart(labels, curves)
    return svgs


def percent(share: float | None, digits: int = 1) -> str:
    """A share as a percentage; a dash if it is undefined."""
    return "–" if share is None or np.isnan(share) else f"{100 * share:.{digits}f}%"


def points(difference: float, digits: int = 1) -> str:
    """A difference of two shares in percentage points, with its sign."""
    return f"{100 * difference:+.{digits}f}".replace("-", "−")


def interval(ends: list[float], digits: int = 1) -> str:
    """An interval of shares in percent, without the percent sign."""
    return f"{100 * ends[0]:.{digits}f} to {100 * ends[1]:.{digits}f}".replace("-", "−")


def p_value(value: float) -> str:
    """A p-value, rounded."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
