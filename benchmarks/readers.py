"""Who is measured: each peer as its users run it, and this project.

A peer learns once (`prepare` writes files to its directory) and is then loaded from them by every process that measures
it: `load(directory)` gives a function from reviews to labels. Libraries are imported inside these functions, so that a
cold start holds a peer's own imports and nobody else's. The two networks among the peers are in `networks`.
"""

import hashlib
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

Reader = Callable[[Sequence[str]], list[int]]
"""Reviews in, as many labels out: 1 positive, 0 negative."""


@dataclass(frozen=True)
class Train:
    """The training split."""

    texts: list[str]
    labels: list[int]

    def fingerprint(self) -> str:
        """SHA-256 of reviews and labels."""
        digest = hashlib.sha256()
        for text, label in zip(self.texts, self.labels, strict=True):
            digest.update(f"{label}{text}\0".encode())
        return digest.hexdigest()


@dataclass(frozen=True)
class Peer:
    """One way to read reviews."""

    name: str
    way: str
    """How it is run, for the reader of the table."""
    directory: Path
    """Where its files lie; their size is its size on disk."""
    load: Callable[[Path], Reader]
    """From the top level of a module: another process finds it by its name."""
    prepare: Callable[[Train, Path], None] | None = None
    """Writes the directory; None where it is there already. Peers that share a directory share this."""
    packages: tuple[str, ...] = ()
    """Modules without which the peer is left out."""
    most_reviews: int | None = None
    """A slow peer reads this many of the reviews, evenly spaced by length."""
    quoted_accuracy: float | None = None
    """0 to 1, for a peer with random weights, of which only the speed is measured."""
    quoted_from: str | None = None
    """Where that accuracy stands."""
    ours: bool = False


def package_home(module: str) -> Path:
    """Directory of an installed package; where it is not installed, one that does not exist."""
    spec = find_spec(module)
    return Path(spec.submodule_search_locations[0] if spec and spec.submodule_search_locations else f"no {module}")


def load_vader(directory: Path) -> Reader:
    """The lexicon's verdict, at the threshold between its positive and negative scores."""
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyser = SentimentIntensityAnalyzer()
    return lambda texts: [int(analyser.polarity_scores(text)["compound"] >= 0) for text in texts]


def load_textblob(directory: Path) -> Reader:
    """The default analyser's verdict."""
    from textblob import TextBlob

    return lambda texts: [int(TextBlob(text).sentiment.polarity > 0) for text in texts]


_PUNCTUATION = re.compile(r"([.!?,'/()\";:])")


def _fasttext_words(text: str) -> str:
    """As fastText's own scripts prepare reviews: lower case, punctuation apart, one line."""
    return " ".join(_PUNCTUATION.sub(r" \1 ", text.replace("<br />", " ").lower()).split())


def prepare_fasttext(train: Train, directory: Path) -> None:
    """Ten hidden units, bigrams, five epochs, as in Joulin et al. 2016; rate and epochs chosen on a validation part.

    One thread, or two trainings would differ; in random order, or the last label read would win.
    """
    import fasttext
    import numpy as np

    file = directory / "train.txt"
    with file.open("w", encoding="utf-8") as lines:
        for row in np.random.default_rng(0).permutation(len(train.texts)):
            lines.write(f"__label__{train.labels[row]} {_fasttext_words(train.texts[row])}\n")
    settings: dict[str, Any] = {"dim": 10, "wordNgrams": 2, "epoch": 5, "lr": 0.5, "seed": 0, "thread": 1, "verbose": 0}
    fasttext.train_supervised(str(file), **settings).save_model(str(directory / "model.bin"))
    file.unlink()


def load_fasttext(directory: Path) -> Reader:
    """One call for all reviews."""
    import fasttext

    model = fasttext.load_model(str(directory / "model.bin"))

    def read(texts: Sequence[str]) -> list[int]:
        labels, _ = model.predict([_fasttext_words(text) for text in texts])
        return [int(label == "__label__1") for (label,) in labels]

    return read


# scikit-learn's own words in place of this project's tokens joined by spaces: faster, and a little less often right
_OWN_WORDS = {"lowercase": True, "token_pattern": r"(?u)\b\w\w+\b"}


def prepare_tfidf(train: Train, directory: Path) -> None:
    """TF-IDF 1-2-grams on scikit-learn's words."""
    from sentiment.baselines import tfidf_regression

    pipeline = tfidf_regression()
    pipeline[0].set_params(**_OWN_WORDS)
    _fit(pipeline, train.texts, train, directory)


def prepare_nb(train: Train, directory: Path) -> None:
    """NB-weighted 1-3-grams on scikit-learn's words."""
    from sentiment.baselines import nb_regression

    pipeline = nb_regression()
    pipeline[0].set_params(**_OWN_WORDS)
    _fit(pipeline, train.texts, train, directory)


def prepare_tfidf_on_tokens(train: Train, directory: Path) -> None:
    """TF-IDF 1-2-grams on this project's tokens."""
    from sentiment.baselines import tfidf_regression

    _fit(tfidf_regression(), _documents(train.texts), train, directory)


def prepare_nb_on_tokens(train: Train, directory: Path) -> None:
    """NB-weighted 1-3-grams on this project's tokens."""
    from sentiment.baselines import nb_regression

    _fit(nb_regression(), _documents(train.texts), train, directory)


def load_linear(directory: Path) -> Reader:
    """A linear model on raw text; the pickle is this benchmark's own."""
    import joblib

    pipeline = joblib.load(directory / "model.joblib")
    return lambda texts: [int(label) for label in pipeline.predict(texts)]


def load_linear_on_tokens(directory: Path) -> Reader:
    """A linear model on this project's tokens."""
    read = load_linear(directory)
    return lambda texts: read(_documents(texts))


def _documents(texts: Sequence[str]) -> list[str]:
    from sentiment.text import normalise, tokenise

    return [" ".join(tokenise(normalise(text))) for text in texts]


def _fit(pipeline: Any, documents: Sequence[str], train: Train, directory: Path) -> None:
    import joblib

    joblib.dump(pipeline.fit(documents, train.labels), directory / "model.joblib")


def load_sentiment(directory: Path) -> Reader:
    """This project, through its public face."""
    from sentiment import SentimentClassifier

    classifier = SentimentClassifier.from_pretrained(directory)
    return lambda texts: [int(prediction.label == "positive") for prediction in classifier.predict(texts)]


def load_onnx(directory: Path) -> Reader:
    """This project without torch, on as many threads as the other libraries are given."""
    from sentiment.onnx_prediction import OnnxClassifier

    classifier = OnnxClassifier.from_pretrained(directory, threads=int(os.environ["OMP_NUM_THREADS"]))
    return lambda texts: [int(prediction.label == "positive") for prediction in classifier.predict(texts)]
