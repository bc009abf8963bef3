"""An evaluation: one model, labelled reviews, and everything that a sceptic asks about the two."""

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

from sentiment import behaviour
from sentiment.card import model_card
from sentiment.checkpoint import replace_figures
from sentiment.classifier import SHIPPED_MODEL, SentimentClassifier
from sentiment.config import DataConfig
from sentiment.data import check_both_classes, load_reviews
from sentiment.errors import InputError
from sentiment.evaluation import classification_metrics, error_if_calibrated, wilson_interval
from sentiment.gathering import Answers, gather
from sentiment.pairs import Pairs, judge_pairs, read_pairs
from sentiment.rivals import Rival, compared_model, fitted_baselines
from sentiment.slices import properties, slices

PACKAGES = ("sentiment-rnn", "torch", "torchtext", "datasets", "scikit-learn", "scipy", "numpy")


@dataclass(frozen=True)
class Question:
    """What is evaluated on what."""

    data: DataConfig
    """Labelled reviews."""
    split: str = "test"
    """Split of `data`; a file is its own split."""
    model: str | None = None
    """Model directory or hub id; None for the shipped model."""
    device: str = "cpu"
    """Where this model and those of `compare` compute."""
    train_data: str | None = None
    """Where the baselines' training reviews come from; None takes the training split of `data`, if there is one."""
    baselines: bool = True
    """Whether baselines are fitted at all."""
    compare: tuple[str, ...] = ()
    """Further models, or predictions.parquet files of their evaluations."""
    pairs: Path | None = None
    """File of minimally edited pairs."""
    cache: Path | None = None
    """Where answers of baselines are kept."""


@dataclass(frozen=True)
class Assessment:
    """Everything that was measured."""

    classifier: SentimentClassifier
    answers: Answers
    baselines: Sequence[Rival]
    compared: Sequence[Rival]
    metrics: dict[str, Any]
    """The content of metrics.json."""


def assess(question: Question) -> Assessment:
    """Load, ask once, compute.

    Raises:
        InputError: for a model, reviews or files that cannot be used.
        RunError: if the hub cannot be reached.
    """
    classifier = SentimentClassifier.from_pretrained(question.model, question.device)
    reviews = load_reviews(question.data, question.split)
    pairs = None if question.pairs is None else read_pairs(question.pairs)
    train, left_out = _training_reviews(question)
    answers = gather(classifier, list(reviews["text"]), list(reviews["label"]))
    cases = behaviour.cases()
    others = list(dict.fromkeys(behaviour.texts(cases) + ([] if pairs is None else pairs.texts)))
    said = dict(zip(others, classifier.predict_proba(others)[:, 1].tolist(), strict=True))
    baselines = [] if train is None else fitted_baselines(train, reviews, others, question.cache)
    compared = [compared_model(place, answers, question.device) for place in question.compare]
    metrics = (
        classification_metrics(answers.labels, answers.probabilities)
        | _described(question, classifier, answers, train)
        | {"calibration": calibration_figures(answers, classifier), "uncertain": uncertain_figures(answers, classifier)}
        | {"baselines": [rival.against(answers) for rival in baselines]}
        | ({"baselines_left_out": left_out} if left_out else {})
        | ({"compared": [rival.against(answers) for rival in compared]} if compared else {})
        | {"slices": slice_figures(answers, classifier), "behaviour": _behaviour_figures(cases, said, baselines)}
        | ({} if pairs is None else {"pairs": _pair_figures(pairs, said, baselines)})
    )
    return Assessment(classifier, answers, baselines, compared, metrics)


def update_model(assessment: Assessment, directory: Path) -> None:
    """Make the figures those of the model directory: its metrics.json, and the card made of them.

    Raises:
        RunError: if it cannot be written.
    """
    checkpoint = assessment.classifier.checkpoint
    training = {name: checkpoint.metrics[name] for name in ("training",) if name in checkpoint.metrics}
    measured = replace(checkpoint, metrics=assessment.metrics | training)
    replace_figures(directory, measured.metrics, model_card(measured))


