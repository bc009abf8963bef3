"""Supervised training of a classifier on labeled reviews, from scratch or from a pretrained model."""

import logging
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from torch import nn

from sentiment.config import ClassifierConfig, DataConfig, TrainConfig
from sentiment.data.augmentation import whole_sentences
from sentiment.data.batching import EncodedReviews
from sentiment.data.loading import load_reviews
from sentiment.data.splitting import Parts, read_parts, read_unlabeled
from sentiment.evaluation.calibration import Answers, fit_calibration
from sentiment.evaluation.metrics import classification_metrics
from sentiment.inference.postprocessing import Temperature, probability
from sentiment.inference.torch_network import predict_logits
from sentiment.models.lstm import SentimentRNN
from sentiment.models.sizing import build_network
from sentiment.persistence.checkpoint import Checkpoint, save_checkpoint
from sentiment.persistence.model_card import model_card
from sentiment.text.vocabulary import TextEncoder, build_vocabulary
from sentiment.training.hardware import Hardware
from sentiment.training.objective import build_objective
from sentiment.training.run import open_run
from sentiment.training.trainer import Trainer
from sentiment.training.warm_start import load_pretrained, warm_start

logger = logging.getLogger(__name__)

SENTENCES = 4
"""Most sentences drawn from a validation review, to calibrate short texts."""


def train(config: TrainConfig, resume: bool = False) -> list[dict[str, Any]]:
    """Train a classifier and save the model of its best epoch in `run.output_dir/model`.

    Args:
        config: all settings.
        resume: continue from the last saved state of the run directory.

    Returns:
        The history, one row per epoch.

    Raises:
        InputError: if the settings, reviews or run directory cannot be used.
        RunError: if training fails.
        Stopped: after SIGINT or SIGTERM, with the state saved.
    """
    hardware = Hardware.choose(config.run.device, config.run.precision, config.run.trackers)
    pretrained = None
    if config.pretrained is not None:
        pretrained = load_pretrained(config.pretrained, config.model, config.text.direction)
    with hardware.accelerator.main_process_first(), hardware.step(f"reading {config.data.source}"):
        parts = read_parts(config.data)
        wanted = config.adversarial.wants_unlabeled
        unlabeled = list(read_unlabeled(config.data, config.unlabeled_split, parts).documents) if wanted else []
    return train_on(config, hardware, parts, unlabeled, pretrained, resume)


def train_on(
    config: TrainConfig,
    hardware: Hardware,
    parts: Parts,
    unlabeled: list[str],
    pretrained: Checkpoint | None,
    resume: bool = False,
) -> list[dict[str, Any]]:
    """Train a classifier on reviews that are already loaded; otherwise like `train`.

    Args:
        config: all settings; those under `data` are only recorded.
        hardware: device and precision.
        parts: labeled training and validation reviews.
        unlabeled: tokenized reviews for virtual adversarial training and entropy minimization; ignored if the settings
            use neither.
        pretrained: language model or classifier to start from, and to take the vocabulary from; None starts from
            scratch.
        resume: continue from the last saved state of the run directory.
    """
    if pretrained is None:
        with hardware.step(f"building the vocabulary of {len(parts.train):,} reviews"):
            words = map(str.split, parts.train)
            vocabulary = build_vocabulary(words, config.text.vocab_size, config.text.min_frequency)
    else:
        vocabulary = pretrained.text.vocabulary
    text = TextEncoder(vocabulary, config.text.max_length, config.text.keep, config.text.direction)
    unlabeled_reviews = None
    with hardware.step(f"encoding {len(parts.train) + len(unlabeled):,} reviews"):
        train = EncodedReviews(map(text.encode_document, parts.train), parts.train_labels)
        if config.adversarial.wants_unlabeled:
            unlabeled_reviews = EncodedReviews(map(text.encode_document, parts.train + unlabeled))
    with open_run(config, hardware, resume) as directory:
        return fit_classifier(config, hardware, directory, text, train, parts, pretrained, unlabeled_reviews)


