"""Others on the same reviews: baselines fitted on the training part, further models, former predictions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset

from sentiment import behaviour
from sentiment.answer_cache import default_cache
from sentiment.baselines import BASELINES, baseline_logits
from sentiment.classifier import SentimentClassifier
from sentiment.config import DataConfig
from sentiment.data import check_both_classes, load_reviews, tokenise_reviews
from sentiment.decision import is_positive, probability
from sentiment.evaluation import classification_metrics, paired_comparison
from sentiment.gathering import Answers, gather, read_predictions
from sentiment.text import normalise, tokenise


@dataclass(frozen=True)
class Rival:
    """Another reader of the evaluated reviews.

    Attributes:
        name: what it is.
        probabilities: [n] of positive.
        others: probability of positive of each further text that was asked (behaviour tests, pairs).
    """

    name: str
    probabilities: np.ndarray
    others: Mapping[str, float]

    def against(self, answers: Answers) -> dict[str, Any]:
        """Its figures, and the evaluated model's difference from it (`paired_comparison`)."""
        correct = is_positive(self.probabilities) == (answers.labels == 1)
        figures = classification_metrics(answers.labels, self.probabilities)
        return {"name": self.name} | figures | paired_comparison(answers.correct, correct)


def fitted_baselines(train: Dataset, reviews: Dataset | None, others: Sequence[str], cache: Path | None) -> list[Rival]:
    """The baselines, fitted on training reviews.

    Args:
        train: reviews with `text` and `label`, both classes among them.
        reviews: the reviews that are evaluated; None for none.
        others: further texts to ask.
        cache: see `baseline_logits`.
    """
    documents = list(tokenise_reviews(train)["tokens"])
    labels = list(train["label"])
    evaluated = [] if reviews is None else list(tokenise_reviews(reviews)["tokens"])
    questions = evaluated + [" ".join(tokenise(normalise(text))) for text in others]
    rivals = []
    for name in BASELINES:
        probabilities = probability(baseline_logits(name, documents, labels, questions, cache), 1.0)
        asked = dict(zip(others, probabilities[len(evaluated) :].tolist(), strict=True))
        rivals.append(Rival(name, probabilities[: len(evaluated)], asked))
    return rivals


def compared_model(place: str, answers: Answers, device: str) -> Rival:
    """Another model (directory or hub id), or a predictions.parquet of an evaluation on the same reviews.

    Raises:
        InputError: if there is no such model, or the file answers other reviews.
    """
    if Path(place).is_file():
        return Rival(place, read_predictions(Path(place), answers), {})
    classifier = SentimentClassifier.from_pretrained(place, device)
    return Rival(place, gather(classifier, answers.texts, answers.labels.tolist()).probabilities, {})


def behaviour_of_all(
    classifier: SentimentClassifier, train_data: DataConfig | None
) -> dict[str, list[behaviour.Outcome]]:
    """Behaviour tests of a model and, where training reviews are named, of the linear baselines.

    Raises:
        InputError: if the training reviews cannot be read.
    """
    cases = behaviour.cases()
    texts = behaviour.texts(cases)
    said = {"model": dict(zip(texts, classifier.predict_proba(texts)[:, 1].tolist(), strict=True))}
    if train_data is not None:
        train = load_reviews(train_data, "train")
        check_both_classes(train["label"], f"{train_data.source} (train)")
        said |= {rival.name: dict(rival.others) for rival in fitted_baselines(train, None, texts, default_cache())[1:]}
    return {name: behaviour.outcomes(cases, probabilities) for name, probabilities in said.items()}
