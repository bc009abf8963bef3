"""Distillation: one network learns an ensemble's answers to the unlabelled reviews (Hinton et al. 2015).

The teachers have seen the labelled reviews, so there the labels speak; on the unlabelled ones, the teachers'
probabilities do.
"""

from typing import Any

import numpy as np

from sentiment.batching import EncodedReviews
from sentiment.checkpoint import load_checkpoint
from sentiment.config import DistilConfig
from sentiment.crops import crops
from sentiment.data import load_reviews, read_parts, read_unlabelled, tokenise_reviews
from sentiment.decision import probability
from sentiment.ensemble import ensemble_logits
from sentiment.evaluation import classification_metrics
from sentiment.files import write_json
from sentiment.hardware import Hardware
from sentiment.model_directory import locate_model
from sentiment.run_directory import open_run, say
from sentiment.short_reviews import short_reviews
from sentiment.start import read_start
from sentiment.supervised import fit_classifier
from sentiment.text import TextEncoder, normalise, tokenise


def distil(config: DistilConfig, resume: bool = False) -> list[dict[str, Any]]:
    """Train a student; its best epoch lies in `run.output_dir/model` afterwards.

    Returns:
        The history, one row per epoch.

    Raises:
        InputError: for settings, reviews, teachers or a run directory that cannot be used.
        RunError: if the work fails on the way.
        Stopped: after SIGINT or SIGTERM, with the state saved.
    """
    hardware = Hardware.choose(config.run.device, config.run.precision)
    pretrained = read_start(config.pretrained, config.model, config.text.direction)
    for teacher in config.teachers:  # one that cannot be read is known now, not after the reviews
        load_checkpoint(locate_model(teacher), "sentiment-rnn")
    with hardware.accelerator.main_process_first():
        parts = read_parts(config.data)
        unlabelled = read_unlabelled(config.data, config.unlabelled_split, parts)[: config.unlabelled_reviews or None]
    unlabelled += crops(unlabelled, config.crops, config.run.seed)
    with open_run(config, hardware, resume) as directory:
        held_out, targets = ensemble_logits([*map(locate_model, config.teachers)], parts, unlabelled, hardware)
        metrics = classification_metrics(parts.validation_labels, probability(held_out, 1.0))
        say(f"teachers together: accuracy {metrics['accuracy']:.4f} on the validation part")
        write_json(directory / "teachers.json", {"teachers": config.teachers, **metrics})
        own = short_reviews(config.short_reviews, config.run.seed)
        documents = [*parts.train, *unlabelled, *(" ".join(tokenise(normalise(text))) for text, _ in own)]
        labels = np.concatenate([parts.train_labels, probability(targets, 1.0), [label for _, label in own]])
        text = TextEncoder(pretrained.text.vocabulary, config.text.max_length, config.text.keep, config.text.direction)
        train = EncodedReviews(map(text.encode_document, documents), labels)
        beside = train if config.adversarial.wants_unlabelled else None
        return fit_classifier(config, hardware, directory, text, train, parts, pretrained, beside)


def judge_teachers(config: DistilConfig, split: str) -> dict[str, Any]:
    """Metrics of the teachers together on a labelled split; their weights come from the validation part.

    Raises:
        InputError: for settings, reviews or teachers that cannot be used.
    """
    hardware = Hardware.choose(config.run.device, config.run.precision)
    parts, reviews = read_parts(config.data), load_reviews(config.data, split)
    documents = list(tokenise_reviews(reviews)["tokens"])
    _, logits = ensemble_logits([*map(locate_model, config.teachers)], parts, documents, hardware)
    return {
        "teachers": config.teachers,
        "split": split,
        **classification_metrics(reviews["label"], probability(logits, 1.0)),
    }
