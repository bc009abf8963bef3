"""The metrics of an evaluation as text, for a terminal."""

from collections.abc import Iterator
from typing import Any

from sklearn.metrics import classification_report

from sentiment.evaluation.evaluator import EvaluationResult
from sentiment.inference.postprocessing import is_positive

LABELS = ("negative", "positive")


def summary(result: EvaluationResult) -> str:
    """Accuracy with its interval, classification report, calibration, baselines and other models, contrast pairs."""
    metrics = result.metrics
    predicted = is_positive(result.predictions.probabilities)
    report = classification_report(
        result.predictions.labels, predicted, labels=[0, 1], target_names=LABELS, digits=4, zero_division=0
    )
    low, high = metrics["accuracy_95"]
    lines = [
        f"accuracy {metrics['accuracy']:.2%}, 95% interval {low:.2%} to {high:.2%}, on {metrics['n']:,} reviews",
        "",
        report,
        *_calibration(metrics),
        *_comparison(metrics),
    ]
    if "pairs" in metrics:
        lines += [
            _pairs("this model", metrics["pairs"]),
            *(_pairs(row["name"], row) for row in metrics["pairs"]["baselines"]),
        ]
    return "\n".join(lines)


def _calibration(metrics: dict[str, Any]) -> Iterator[str]:
    undefined = [name for name in ("precision", "recall", "f1", "roc_auc") if metrics[name] is None]
    if undefined:
        yield f"not defined for these labels: {', '.join(undefined)}"
    names = ("roc_auc", "log_loss", "brier", "ece")
    yield ", ".join(f"{name} {metrics[name]:.4f}" for name in names if metrics[name] is not None)
    uncertain = metrics["uncertain"]
    if uncertain["answered_accuracy"] is not None and uncertain["answered_share"] < 1:
        share, accuracy = uncertain["answered_share"], uncertain["answered_accuracy"]
        yield f"not uncertain: {share:.1%} of the predictions, with {accuracy:.2%} accuracy"


def _comparison(metrics: dict[str, Any]) -> Iterator[str]:
    for row in metrics["baselines"] + metrics.get("compared", []):
        difference, (low, high) = 100 * row["difference"], row["difference_95"]
        p_value = f"= {row['p_value']:.2g}" if row["p_value"] >= 0.0001 else "< 0.0001"
        yield (
            f"compared with {row['name']} ({row['accuracy']:.2%}): {difference:+.2f} points "
            f"(95% interval {100 * low:+.2f} to {100 * high:+.2f}), McNemar p {p_value}"
        )
    if "baselines_left_out" in metrics:
        yield f"no baselines: {metrics['baselines_left_out']}"
    if "checklist_left_out" in metrics:
        yield f"no behavior tests: {metrics['checklist_left_out']}"


def _pairs(name: str, row: dict[str, Any]) -> str:
    return (
        f"{row['n']} contrast pairs, {name}: accuracy {row['accuracy_original']:.1%} on originals, "
        f"{row['accuracy_edited']:.1%} on edits, both correct in {row['consistency']:.1%}"
    )
