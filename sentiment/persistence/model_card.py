"""The model card (README.md of a model directory), written from the settings and metrics of the model."""

import json
import re
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from sentiment.persistence.checkpoint import Checkpoint

FIGURES = {
    "accuracy": "Accuracy",
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1",
    "roc_auc": "ROC AUC",
    "log_loss": "Log loss",
    "brier": "Brier score",
    "ece": "Calibration error (15 bins of equal mass)",
}
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")

IMDB = """The IMDB Large Movie Review Dataset: Andrew L. Maas, Raymond E. Daly, Peter T. Pham, Dan Huang, Andrew Y. Ng
and Christopher Potts, *Learning Word Vectors for Sentiment Analysis*, ACL 2011
(<https://aclanthology.org/P11-1015/>)."""


def model_card(checkpoint: Checkpoint) -> str:
    """Model card in Markdown, with the `model-index` block for the hub.

    Args:
        checkpoint: the model; its `metrics` should have the metrics, the `data` and `split` that they were measured on,
            and `training`, the settings of the run.
    """
    metrics, text = checkpoint.metrics, checkpoint.text
    parameters = sum(tensor.numel() for tensor in checkpoint.weights.values())
    figures = {name: metrics[name] for name in FIGURES if metrics.get(name) is not None}
    lines = [f"| {FIGURES[name]} | {value:.4f} |" for name, value in figures.items()]
    where = f"{_dataset_name(metrics)}, split {metrics.get('split') or 'the file itself'}"
    return f"""---
{_front_matter(metrics, figures)}
---
# Sentiment of movie reviews: an LSTM of {checkpoint.model_settings["num_layers"]} layers

{parameters:,} parameters, {len(text.vocabulary):,} words. Input: an English movie review. Output: the
probability that it is positive.

## Evaluation

Measured on {metrics.get("n", 0):,} reviews: {where}.

| metric | value |
| --- | --- |
{chr(10).join(lines)}

{_interval(metrics)}{_uncertain(checkpoint)}

## Intended use

Classify English movie reviews as positive or negative, on a laptop and without a network. Before you use it for other
texts, such as product reviews or posts, evaluate it with `sentiment evaluate` on labeled texts of that kind. Do not use
it for decisions about people.

## Limits

- A review of more than {text.max_length:,} tokens is truncated to its {text.keep}, and marked as `truncated`.
- It was trained on movie reviews, mostly of 100 to 600 words. It makes more errors on single sentences, irony, negation
  ("not bad") and reviews that compare two films; `sentiment checklist` measures this.
- Names of people and films can change a prediction, although they should not.
- If most words of a text are unknown, for example in another language, the prediction is marked as uncertain.

## Training data

{IMDB if _learned_from_imdb(metrics) else "`data.source` in the settings below."}{_teachers(metrics)}{_adapted(metrics)}

<details><summary>Settings of the run</summary>

```json
{json.dumps(metrics.get("training", "not recorded"), indent=2)}
```

</details>
"""


def _learned_from_imdb(metrics: dict[str, Any]) -> bool:
    """Whether the source has the name of the IMDB data set, on the hub or as a directory."""
    source = metrics.get("training", {}).get("data", {}).get("source", "")
    return Path(source).name.lower() in ("imdb", "aclimdb")


def _teachers(metrics: dict[str, Any]) -> str:
    names = metrics.get("training", {}).get("teachers")
    if not names:
        return ""
    listed = ", ".join(f"`{name}`" for name in names)
    return f"\n\nIt also learned what its teachers answer, and so from the texts that they have read: {listed}."


def _adapted(metrics: dict[str, Any]) -> str:
    if "adapted_reviews" not in metrics:
        return ""
    return f"\n\nIt was then adapted to {metrics['adapted_reviews']:,} reviews, as far as these justify a change."


def _dataset_name(metrics: dict[str, Any]) -> str:
    """The hub id, or the last part of a path, since the full path means nothing on other machines."""
    source = str(metrics.get("data", "not recorded"))
    return source if _HUB_ID.fullmatch(source) else Path(source).name


def _front_matter(metrics: dict[str, Any], figures: dict[str, float]) -> str:
    name = _dataset_name(metrics)
    results = [
        EvalResult(
            task_type="text-classification",
            task_name="Sentiment analysis",
            dataset_type=name,
            dataset_name=name,
            dataset_split=metrics.get("split"),
            metric_type=figure,
            metric_name=FIGURES[figure],
            metric_value=round(value, 6),
        )
        for figure, value in figures.items()
    ]
    data = ModelCardData(
        language="en",
        license="mit" if _learned_from_imdb(metrics) else None,
        library_name="sentiment-rnn",
        pipeline_tag="text-classification",
        datasets=["stanfordnlp/imdb"] if _learned_from_imdb(metrics) else None,
        model_name="sentiment-rnn",
        eval_results=results or None,
    )
    return data.to_yaml().strip()


def _interval(metrics: dict[str, Any]) -> str:
    if "accuracy_95" not in metrics:
        return ""
    low, high = metrics["accuracy_95"]
    return f"The 95% confidence interval of the accuracy is {low:.2%} to {high:.2%}. "


def _uncertain(checkpoint: Checkpoint) -> str:
    calibration = checkpoint.calibration
    if "confident_accuracy" not in calibration:
        return ""
    text = (
        f"Predictions with a score below {calibration['confident_from']:.3f} are marked as uncertain. This limit was "
        f"chosen on validation reviews for an accuracy of {calibration['confident_accuracy']:.0%} on the others."
    )
    measured = checkpoint.metrics.get("uncertain", {})
    if measured.get("answered_accuracy") is not None:
        share, accuracy = measured["answered_share"], measured["answered_accuracy"]
        text += f" Measured: {share:.1%} of the predictions are not uncertain, and {accuracy:.2%} of these are right."
    return text
