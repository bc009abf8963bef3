"""Evaluate a model on labeled reviews: all metrics of the report and of metrics.json."""

import logging
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset
from scipy.special import expit, logit

from sentiment.classifier import SHIPPED_MODEL, SentimentClassifier
from sentiment.config import DataConfig
from sentiment.data.loading import check_both_classes, load_reviews
from sentiment.data.named_splits import has_splits
from sentiment.errors import InputError
from sentiment.evaluation import checklist
from sentiment.evaluation.comparison import ComparedModel, fit_baselines, load_compared_model
from sentiment.evaluation.contrast_pairs import Pairs, evaluate_pairs, load_pairs
from sentiment.evaluation.metrics import classification_metrics, error_if_calibrated, wilson_interval
from sentiment.evaluation.predictions import LabeledPredictions, collect_predictions
from sentiment.evaluation.slices import properties, slices
from sentiment.io.progress import step
from sentiment.persistence.checkpoint import replace_figures
from sentiment.persistence.model_card import model_card

logger = logging.getLogger(__name__)

NO_BASELINES = "not requested; leave out --quick or --no-baselines to see them"
NO_CHECKLIST = "not requested; leave out --quick to see them"
"""Why a part of the evaluation is left out."""
PACKAGES = ("sentiment-rnn", "torch", "torchtext", "datasets", "scikit-learn", "scipy", "numpy")


@dataclass(frozen=True)
class EvaluationConfig:
    """Which model to evaluate, on which reviews, and what to compare it with."""

    data: DataConfig
    """Labeled reviews."""
    split: str = "test"
    """Split of `data`; ignored if `data` is a single file."""
    model: str | None = None
    """Model directory or hub id; None for the shipped model."""
    device: str = "cpu"
    """Device of this model and of the models in `compare`: "cpu", "cuda" or another torch device."""
    threads: int | None = None
    """Batches of reviews to compute at a time on the CPU; None for one per CPU that this process may use."""
    train_data: str | None = None
    """Source of the baselines' training reviews; None takes the train split of `data`, if there is one."""
    baselines: bool = True
    """Whether to fit baselines."""
    checklist: bool = True
    """Whether to run the behavior tests."""
    compare: tuple[str, ...] = ()
    """Other models to compare with, or the predictions.parquet files of their evaluations."""
    pairs: Path | None = None
    """File of contrast pairs."""
    cache: Path | None = None
    """Directory for cached predictions of the baselines; None caches nothing."""


@dataclass(frozen=True)
class EvaluationResult:
    """A model, its predictions, and all metrics."""

    classifier: SentimentClassifier
    predictions: LabeledPredictions
    baselines: Sequence[ComparedModel]
    compared: Sequence[ComparedModel]
    metrics: dict[str, Any]
    """Content of metrics.json."""


def evaluate(config: EvaluationConfig) -> EvaluationResult:
    """Load the model and the reviews, predict each text once, compute all metrics.

    Raises:
        InputError: if the model, the reviews or another file cannot be used.
        RunError: if the hub cannot be reached.
    """
    classifier = SentimentClassifier.from_pretrained(config.model, config.device, threads=config.threads)
    logger.info("evaluating %s on %s", classifier.name, config.data.source)
    with step(f"reading {config.data.source}", lasting=False):
        reviews = load_reviews(config.data, config.split)
    pairs = None if config.pairs is None else load_pairs(config.pairs, config.data.on_bad_row)
    train, left_out = _training_reviews(config)
    predictions = collect_predictions(
        classifier, list(reviews["text"]), list(reviews["label"]), list(reviews["row"])
    ).with_label()
    if (without_words := len(reviews) - len(predictions.labels)) > 0:
        logger.warning("%s: %d reviews without words are left out.", config.data.source, without_words)
    cases = checklist.cases() if config.checklist else []
    extra_texts = list(dict.fromkeys(checklist.texts(cases) + ([] if pairs is None else pairs.texts)))
    extra: dict[str, float] = {}
    if extra_texts:
        parts = (["behavior tests"] if cases else []) + ([] if pairs is None else ["contrast pairs"])
        logger.info("predicting the %s", " and ".join(parts))
        probabilities = classifier.predict_proba(extra_texts, show_progress=True)[:, 1]
        extra = dict(zip(extra_texts, probabilities.tolist(), strict=True))
    baselines = [] if train is None else fit_baselines(train, predictions.texts, extra_texts, config.cache)
    compared = [load_compared_model(source, predictions, config.device) for source in config.compare]
    with step("computing the metrics", lasting=False):
        metrics = (
            classification_metrics(predictions.labels, predictions.probabilities)
            | _provenance(config, classifier, predictions, train)
            | {
                "calibration": calibration_metrics(predictions, classifier),
                "uncertain": uncertainty_metrics(predictions, classifier),
            }
            | {"baselines": [baseline.compare_with(predictions) for baseline in baselines]}
            | ({"baselines_left_out": left_out} if left_out else {})
            | ({"compared": [model.compare_with(predictions) for model in compared]} if compared else {})
            | {
                "slices": slice_metrics(predictions, classifier),
                "checklist": _checklist_metrics(cases, extra, baselines),
            }
            | ({} if config.checklist else {"checklist_left_out": NO_CHECKLIST})
            | ({} if pairs is None else {"pairs": _pair_metrics(pairs, extra, baselines)})
        )
    return EvaluationResult(classifier, predictions, baselines, compared, metrics)


