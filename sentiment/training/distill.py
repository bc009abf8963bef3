"""Distillation: a student learns the predictions of an ensemble of teachers (Hinton et al. 2015).

For labeled reviews, the targets are the labels, since the teachers were trained on them. For all other texts, the
targets are the teachers' probabilities. These texts are unlabeled reviews, pieces of them, and copies in which the
words that decide are changed (`sentiment.data.counterfactuals`).
"""

import itertools
import logging
from typing import Any

import numpy as np

from sentiment.config import DistillConfig
from sentiment.data.augmentation import grammar_sentences
from sentiment.data.batching import EncodedReviews
from sentiment.data.loading import load_reviews
from sentiment.data.opinions import opinions
from sentiment.data.splitting import read_parts, read_unlabeled
from sentiment.data.texts import Texts
from sentiment.evaluation.metrics import classification_metrics
from sentiment.inference.postprocessing import probability
from sentiment.io.files import write_json
from sentiment.text.vocabulary import TextEncoder
from sentiment.training.finetune import fit_classifier
from sentiment.training.hardware import Hardware
from sentiment.training.run import open_run
from sentiment.training.teachers import ensemble_logits, load_teacher
from sentiment.training.transfer import transfer_texts
from sentiment.training.warm_start import load_pretrained

logger = logging.getLogger(__name__)


def distill(config: DistillConfig, resume: bool = False) -> list[dict[str, Any]]:
    """Train a student and save the model of its best epoch in `run.output_dir/model`.

    Args:
        config: all settings.
        resume: continue from the last saved state of the run directory.

    Returns:
        The history, one row per epoch.

    Raises:
        InputError: if the settings, reviews, teachers or run directory cannot be used.
        RunError: if training fails.
        Stopped: after SIGINT or SIGTERM, with the state saved.
    """
    hardware = Hardware.choose(config.run.device, config.run.precision, config.run.trackers)
    pretrained = load_pretrained(config.pretrained, config.model, config.text.direction)
    teachers = [load_teacher(name, hardware) for name in config.teachers]  # fail before the reviews are read
    with hardware.accelerator.main_process_first(), hardware.step(f"reading {config.data.source}"):
        parts = read_parts(config.data)
        unlabeled = read_unlabeled(config.data, config.unlabeled_split, parts)
    with open_run(config, hardware, resume) as directory:
        transfer = transfer_texts(config, parts, unlabeled, teachers, hardware)
        found = ensemble_logits(teachers, parts, transfer.texts, hardware)
        metrics = classification_metrics(parts.validation_labels, probability(found.validation, 1.0))
        logger.info(f"ensemble of teachers: accuracy {metrics['accuracy']:.4f} on the validation part")
        logits, kept = transfer.targets(found, config.transformer_share)
        logger.info(f"{kept.sum():,} of {len(kept):,} texts stay; of the other sentences the teachers disagree")
        texts = {"texts": len(kept), "texts_kept": int(kept.sum())}
        write_json(directory / "teachers.json", {"teachers": config.teachers, **texts, **metrics})
        written = grammar_sentences(config.grammar_sentences, config.run.seed)
        written += opinions(config.opinions, config.run.seed)
        documents = list(itertools.compress(transfer.texts.documents, kept))
        documents += Texts.tokenized(text for text, _ in written).documents
        labels = np.concatenate([probability(logits[kept], 1.0), [label for _, label in written]])
        if config.labeled:
            documents, labels = [*parts.train, *documents], np.concatenate([parts.train_labels, labels])
        text = TextEncoder(pretrained.text.vocabulary, config.text.max_length, config.text.keep, config.text.direction)
        with hardware.step(f"encoding {len(documents):,} reviews"):
            train = EncodedReviews(map(text.encode_document, documents), labels)
        unlabeled_reviews = train if config.adversarial.wants_unlabeled else None
        return fit_classifier(config, hardware, directory, text, train, parts, pretrained, unlabeled_reviews)


def evaluate_teachers(config: DistillConfig, split: str) -> dict[str, Any]:
    """Metrics of the ensemble of teachers on a labeled split; the teachers' weights come from the validation part.

    Raises:
        InputError: if the settings, reviews or teachers cannot be used.
    """
    hardware = Hardware.choose(config.run.device, config.run.precision)
    teachers = [load_teacher(name, hardware) for name in config.teachers]
    parts, reviews = read_parts(config.data), load_reviews(config.data, split)
    logits = ensemble_logits(teachers, parts, Texts.tokenized(reviews["text"]), hardware).texts
    return {
        "teachers": config.teachers,
        "split": split,
        **classification_metrics(reviews["label"], probability(logits, 1.0)),
    }
