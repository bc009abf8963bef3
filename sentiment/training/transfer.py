"""The texts that teachers predict for a student: unlabeled reviews, pieces and sentences of them, and edited copies."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np

from sentiment.config import DistillConfig
from sentiment.data.augmentation import crops, single_sentences
from sentiment.data.counterfactuals import (
    ALONE,
    COPIES,
    Substitutes,
    common_words,
    copies,
    short_reviews,
    word_weights,
)
from sentiment.data.splitting import Parts
from sentiment.data.texts import Texts
from sentiment.errors import InputError
from sentiment.models.surgery import EMBEDDING
from sentiment.text.normalization import normalize
from sentiment.training.hardware import Hardware
from sentiment.training.teachers import EnsembleLogits, Teacher

SEED = 1
"""Seed of what is drawn: not that of the run, so that runs with other seeds need no other predictions."""


@dataclass(frozen=True)
class TransferTexts:
    """The texts that the teachers are to predict."""

    texts: Texts
    """[n]: whole reviews and pieces of them, then short reviews and sentences, each with its copies."""
    edited: slice
    """The short reviews and sentences, and their copies."""
    sentences: slice
    """The sentences and their copies."""

    def targets(self, found: EnsembleLogits, transformer_share: float) -> tuple[np.ndarray, np.ndarray]:
        """Logits that a student learns [n], and which of the texts it learns [n] bool.

        Transformers have their share in edited texts. Sentences of which they and all teachers together do not say the
        same are left out: there, neither knows better.
        """
        logits, kept = found.texts.copy(), np.ones(len(found.texts), dtype=bool)
        logits[self.edited] += transformer_share * (found.transformers - found.texts)[self.edited]
        kept[self.sentences] = ((found.transformers > 0) == (found.texts > 0))[self.sentences]
        return logits, kept


def transfer_texts(
    config: DistillConfig,
    parts: Parts,
    unlabeled: Texts,
    teachers: Sequence[Teacher],
    hardware: Hardware,
) -> TransferTexts:
    """Make the texts that the teachers are to predict.

    Args:
        config: how many texts of each kind.
        parts: the labeled reviews, whose words may decide.
        unlabeled: all unlabeled reviews.
        teachers: all say which words decide. The first one must be an LSTM, if there are to be copies. It says which
            side an original is on, so which of its words to change, and its word vectors say which others fit there.
        hardware: device and precision.

    Raises:
        InputError: if copies are wanted, but the first teacher is not an LSTM.
    """
    whole = unlabeled.rows(range(min(len(unlabeled), config.unlabeled_reviews or len(unlabeled))))
    read = whole
    if config.crops:
        read += Texts.tokenized(crops([normalize(text) for text in whole.written], config.crops, SEED))
    groups: list[list[str]] = [[], []]
    if config.counterfactuals or config.sentences:
        if not teachers or teachers[0].checkpoint is None:
            raise InputError("counterfactuals and sentences need a model directory as the first of the teachers.")
        plain = [normalize(text) for text in unlabeled.written]
        Random(SEED).shuffle(plain)
        substitutes = find_substitutes(parts, teachers, hardware)
        drawn = short_reviews(plain, config.counterfactuals), single_sentences(plain, config.sentences, SEED)
        for group, originals, each in zip(groups, drawn, (COPIES, 1), strict=True):
            logits = teachers[0].logits(Texts.tokenized(originals), hardware)
            group += [*originals, *copies(originals, logits, each, substitutes, SEED)]
    reviews, sentences = groups
    texts = read + Texts.tokenized([*reviews, *sentences])
    first, last = len(read), len(texts)
    return TransferTexts(texts, slice(first, last), slice(first + len(reviews), last))


def find_substitutes(parts: Parts, teachers: Sequence[Teacher], hardware: Hardware) -> Substitutes:
    """The words that decide, by all teachers, and their substitutes, by the word vectors of the first one."""
    model = teachers[0].checkpoint
    assert model is not None
    words = common_words(parts.train)
    alone = Texts.tokenized([ALONE.format(word) for word in words])
    weights = word_weights(words, [teacher.logits(alone, hardware) for teacher in teachers])
    vectors = dict(zip(model.text.vocabulary.words, model.weights[EMBEDDING].float().numpy(), strict=True))
    return Substitutes(weights, vectors, parts.train)
