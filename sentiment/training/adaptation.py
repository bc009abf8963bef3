"""Adapt a trained model to other reviews: a new head on its network, as far as the reviews justify one.

Cross-validation on the reviews chooses how much changes: nothing, scale and bias of the logit, or the whole head, with
a penalty (`sentiment.training.head`). The model stays as it was unless a change clearly helps. The temperature and the
limit of uncertain answers come from the same out-of-fold answers, so that all reviews count.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from sentiment.classifier import SentimentClassifier
from sentiment.data.loading import comparable
from sentiment.data.splitting import linked_rows
from sentiment.errors import InputError
from sentiment.evaluation.calibration import confident_from, fit_bands, fit_temperature, smoothed
from sentiment.evaluation.metrics import classification_metrics, wilson_interval
from sentiment.inference.postprocessing import is_positive, probability
from sentiment.integrations.features import FeatureExtractor
from sentiment.io.progress import review_bar
from sentiment.models.surgery import with_linear
from sentiment.persistence.model_card import model_card
from sentiment.training.head import Fit, fit_linear, fit_scale

FOLDS, FEWER_FOLDS, MANY = 10, 3, 5000
"""Folds of the cross-validation; the fewer ones from MANY reviews on, where a fit takes seconds."""
FEWEST = 4
"""Fewest different reviews of each label."""
STRENGTHS = (0.3, 1.0, 3.0, 10.0)
"""Strengths of a new head, from the one that changes least."""
AS_IT_WAS = "nothing"
BAND_REVIEWS = 200
"""Reviews from which they themselves say which answers are uncertain; with fewer the old limit stays."""


@dataclass(frozen=True)
class Change:
    """What may change in a model, and how it does in cross-validation, on reviews that it was not fitted on."""

    name: str
    accuracy: float
    """0 to 1."""
    accuracy_95: Sequence[float]
    """Wilson interval."""
    log_loss: float
    """Mean, in nats."""
    gain: float
    """By how much the log loss is lower than that of the model as it was."""
    gain_error: float
    """Standard error of the gain."""
    reviews: int

    @property
    def clear(self) -> bool:
        """Whether the gain is more than chance: over 1 + 16 / reviews standard errors."""
        return self.gain > (1 + 16 / self.reviews) * self.gain_error


@dataclass(frozen=True)
class Adaptation:
    """An adapted model, and why it is as it is."""

    classifier: SentimentClassifier
    changes: list[Change]
    """All that were tried; the first is the model as it was."""
    chosen: Change
    own_band: bool
    """Whether the limit of uncertain answers comes from these reviews."""


def adapt(classifier: SentimentClassifier, texts: Sequence[str], labels: Sequence[int], source: str) -> Adaptation:
    """Adapt a model to labeled reviews; the model itself does not change.

    Args:
        classifier: the model.
        texts: n reviews; those without words are left out.
        labels: their labels, 0 or 1.
        source: where they are from, for the model card.

    Raises:
        TypeError: if `texts` is a string, or a review is not a string.
        InputError: if fewer than `FEWEST` different reviews with words have one of the labels, or a label is not 0 or
            1, or there are not as many labels as reviews.
        Stopped: after SIGINT or SIGTERM.
    """
    _check(texts, labels)
    extractor = FeatureExtractor(classifier.checkpoint, classifier.device, classifier.precision)
    with review_bar(len(texts), "read") as bar:
        found = extractor(texts, bar.update)
    kept = np.flatnonzero(found.has_words)
    found, targets = found.rows(kept.tolist()), np.asarray(labels, dtype=np.int64)[kept]
    units = linked_rows([comparable(texts[row]) for row in kept.tolist()])
    folds = _folds(targets, units)
    features, old = found.pooled.astype(np.float64), found.logits.astype(np.float64)
    fits: dict[str, Fit] = {"scale and bias": fit_scale}
    fits |= {f"head, strength {strength:g}": fit_linear(strength) for strength in STRENGTHS}
    log_odds, temperatures = {AS_IT_WAS: found.log_odds}, {}
    for name, fit in fits.items():
        logits = old.copy()
        for fitted, rest in folds:
            head = fit(features[fitted], old[fitted], targets[fitted])
            logits[rest] = head.logits(features[rest], old[rest])
        temperatures[name] = fit_temperature(logits, smoothed(targets))
        log_odds[name] = logits / temperatures[name]
    changes = _compared(log_odds, targets)
    best = min(changes, key=lambda change: change.log_loss)
    chosen = best if best.clear else changes[0]
    checkpoint, own_band = classifier.checkpoint, len(targets) >= BAND_REVIEWS
    calibration, probabilities = dict(checkpoint.calibration), probability(log_odds[chosen.name], 1.0)
    if chosen.name in fits:
        head = fits[chosen.name](features, old, targets)
        weights, settings = with_linear(
            checkpoint.weights, checkpoint.model_settings, head.scale, head.slopes, head.bias
        )
        checkpoint = replace(checkpoint, weights=weights, model_settings=settings)
        calibration |= {"temperature": temperatures[chosen.name], "temperature_slope": 0.0}
    if own_band:
        wanted = calibration["confident_accuracy"]
        calibration["confident_from"] = confident_from(probabilities, targets, wanted)
        calibration["bands"] = fit_bands(probabilities, targets)
    metrics = classification_metrics(targets, probabilities) | {"data": source, "split": "cross-validation"}
    metrics |= {"adapted_to": source}
    if "training" in checkpoint.metrics:  # what the network has learned from
        metrics["training"] = checkpoint.metrics["training"]
    checkpoint = replace(checkpoint, calibration=calibration, metrics=metrics)
    checkpoint = checkpoint.with_card(model_card(checkpoint))
    adapted = SentimentClassifier(checkpoint, classifier.device, classifier.precision, classifier.threads)
    return Adaptation(adapted, changes, chosen, own_band)


def _check(texts: Sequence[str], labels: Sequence[int]) -> None:
    if isinstance(texts, str):
        raise TypeError("texts is a string; give a list of reviews.")
    for position, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"review {position} is of type {type(text).__name__}; give a string.")
    if len(texts) != len(labels):
        raise InputError(f"{len(texts):,} reviews, but {len(labels):,} labels; give a label for each review.")
    for position, label in enumerate(labels):
        if label not in (0, 1):
            raise InputError(f"label {position} is {label!r}; give 0 for negative and 1 for positive.")


def _folds(labels: np.ndarray, units: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows to fit on and rows to predict; equal reviews are on one side.

    Raises:
        InputError: if there are too few reviews.
    """
    negative, positive = (len(set(units[labels == label])) for label in (0, 1))
    if min(negative, positive) < FEWEST:
        raise InputError(
            f"too few different reviews to adapt to: {negative} negative and {positive} positive; give at least "
            f"{FEWEST} of each."
        )
    folds = min(FOLDS if len(labels) < MANY else FEWER_FOLDS, negative, positive)
    splits = StratifiedGroupKFold(folds, shuffle=True, random_state=0).split(labels, labels, units)
    # equal reviews with unequal labels can leave a fold with one label, or empty
    return [(fitted, rest) for fitted, rest in splits if len(rest) and len(set(labels[fitted])) == 2]


def _compared(log_odds: dict[str, np.ndarray], labels: np.ndarray) -> list[Change]:
    """What each change does for out-of-fold answers, beside the first one."""
    signs, first, changes = np.where(labels == 1, 1.0, -1.0), None, []
    for name, answers in log_odds.items():
        losses = np.logaddexp(0, -signs * answers)
        first = losses if first is None else first
        gains = first - losses
        right = int((is_positive(probability(answers, 1.0)) == (labels == 1)).sum())
        changes.append(
            Change(
                name,
                right / len(labels),
                wilson_interval(right, len(labels)),
                float(losses.mean()),
                float(gains.mean()),
                float(gains.std(ddof=1) / np.sqrt(len(gains))),
                len(labels),
            )
        )
    return changes
