"""Adapt a trained model to other reviews, as far as these justify it.

Cross-validation on the reviews chooses how much changes: nothing, scale and bias of the logit, the head
(`sentiment.adaptation.head`), or the upper layers (`sentiment.adaptation.layers`). The model stays as it was unless a
change clearly helps. The temperature and the limit of uncertain answers come from the same out-of-fold answers, so that
all reviews count.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from tqdm import tqdm

from sentiment.adaptation.cross_validation import MANY, Change, Fold, compare, make_folds
from sentiment.adaptation.head import HeadChange, head_changes
from sentiment.adaptation.layers import LayersChange, Training, layers_changes, named
from sentiment.adaptation.movies import MovieScores, made_up_reviews, read_movies
from sentiment.adaptation.new_words import unknown_words, with_new_words
from sentiment.classifier import SentimentClassifier
from sentiment.config import AdaptConfig
from sentiment.config_reader import config_from_settings
from sentiment.data.batching import EncodedReviews
from sentiment.data.loading import comparable
from sentiment.data.splitting import linked_rows
from sentiment.errors import InputError
from sentiment.evaluation.calibration import confident_from, fit_bands, fit_temperature, smoothed
from sentiment.evaluation.metrics import classification_metrics
from sentiment.inference.encoding import encode_texts
from sentiment.inference.postprocessing import probability
from sentiment.integrations.features import FeatureExtractor
from sentiment.io.files import read_json, write_json
from sentiment.io.progress import review_bar
from sentiment.io.signals import Stopped
from sentiment.persistence.checkpoint import Checkpoint
from sentiment.persistence.model_card import model_card
from sentiment.training.hardware import Hardware
from sentiment.training.run import has_state, open_run

AS_IT_WAS = "nothing"
KEPT_SHARE = 0.3
"""Weight of the old parameters in the average, for a model that is to keep what it knows of movies."""
BAND_REVIEWS = 200
"""Fewest reviews for which the limit of uncertain answers is fitted anew."""


@dataclass(frozen=True)
class Adaptation:
    """An adapted model, and why it is as it is."""

    classifier: SentimentClassifier
    changes: list[Change]
    """All that were tried; the first is the model as it was."""
    chosen: Change
    own_band: bool
    """Whether the limit of uncertain answers comes from these reviews."""
    unknown: tuple[int, int]
    """Tokens of the reviews that are not in the vocabulary: of the model as it was, and of the adapted one."""
    movies: tuple[MovieScores, MovieScores] | None
    """What both say of movie reviews; None unless `keep_imdb` is set."""


def adapt(
    classifier: SentimentClassifier,
    texts: Sequence[str],
    labels: Sequence[int],
    config: AdaptConfig,
    unlabeled: Sequence[str] = (),
    resume: bool = False,
) -> Adaptation:
    """Adapt a model to labeled reviews; the model itself does not change.

    The states of the training are in the directory `run_directory`, which can be deleted afterwards.

    Args:
        classifier: the model.
        texts: n reviews; those without words are left out.
        labels: their labels, 0 or 1.
        config: settings of the training; the source is for the model card.
        unlabeled: further reviews of the same kind.
        resume: continue a stopped run.

    Raises:
        TypeError: if `texts` is a string, or a review is not a string.
        InputError: if fewer than four different reviews with words have one of the labels, or a label is not 0 or 1, or
            there are not as many labels as reviews; if the directory holds a run, and `resume` is false, or that run
            has other settings or reviews.
        RunError: if training fails.
        Stopped: after SIGINT or SIGTERM.
    """
    _check(texts, labels, unlabeled)
    hardware, directory = Hardware.choose(config.run.device, config.run.precision), run_directory(config)
    run = replace(config, run=replace(config.run, output_dir=str(directory)))
    encoded = encode_texts(classifier.text, texts)
    kept = np.flatnonzero(encoded.has_words)
    targets = np.asarray(labels, dtype=np.int64)[kept]
    texts = [texts[row] for row in kept.tolist()]
    folds = make_folds(targets, linked_rows([comparable(text) for text in texts]))
    with open_run(run, hardware, resume):
        _check_same(directory, texts, targets, unlabeled)
        return _adapted(classifier, texts, targets, folds, config, unlabeled, hardware, directory / "state")


def adapt_at_once(
    classifier: SentimentClassifier,
    texts: Sequence[str],
    labels: Sequence[int],
    source: str,
    unlabeled: Sequence[str] = (),
) -> Adaptation:
    """Adapt a model with the settings that follow from the number of reviews; a stopped run cannot be resumed.

    Args:
        classifier: the model.
        texts: see `adapt`.
        labels: see `adapt`.
        source: where the reviews are from, for the model card.
        unlabeled: see `adapt`.

    Raises:
        TypeError, InputError, RunError: see `adapt`.
        Stopped: after SIGINT or SIGTERM.
    """
    with TemporaryDirectory() as directory:
        settings = settings_for(len(texts)) | {"run.output_dir": f"{directory}/model", "data.source": source}
        settings |= {"run.device": classifier.device.type, "run.threads": classifier.threads}
        config = config_from_settings(AdaptConfig, settings, "adaptation")
        try:
            return adapt(classifier, texts, labels, config, unlabeled)
        except Stopped as stopped:
            raise Stopped(stopped.signal_number, "stopped before the model was adapted.") from None


def settings_for(reviews: int, keep_imdb: bool = False) -> dict[str, Any]:
    """{setting: value} of those that follow from the number of reviews, and from whether movie reviews are to be kept.

    With many, one pass is enough, and larger batches take less time. A share of the old weights is to forget less.
    """
    settings: dict[str, Any] = {"optimization.epochs": 1, "batch_reviews": 32} if reviews >= MANY else {}
    return settings | ({"optimization.start_share": KEPT_SHARE} if keep_imdb else {})


def run_directory(config: AdaptConfig) -> Path:
    """Directory of the run, beside that of the model."""
    return Path(f"{Path(config.run.output_dir)}.run")  # without a slash at the end


def _adapted(
    classifier: SentimentClassifier,
    texts: list[str],
    targets: np.ndarray,
    folds: list[Fold],
    config: AdaptConfig,
    unlabeled: Sequence[str],
    hardware: Hardware,
    directory: Path,
) -> Adaptation:
    checkpoint = classifier.checkpoint
    tokens = [classifier.text.tokenize(text) for text in [*texts, *unlabeled]]
    start = with_new_words(checkpoint, unknown_words(classifier.text.vocabulary, tokens))
    with review_bar(len(texts), "read") as bar:
        found = FeatureExtractor(checkpoint, classifier.device, classifier.precision)(texts, bar.update)
    changes: dict[str, HeadChange | LayersChange] = dict(head_changes(checkpoint, found, targets))
    with tqdm(unit="tok", unit_scale=True, desc="train", mininterval=1) as bar:
        encoded = encode_texts(start.text, texts)
        reviews = encoded.reviews.labeled(targets)
        movies = made_up_reviews(classifier, start.text, len(texts)) if config.keep_imdb else EncodedReviews([])
        more = encode_texts(start.text, unlabeled).reviews
        shared = Training(start, reviews, movies, more, config, hardware, directory, bar)
        layers = layers_changes(shared)
        changes |= layers
        bar.total = sum(change.tokens(named(folds)) for change in layers.values())
        tested = np.sort(np.concatenate([fold.held_out for fold in folds]))
        log_odds, temperatures = {AS_IT_WAS: found.log_odds[tested]}, {}
        for name, change in changes.items():
            logits = change.out_of_fold(folds)[tested]
            temperatures[name] = fit_temperature(logits, smoothed(targets[tested]))
            log_odds[name] = logits / temperatures[name]
        rows = compare(log_odds, targets[tested])
        best = min(rows, key=lambda change: change.log_loss)
        chosen = best if best.clear else rows[0]
        if chosen.name in layers:
            bar.total += layers[chosen.name].tokens_of_last(folds)
        if chosen.name in changes:
            checkpoint = changes[chosen.name].changed(folds)
            calibration = {"temperature": temperatures[chosen.name], "temperature_slope": 0.0}
            checkpoint = replace(checkpoint, calibration=checkpoint.calibration | calibration)
    probabilities, own_band = probability(log_odds[chosen.name], 1.0), len(tested) >= BAND_REVIEWS
    if own_band:
        checkpoint = _with_band(checkpoint, probabilities, targets[tested])
    metrics = classification_metrics(targets[tested], probabilities)
    metrics |= {"split": "cross-validation" if len(folds) > 1 else "held-out reviews", "adapted_reviews": len(texts)}
    checkpoint = _described(checkpoint, metrics, config.data.source)
    adapted = SentimentClassifier(checkpoint, classifier.device, classifier.precision, classifier.threads)
    adapted.settings = classifier.settings
    before = encode_texts(classifier.text, texts).unknown_tokens
    after = encoded.unknown_tokens if chosen.name in layers else before
    read = (read_movies(classifier), read_movies(adapted)) if config.keep_imdb else None
    return Adaptation(adapted, rows, chosen, own_band, (int(before.sum()), int(after.sum())), read)


def _with_band(checkpoint: Checkpoint, probabilities: np.ndarray, labels: np.ndarray) -> Checkpoint:
    """The model with the limit of uncertain answers that these answers give."""
    wanted = checkpoint.calibration["confident_accuracy"]
    band = {
        "confident_from": confident_from(probabilities, labels, wanted),
        "bands": fit_bands(probabilities, labels),
    }
    return replace(checkpoint, calibration=checkpoint.calibration | band)


def _described(checkpoint: Checkpoint, metrics: dict[str, Any], source: str) -> Checkpoint:
    """The model with its metrics and card."""
    metrics |= {"data": source}
    if "training" in checkpoint.metrics:  # what the network had learned from
        metrics["training"] = checkpoint.metrics["training"]
    checkpoint = replace(checkpoint, metrics=metrics)
    return checkpoint.with_card(model_card(checkpoint))


def _check_same(directory: Path, texts: Sequence[str], labels: np.ndarray, unlabeled: Sequence[str]) -> None:
    """Record which reviews a run is for.

    Raises:
        InputError: if it was started with others.
    """
    file, digest = directory / "reviews.json", hashlib.sha256()
    for part in (texts, map(str, labels.tolist()), unlabeled):
        digest.update(json.dumps([*part]).encode())
    now = {"sha256": digest.hexdigest()}
    if file.exists() and has_state(directory) and read_json(file) != now:
        raise InputError(f"{directory}: was started with other reviews; delete it, or choose another output.")
    write_json(file, now)


def _check(texts: Sequence[str], labels: Sequence[int], unlabeled: Sequence[str]) -> None:
    for name, reviews in (("texts", texts), ("unlabeled", unlabeled)):
        if isinstance(reviews, str):
            raise TypeError(f"{name} is a string; give a list of reviews.")
        for position, text in enumerate(reviews):
            if not isinstance(text, str):
                raise TypeError(f"review {position} of {name} is of type {type(text).__name__}; give a string.")
    if len(texts) != len(labels):
        raise InputError(f"{len(texts):,} reviews, but {len(labels):,} labels; give a label for each review.")
    for position, label in enumerate(labels):
        if label not in (0, 1):
            raise InputError(f"label {position} is {label!r}; give 0 for negative and 1 for positive.")