def _training_reviews(question: Question) -> tuple[Dataset | None, str]:
    """Training reviews for the baselines, or why there are none."""
    if not question.baselines:
        return None, "not asked for"
    source = question.data.source if question.train_data is None else question.train_data
    if question.train_data is None and (question.split == "train" or Path(source).is_file()):
        return None, "no training reviews beside these; name them with --train-data"
    try:
        train = load_reviews(replace(question.data, source=source), "train")
    except InputError:
        if question.train_data is not None:
            raise
        return None, f"{source} has no training split that can be read; name one with --train-data"
    check_both_classes(train["label"], f"{source} (train)")
    return train, ""


def _described(
    question: Question, classifier: SentimentClassifier, answers: Answers, train: Dataset | None
) -> dict[str, Any]:
    """What was evaluated on what, with what, so that it can be done again."""
    seen = set() if train is None else set(train["text"])
    return {
        "model": question.model or f"shipped model ({SHIPPED_MODEL.name})",
        "model_sha256": classifier.checkpoint.digest(),
        "data": question.data.source,
        "split": None if Path(question.data.source).is_file() else question.split,
        "data_sha256": answers.fingerprint,
        "also_in_training": None if train is None else sum(text in seen for text in answers.texts),
        "truncated": sum(prediction.truncated for prediction in answers.predictions),
        "versions": {name: version(name) for name in PACKAGES},
        "machine": {
            "python": platform.python_version(),
            "system": f"{platform.system()} {platform.machine()}",
            "cpus": os.cpu_count(),
            "device": str(classifier.device),
        },
    }


def calibration_figures(answers: Answers, classifier: SentimentClassifier) -> dict[str, Any]:
    """Calibration before and after the temperature."""
    before = uncalibrated(answers.probabilities, classifier.temperature)
    figures = ("ece", "brier", "log_loss")
    return {
        "temperature": classifier.temperature,
        "ece_if_perfect": error_if_calibrated(answers.probabilities),
        "before": {name: classification_metrics(answers.labels, before)[name] for name in figures},
        "after": {name: classification_metrics(answers.labels, answers.probabilities)[name] for name in figures},
    }


def uncalibrated(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """The probabilities that a temperature of 1 would have given."""
    tiny = np.finfo(np.float64).eps
    before: np.ndarray = expit(logit(np.clip(probabilities, tiny, 1 - tiny)) * temperature)
    return before


def uncertain_figures(answers: Answers, classifier: SentimentClassifier) -> dict[str, Any]:
    """What the answers that are not called uncertain are worth."""
    sure = np.array([not prediction.uncertain for prediction in answers.predictions])
    right = int(answers.correct[sure].sum())
    reasons = [prediction.reason for prediction in answers.predictions if prediction.reason is not None]
    return {
        "confident_from": classifier.confident_from,
        "chosen_for_accuracy": classifier.checkpoint.calibration.get("confident_accuracy"),
        "answered_share": float(sure.mean()),
        "answered_accuracy": right / int(sure.sum()) if sure.any() else None,
        "answered_accuracy_95": wilson_interval(right, int(sure.sum())),
        "not_judged": {reason: reasons.count(reason) for reason in sorted(set(reasons))},
    }


def slice_figures(answers: Answers, classifier: SentimentClassifier) -> list[dict[str, Any]]:
    """Accuracy by kind of review; where a model cuts long reviews, those it cut are a slice too."""
    found = [properties(text, classifier.text.vocabulary) for text in answers.texts]
    for kind, prediction in zip(found, answers.predictions, strict=True):
        kind["read"] = "in part (over the length limit)" if prediction.truncated else "whole"
    return [asdict(row) for row in slices(found, answers.correct)]


def _behaviour_figures(
    cases: Sequence[behaviour.Case], said: dict[str, float], baselines: Sequence[Rival]
) -> list[dict[str, Any]]:
    """Each test's outcome, and the failure rate of each linear baseline beside it."""
    rows = [asdict(outcome) for outcome in behaviour.outcomes(cases, said)]
    for rival in baselines[1:]:
        for row, theirs in zip(rows, behaviour.outcomes(cases, rival.others), strict=True):
            row.setdefault("baseline_failures", {})[rival.name] = theirs.failures
    return rows


def _pair_figures(pairs: Pairs, said: dict[str, float], baselines: Sequence[Rival]) -> dict[str, Any]:
    return judge_pairs(pairs, said) | {
        "baselines": [{"name": rival.name} | judge_pairs(pairs, rival.others) for rival in baselines[1:]]
    }