def fit_classifier(
    config: ClassifierConfig,
    hardware: Hardware,
    directory: Path,
    text: TextEncoder,
    train: EncodedReviews,
    parts: Parts,
    pretrained: Checkpoint | None,
    unlabeled: EncodedReviews | None = None,
) -> list[dict[str, Any]]:
    """Train a network and save its best epoch, calibrated on the validation part, in directory/model.

    Args:
        config: settings of the network and its optimization.
        hardware: device and precision.
        directory: the run directory.
        text: encodes the validation reviews; saved with the model.
        train: training reviews with their targets, 0 to 1.
        parts: contains the validation reviews that select the best epoch.
        pretrained: language model or classifier to start from (`load_pretrained`); None starts from scratch.
        unlabeled: reviews for virtual adversarial training and entropy minimization.

    Returns:
        The history, one row per epoch.
    """
    validation = EncodedReviews(map(text.encode_document, parts.validation), parts.validation_labels)
    short_texts = _short_texts(config, parts, text)
    device = hardware.accelerator.device
    objective = build_objective(config, train, validation, device, unlabeled)
    settings = {"vocab_size": len(text.vocabulary), **asdict(config.model)}
    torch.manual_seed(config.run.seed)
    model = build_network(SentimentRNN, settings)
    assert isinstance(model, SentimentRNN)
    if pretrained is not None:
        warm_start(model, pretrained, text.direction)

    def keep_best(best: nn.Module, metrics: dict[str, Any]) -> None:
        logits = objective.validation_logits
        with hardware.accelerator.autocast():
            short_logits = predict_logits(best, short_texts, device)
        calibration = fit_calibration(
            Answers(logits, validation.labels, validation.lengths),
            Answers(short_logits, short_texts.labels, short_texts.lengths),
            own_labels=bool(config.short_texts),
        )
        temperature = Temperature(calibration["temperature"], calibration["temperature_slope"])
        probabilities = probability(logits, temperature.of(validation.lengths))
        measured = classification_metrics(validation.labels, probabilities)
        measured |= {"data": config.data.source, "split": "validation part of train", "training": asdict(config)}
        checkpoint = Checkpoint("sentiment-rnn", settings, text, best.state_dict(), calibration, measured)
        save_checkpoint(checkpoint.with_card(model_card(checkpoint)), directory / "model")

    history = Trainer(model, objective, config.optimization, config.run, hardware, keep_best).fit()
    majority = float(max(np.mean(validation.labels), 1 - np.mean(validation.labels)))
    accuracy = max(row["accuracy"] for row in history)
    if accuracy <= majority and hardware.accelerator.is_main_process:
        logger.warning(
            f"the model has learned nothing: it is right on {accuracy:.1%} of the validation reviews, and so is who "
            f"always says the more frequent label ({majority:.1%}). Train longer or on more reviews, or start from a "
            "shipped model: sentiment adapt."
        )
    return history


def _short_texts(config: ClassifierConfig, parts: Parts, text: TextEncoder) -> EncodedReviews:
    """The labeled short texts of the configuration, or else some sentences of the validation reviews."""
    if config.short_texts:
        files = [load_reviews(DataConfig(source=file), "train") for file in config.short_texts]
        labels = [label for file in files for label in file["label"]]
        return EncodedReviews((text.encode(text.tokenize(one)) for file in files for one in file["text"]), labels)
    sentences: list[str] = []
    labels = []
    for row, (review, label) in enumerate(zip(parts.validation, parts.validation_labels, strict=True)):
        fitting = whole_sentences(review)
        drawn = Random(row).sample(fitting, min(SENTENCES, len(fitting)))
        sentences += drawn
        labels += [label] * len(drawn)
    return EncodedReviews(map(text.encode_document, sentences), labels)
