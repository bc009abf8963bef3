"""Label reviews one by one, those first that teach a model most (active learning).

The next reviews are uncertain and unlike one another: the uncertain ones are divided into clusters of similar features,
and each cluster gives its most uncertain one (after Zhdanov 2019, "Diverse mini-batch Active Learning").
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
from scipy.stats import entropy
from sklearn.cluster import KMeans
from sklearn.preprocessing import normalize

from sentiment.adaptation.adapt import adapt_at_once
from sentiment.adaptation.cross_validation import Change
from sentiment.classifier import SentimentClassifier
from sentiment.config import DataConfig
from sentiment.errors import InputError
from sentiment.inference.postprocessing import probability
from sentiment.integrations.features import FeatureExtractor, Features
from sentiment.io.progress import review_bar
from sentiment.tables.outputs import write_table
from sentiment.tables.reader import read_chunks

logger = logging.getLogger(__name__)

Answer = Literal["positive", "negative", "skip"]
BATCH = 20
"""Labels after which the model is adapted, and the next reviews are chosen."""
CANDIDATES = 10
"""Candidates for each review that is chosen: the most uncertain ones."""
POOL = 2000
"""Most reviews that are looked at, in the order of the source; labeled ones do not count."""
COLUMNS = pa.schema([("text", pa.string()), ("label", pa.string())])


def choose(features: Features, count: int) -> list[int]:
    """Positions of the reviews to label next, the most uncertain first; those without words are not chosen."""
    uncertainty = entropy(np.stack([probability(sign * features.log_odds, 1.0) for sign in (1, -1)]))
    order = np.argsort(-uncertainty, kind="stable")
    pool = order[features.has_words[order]][: CANDIDATES * count]
    if len(pool) <= count:
        return [int(row) for row in pool]
    directions = normalize(features.pooled[pool])
    kinds = min(count, len(np.unique(directions, axis=0)))
    clusters = KMeans(kinds, n_init=1, random_state=0).fit_predict(directions, sample_weight=uncertainty[pool])
    first = np.unique(clusters, return_index=True)[1]
    others = np.setdiff1d(np.arange(len(pool)), first)  # if there are not as many kinds
    return [int(row) for row in pool[np.sort(np.r_[first, others[: count - len(first)]])]]


class Labeling:
    """Reviews that are being labeled; each answer is written at once.

    Args:
        classifier: the model that chooses and is adapted.
        texts: all reviews.
        file: table of the answers, .csv, with the columns `text` and `label`; answers that it has are kept.

    Raises:
        InputError: if the file is not .csv, cannot be read, or has other columns or labels.
    """

    def __init__(self, classifier: SentimentClassifier, texts: Sequence[str], file: Path) -> None:
        self.original = self.classifier = classifier
        self.texts, self.file = list(dict.fromkeys(texts)), file
        self.answers = read_answers(file)
        """{review: answer}, in order."""
        self.curve: list[tuple[int, Change, Change]] = []
        """Labels, the model as it was, and the chosen change, of each adaptation so far."""
        self.queue: list[str] = []
        self._taught = 0

    @property
    def labeled(self) -> dict[str, Answer]:
        """The answers that are labels."""
        return {text: answer for text, answer in self.answers.items() if answer != "skip"}

    def next(self) -> str | None:
        """The review to label next; None if all are answered. Adapts the model when there are enough new labels."""
        if len(self.labeled) >= self._taught + BATCH:
            self._adapt()
        self.queue = [text for text in self.queue if text not in self.answers] or self.choose(BATCH)
        return self.queue[0] if self.queue else None

    def choose(self, count: int) -> list[str]:
        """The reviews that are worth a label most."""
        pool = [text for text in self.texts if text not in self.answers][:POOL]
        if not pool:
            return []
        extractor = FeatureExtractor(self.classifier.checkpoint, self.classifier.device, self.classifier.precision)
        with review_bar(len(pool), "read") as bar:
            return [pool[row] for row in choose(extractor(pool, bar.update), count)]

    def answer(self, text: str, answer: Answer) -> None:
        """Keep an answer.

        Raises:
            RunError: if the file cannot be written.
        """
        self.add({text: answer})

    def add(self, answers: Mapping[str, Answer]) -> None:
        """Keep several answers.

        Raises:
            RunError: if the file cannot be written.
        """
        self.answers |= answers
        write_answers(self.file, self.answers)

    def undo(self) -> bool:
        """Take the last answer back, so that its review is the next one; False if there is none."""
        if not self.answers:
            return False
        text, _ = self.answers.popitem()
        self.queue.insert(0, text)
        write_answers(self.file, self.answers)
        return True

    def _adapt(self) -> None:
        """Adapt the model to the labels, and choose the next reviews with it."""
        labels, self._taught = [int(answer == "positive") for answer in self.labeled.values()], len(self.labeled)
        try:
            found = adapt_at_once(self.original, list(self.labeled), labels, str(self.file))
        except InputError as error:  # there are not enough of one label yet
            logger.info("not adapted: %s", error)
            return
        self.classifier, self.queue = found.classifier, []
        self.curve.append((len(labels), found.changes[0], found.chosen))


def read_answers(file: Path) -> dict[str, Answer]:
    """The answers in a table, if it exists.

    Raises:
        InputError: if it is not .csv, cannot be read, or has other columns or labels.
    """
    answers: dict[str, Answer] = {}
    if file.suffix != ".csv":
        raise InputError(f"{file}: the labels are written as CSV; give a name that ends in .csv.")
    if not file.exists():
        return answers
    for chunk in read_chunks([file], DataConfig(source=str(file), text_column="text")):
        for text, place, row in zip(chunk.texts, chunk.places, chunk.rows, strict=True):
            assert isinstance(row, dict)  # as of every CSV file
            label = row.get("label")
            if text is None or label not in ("positive", "negative", "skip"):
                raise InputError(f"{file}: {place}: label is {label!r}; it must be positive, negative or skip.")
            answers[text] = label
    return answers


def write_answers(file: Path, answers: dict[str, Answer]) -> None:
    """Write the answers as a table, as a whole.

    Raises:
        RunError: if it cannot be written.
    """
    write_table(file, [{"text": text, "label": answer} for text, answer in answers.items()], COLUMNS)