def update_model(result: EvaluationResult, directory: Path) -> None:
    """Write the metrics to the model directory: its metrics.json, and the model card made from them.

    Raises:
        RunError: if a file cannot be written.
    """
    checkpoint = result.classifier.checkpoint
    training = {name: checkpoint.metrics[name] for name in ("training",) if name in checkpoint.metrics}
    measured = replace(checkpoint, metrics=result.metrics | training)
    replace_figures(directory, measured.metrics, model_card(measured))


def _training_reviews(config: EvaluationConfig) -> tuple[Dataset | None, str]:
    """Training reviews for the baselines, or None and the reason."""
    if not config.baselines:
        return None, NO_BASELINES
    source = config.data.source if config.train_data is None else config.train_data
    if config.train_data is None and (config.split == "train" or not has_splits(config.data)):
        return None, "no training reviews were given; name them with --train-data"
    try:
        with step(f"reading the training reviews of {source}, for the baselines"):
            train = load_reviews(replace(config.data, source=source), "train")
    except InputError:
        if config.train_data is not None:
            raise
        return None, f"{source} has no readable train split; name training reviews with --train-data"
    check_both_classes(train["label"], f"{source} (train)")
    return train, ""


def _provenance(
    config: EvaluationConfig, classifier: SentimentClassifier, predictions: LabeledPredictions, train: Dataset | None
) -> dict[str, Any]:
    """Model, data, versions and machine: everything needed to reproduce the evaluation."""
    train_texts = set() if train is None else set(train["text"])
    return {
        "model": config.model or f"shipped model ({SHIPPED_MODEL.name})",
        "model_sha256": classifier.checkpoint.digest(),
        "data": config.data.source,
        "split": config.split if has_splits(config.data) else None,
        "data_sha256": predictions.fingerprint,
        "also_in_training": None if train is None else sum(text in train_texts for text in predictions.texts),
        "truncated": sum(prediction.truncated for prediction in predictions.predictions),
        "versions": {name: version(name) for name in PACKAGES},
        "machine": {
            "python": platform.python_version(),
            "system": f"{platform.system()} {platform.machine()}",
            "cpus": os.cpu_count(),
            "device": str(classifier.device),
        },
    }


def calibration_metrics(predictions: LabeledPredictions, classifier: SentimentClassifier) -> dict[str, Any]:
    """Calibration error, Brier score and log loss (nats) before and after temperature scaling."""
    before = uncalibrated(predictions, classifier)
    names = ("ece", "brier", "log_loss")
    return {
        "temperature": classifier.temperature.whole,
        "temperature_slope": classifier.temperature.slope,
        "ece_if_perfect": error_if_calibrated(predictions.probabilities),
        "before": {name: classification_metrics(predictions.labels, before)[name] for name in names},
        "after": {name: classification_metrics(predictions.labels, predictions.probabilities)[name] for name in names},
    }


def uncalibrated(predictions: LabeledPredictions, classifier: SentimentClassifier) -> np.ndarray:
    """The probabilities [n] at temperature 1, computed from those that the classifier predicted."""
    tiny = np.finfo(np.float64).eps
    temperature = classifier.temperature.of(np.array([prediction.tokens for prediction in predictions.predictions]))
    before: np.ndarray = expit(logit(np.clip(predictions.probabilities, tiny, 1 - tiny)) * temperature)
    return before


def uncertainty_metrics(predictions: LabeledPredictions, classifier: SentimentClassifier) -> dict[str, Any]:
    """How many predictions are not uncertain, and how accurate those are."""
    confident = np.array([not prediction.uncertain for prediction in predictions.predictions])
    correct, answered = int(predictions.correct[confident].sum()), int(confident.sum())
    reasons = [prediction.reason for prediction in predictions.predictions if prediction.reason is not None]
    return {
        "confident_from": classifier.confident_from,
        "chosen_for_accuracy": classifier.checkpoint.calibration.get("confident_accuracy"),
        "answered_share": float(confident.mean()),
        "answered_accuracy": correct / answered if answered else None,
        "answered_accuracy_95": wilson_interval(correct, answered),
        "not_judged": {reason: reasons.count(reason) for reason in sorted(set(reasons))},
    }


def slice_metrics(predictions: LabeledPredictions, classifier: SentimentClassifier) -> list[dict[str, Any]]:
    """Accuracy by slice; reviews that the model truncated are a slice, too."""
    found = [properties(text, classifier.text.vocabulary) for text in predictions.texts]
    for families, prediction in zip(found, predictions.predictions, strict=True):
        families["truncation"] = "truncated" if prediction.truncated else "not truncated"
    return [asdict(row) for row in slices(found, predictions.correct)]


def _checklist_metrics(
    cases: Sequence[checklist.Case], extra: dict[str, float], baselines: Sequence[ComparedModel]
) -> list[dict[str, Any]]:
    """Each test's outcome, with the number of failures of each linear baseline."""
    rows = [asdict(outcome) for outcome in checklist.outcomes(cases, extra)]
    for baseline in baselines[1:]:
        for row, outcome in zip(rows, checklist.outcomes(cases, baseline.extra), strict=True):
            row.setdefault("baseline_failures", {})[baseline.name] = outcome.failures
    return rows


def _pair_metrics(pairs: Pairs, extra: dict[str, float], baselines: Sequence[ComparedModel]) -> dict[str, Any]:
    return evaluate_pairs(pairs, extra) | {
        "baselines": [{"name": baseline.name} | evaluate_pairs(pairs, baseline.extra) for baseline in baselines[1:]]
    }
