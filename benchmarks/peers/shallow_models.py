"""Systems without a deep network: two lexicons, fastText, and n-grams with logistic regression."""

import re
from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.peers.system import Predict, System, TrainingData


def shallow_systems(cache: Path) -> list[System]:
    """All of them.

    Args:
        cache: directory below which each keeps what it learned.
    """
    vader, textblob = _package_directory("vaderSentiment"), _package_directory("textblob")
    loop = "a loop, as it has no batches; positive"
    found = [
        System("VADER", f"{loop} from compound 0 on", vader, load_vader, packages=("vaderSentiment",)),
        System("TextBlob", f"{loop} above polarity 0", textblob, load_textblob, packages=("textblob",)),
        System(
            "fastText bigrams",
            "one call; 10 hidden units",
            cache / "fasttext",
            load_fasttext,
            learn_fasttext,
            ("fasttext",),
        ),
    ]
    for name, what, kind in (("TF-IDF", "1-2-grams", "tfidf"), ("NB n-grams", "NB-weighted 1-3-grams", "nb")):
        for suffix, words, load in (
            ("", "scikit-learn's words", load_ngrams),
            (", our tokens", "this project's tokens", load_ngrams_of_tokens),
        ):
            directory = cache / (f"{kind}_on_tokens" if suffix else kind)
            learn = partial(learn_ngrams, kind, bool(suffix))
            description = f"one call; {what} of {words}"
            found.append(System(f"{name} + LR{suffix}", description, directory, load, learn, ("sklearn", "joblib")))
    return found


def _package_directory(module: str) -> Path:
    """Of an installed package; where it is not installed, one that does not exist."""
    spec = find_spec(module)
    return Path(spec.submodule_search_locations[0] if spec and spec.submodule_search_locations else f"no {module}")


def load_vader(directory: Path) -> Predict:
    """Its verdict at the threshold between positive and negative scores."""
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyzer = SentimentIntensityAnalyzer()
    return lambda texts: [int(analyzer.polarity_scores(text)["compound"] >= 0) for text in texts]


def load_textblob(directory: Path) -> Predict:
    """The verdict of its default analyzer."""
    from textblob import TextBlob

    return lambda texts: [int(TextBlob(text).sentiment.polarity > 0) for text in texts]


_PUNCTUATION = re.compile(r"([.!?,'/()\";:])")


def _fasttext_words(text: str) -> str:
    """As fastText's own scripts prepare reviews: lower case, punctuation apart, one line."""
    return " ".join(_PUNCTUATION.sub(r" \1 ", text.replace("<br />", " ").lower()).split())


def learn_fasttext(data: TrainingData, directory: Path) -> None:
    """Ten hidden units, bigrams, five epochs, as in Joulin et al. 2016; rate and epochs chosen on a validation part.

    One thread, or two trainings would differ; in random order, or the last label read would win.
    """
    import fasttext
    import numpy as np

    file = directory / "train.txt"
    with file.open("w", encoding="utf-8") as lines:
        for row in np.random.default_rng(0).permutation(len(data.texts)):
            lines.write(f"__label__{data.labels[row]} {_fasttext_words(data.texts[row])}\n")
    settings: dict[str, Any] = {"dim": 10, "wordNgrams": 2, "epoch": 5, "lr": 0.5, "seed": 0, "thread": 1, "verbose": 0}
    fasttext.train_supervised(str(file), **settings).save_model(str(directory / "model.bin"))
    file.unlink()


def load_fasttext(directory: Path) -> Predict:
    """One call for all reviews."""
    import fasttext

    model = fasttext.load_model(str(directory / "model.bin"))

    def predict(texts: Sequence[str]) -> list[int]:
        labels, _ = model.predict([_fasttext_words(text) for text in texts])
        return [int(label == "__label__1") for (label,) in labels]

    return predict


def learn_ngrams(kind: str, of_tokens: bool, data: TrainingData, directory: Path) -> None:
    """Fit this project's linear baselines.

    Args:
        kind: "tfidf" or "nb".
        of_tokens: on this project's tokens; otherwise on the words that scikit-learn finds itself, which is faster,
            and a little less often right.
        data: what is learned from.
        directory: where the pipeline is kept.
    """
    import joblib

    from sentiment.evaluation.baselines import nb_regression, tfidf_regression

    pipeline = nb_regression() if kind == "nb" else tfidf_regression()
    if not of_tokens:
        pipeline[0].set_params(lowercase=True, token_pattern=r"(?u)\b\w\w+\b")
    texts = _tokenized(data.texts) if of_tokens else data.texts
    joblib.dump(pipeline.fit(texts, data.labels), directory / "model.joblib")


def load_ngrams(directory: Path) -> Predict:
    """On raw text; the pickle is this benchmark's own."""
    import joblib

    pipeline = joblib.load(directory / "model.joblib")
    return lambda texts: [int(label) for label in pipeline.predict(texts)]


def load_ngrams_of_tokens(directory: Path) -> Predict:
    """On this project's tokens."""
    predict = load_ngrams(directory)
    return lambda texts: predict(_tokenized(texts))


def _tokenized(texts: Sequence[str]) -> list[str]:
    """The tokens of each text, joined by spaces."""
    from sentiment.text.normalization import normalize
    from sentiment.text.tokenizer import tokenize

    return [" ".join(tokenize(normalize(text))) for text in texts]
