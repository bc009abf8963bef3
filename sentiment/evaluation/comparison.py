"""Compare a model with others on the same reviews: baselines, other models, or saved predictions."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset

from sentiment.classifier import SentimentClassifier
from sentiment.config import DataConfig
from sentiment.data.loading import check_both_classes, load_reviews, tokenize_texts
from sentiment.evaluation import checklist
from sentiment.evaluation.baselines import BASELINES, baseline_logits
from sentiment.evaluation.metrics import classification_metrics, paired_comparison
from sentiment.evaluation.predictions import LabeledPredictions, collect_predictions, read_predictions
from sentiment.inference.postprocessing import is_positive, probability
from sentiment.io.cache import cache_directory
from sentiment.io.progress import step

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ComparedModel:
    """Predictions of a baseline or another model for the evaluated reviews.

    Attributes:
        name: name of the baseline, or the model's directory, hub id or file.
        probabilities: [n], of positive, 0 to 1.
        extra: probability of positive of each other text (behavior tests, contrast pairs).
    """

    name: str
    probabilities: np.ndarray
    extra: Mapping[str, float]

    def compare_with(self, predictions: LabeledPredictions) -> dict[str, Any]:
        """Metrics of this model, and how the evaluated model's `predictions` differ (`paired_comparison`)."""
        correct = is_positive(self.probabilities) == (predictions.labels == 1)
        metrics = classification_metrics(predictions.labels, self.probabilities)
        return {"name": self.name} | metrics | paired_comparison(predictions.correct, correct)


def fit_baselines(
    train: Dataset, reviews: Sequence[str], extra_texts: Sequence[str], cache: Path | None
) -> list[ComparedModel]:
    """Fit all baselines on training reviews and predict with them.

    Args:
        train: reviews with `text` and `label`; both labels must occur.
        reviews: the evaluated reviews.
        extra_texts: other texts to predict.
        cache: see `baseline_logits`.
    """
    with step(f"tokenizing {len(train):,} training reviews"):
        documents = tokenize_texts(train["text"])
        labels = list(train["label"])
        evaluated = tokenize_texts(reviews)
        documents_to_predict = evaluated + tokenize_texts(extra_texts)
    models = []
    for name in BASELINES:
        probabilities = probability(baseline_logits(name, documents, labels, documents_to_predict, cache), 1.0)
        extra = dict(zip(extra_texts, probabilities[len(evaluated) :].tolist(), strict=True))
        models.append(ComparedModel(name, probabilities[: len(evaluated)], extra))
    return models


def load_compared_model(source: str, predictions: LabeledPredictions, device: str) -> ComparedModel:
    """Predictions of another model (directory or hub id), or those in a predictions.parquet for the same reviews.

    Raises:
        InputError: if there is no such model, or the file holds predictions for other reviews.
    """
    if Path(source).is_file():
        return ComparedModel(source, read_predictions(Path(source), predictions), {})
    classifier = SentimentClassifier.from_pretrained(source, device)
    logger.info("comparing with %r", classifier)
    others = collect_predictions(classifier, predictions.texts, predictions.labels.tolist())
    return ComparedModel(source, others.probabilities, {})


def evaluate_checklist(
    classifier: SentimentClassifier, train_data: DataConfig | None
) -> dict[str, list[checklist.Outcome]]:
    """Run the behavior tests on a model and, if training reviews are given, on the linear baselines.

    Raises:
        InputError: if the training reviews cannot be read.
    """
    cases = checklist.cases()
    texts = checklist.texts(cases)
    probabilities = classifier.predict_proba(texts, show_progress=True)[:, 1]
    predicted = {"model": dict(zip(texts, probabilities.tolist(), strict=True))}
    if train_data is not None:
        with step(f"reading {train_data.source}"):
            train = load_reviews(train_data, "train")
        check_both_classes(train["label"], f"{train_data.source} (train)")
        baselines = fit_baselines(train, [], texts, cache_directory())[1:]
        predicted |= {baseline.name: dict(baseline.extra) for baseline in baselines}
    return {name: checklist.outcomes(cases, probabilities) for name, probabilities in predicted.items()}
