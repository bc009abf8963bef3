"""The figures of an assessment as text, for a terminal."""

from collections.abc import Iterator
from typing import Any

from sklearn.metrics import classification_report

from sentiment.assessment import Assessment
from sentiment.decision import is_positive

LABELS = ("negative", "positive")


def summary(assessment: Assessment) -> str:
    """Accuracy with its interval first, then the classification report, calibration, and the others."""
    metrics = assessment.metrics
    predicted = is_positive(assessment.answers.probabilities)
    report = classification_report(
        assessment.answers.labels, predicted, labels=[0, 1], target_names=LABELS, digits=4, zero_division=0
    )
    low, high = metrics["accuracy_95"]
    lines = [
        f"accuracy {metrics['accuracy']:.2%}, 95% interval {low:.2%} to {high:.2%}, on {metrics['n']:,} reviews",
        "",
        report,
        *_probabilities(metrics),
        *_others(metrics),
    ]
    if "pairs" in metrics:
        lines += [
            _pairs("pairs", metrics["pairs"]),
            *(_pairs(row["name"], row) for row in metrics["pairs"]["baselines"]),
        ]
    return "\n".join(lines)


def _probabilities(metrics: dict[str, Any]) -> Iterator[str]:
    undefined = [name for name in ("precision", "recall", "f1", "roc_auc") if metrics[name] is None]
    if undefined:
        yield f"left out, as these labels do not define them: {', '.join(undefined)}"
    figures = ("roc_auc", "log_loss", "brier", "ece")
    yield ", ".join(f"{name} {metrics[name]:.4f}" for name in figures if metrics[name] is not None)
    uncertain = metrics["uncertain"]
    if uncertain["answered_accuracy"] is not None and uncertain["answered_share"] < 1:
        share, accuracy = uncertain["answered_share"], uncertain["answered_accuracy"]
        yield f"sure of {share:.1%} of the reviews, and right on {accuracy:.2%} of those"


def _others(metrics: dict[str, Any]) -> Iterator[str]:
    for row in metrics["baselines"] + metrics.get("compared", []):
        difference, (low, high) = 100 * row["difference"], row["difference_95"]
        p_value = f"= {row['p_value']:.2g}" if row["p_value"] >= 0.0001 else "< 0.0001"
        yield (
            f"against {row['name']} ({row['accuracy']:.2%}): {difference:+.2f} points "
            f"(95% interval {100 * low:+.2f} to {100 * high:+.2f}), McNemar p {p_value}"
        )
    if "baselines_left_out" in metrics:
        yield f"baselines left out: {metrics['baselines_left_out']}"


def _pairs(name: str, figures: dict[str, Any]) -> str:
    return (
        f"{name}: {figures['accuracy_original']:.1%} of originals right, {figures['accuracy_edited']:.1%} of edited, "
        f"{figures['consistency']:.1%} of {figures['n']} pairs both"
    )
