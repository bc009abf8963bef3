from pathlib import Path

import numpy as np
import pytest

from sentiment.adaptation import labeling
from sentiment.adaptation.labeling import Labeling, choose
from sentiment.classifier import SentimentClassifier
from sentiment.config import DataConfig
from sentiment.data.loading import load_reviews
from sentiment.errors import InputError
from sentiment.integrations.features import Features


def features(log_odds: np.ndarray, pooled: np.ndarray, has_words: np.ndarray | None = None) -> Features:
    words = np.ones(len(log_odds), bool) if has_words is None else has_words
    return Features(pooled.astype(np.float32), log_odds.astype(np.float32), log_odds, words)


def test_the_next_reviews_are_uncertain_and_unlike_one_another() -> None:
    random = np.random.default_rng(0)
    kinds = np.repeat(np.eye(4), 25, axis=0)  # four kinds of reviews, 25 of each
    log_odds = np.tile(np.r_[np.full(12, 9.0), np.linspace(0.1, 1.0, 13)], 4) * random.choice([-1, 1], 100)
    chosen = choose(features(log_odds, kinds + random.normal(0, 0.01, kinds.shape)), 4)
    assert sorted(row // 25 for row in chosen) == [0, 1, 2, 3]
    assert all(abs(log_odds[row]) < 1.1 for row in chosen)
    assert [abs(log_odds[row]) for row in chosen] == sorted(abs(log_odds[row]) for row in chosen)


def test_reviews_without_words_are_not_chosen() -> None:
    has_words = np.array([True, False, True])
    assert sorted(choose(features(np.zeros(3), np.eye(3), has_words), 5)) == [0, 2]
    assert choose(features(np.zeros(0), np.zeros((0, 3))), 5) == []


@pytest.fixture
def texts() -> list[str]:
    sides = (["cold", "stale", "soggy"], ["crisp", "fresh", "warm"])
    return [f"the {thing} was {word}" for thing in ("soup", "bread", "fish") for side in sides for word in side]


def label_of(text: str) -> labeling.Answer:
    return "positive" if text.split()[-1] in ("crisp", "fresh", "warm") else "negative"


def test_answers_are_kept_and_another_run_goes_on(
    tiny_classifier: SentimentClassifier, texts: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "labels.csv"
    first = Labeling(tiny_classifier, [*texts, *texts], file)
    asked = []
    for _ in range(3):
        text = first.next()
        assert text is not None
        first.answer(text, label_of(text))
        asked.append(text)
    first.answer(str(first.next()), "skip")
    second = Labeling(tiny_classifier, texts, file)
    assert list(second.labeled) == asked and len(second.answers) == 4
    assert second.next() not in second.answers
    reviews = load_reviews(DataConfig(source=str(file)), "train")
    assert reviews["text"][:] == asked and reviews["label"][:] == [int(label_of(one) == "positive") for one in asked]
    while (text := second.next()) is not None:
        second.answer(text, "skip")
    assert set(second.answers) == set(texts)


def test_an_answer_is_taken_back_and_asked_again(
    tiny_classifier: SentimentClassifier, texts: list[str], tmp_path: Path
) -> None:
    labels = Labeling(tiny_classifier, texts, tmp_path / "labels.csv")
    assert not labels.undo()
    first = str(labels.next())
    labels.answer(first, "positive")
    second = labels.next()
    assert labels.undo() and labels.next() == first and not labels.answers
    assert Labeling(tiny_classifier, texts, tmp_path / "labels.csv").next() is not None
    labels.answer(first, "negative")
    assert labels.next() == second and labels.labeled == {first: "negative"}


def test_the_model_is_adapted_when_there_are_enough_labels(
    texts: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labeling, "BATCH", 12)
    shipped = SentimentClassifier.from_pretrained("imdb-small", precision="fp32")
    labels = Labeling(shipped, texts, tmp_path / "labels.csv")
    for _ in range(12):
        assert not labels.curve
        text = str(labels.next())
        labels.answer(text, "negative" if label_of(text) == "positive" else "positive")
    assert labels.next() is not None
    ((count, was, chosen),) = labels.curve
    assert count == 12 == was.reviews and was.name == "nothing" and chosen.log_loss <= was.log_loss
    for _ in range(2):  # not again, before there are as many new labels
        labels.answer(str(labels.next()), "skip")
    assert len(labels.curve) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("text,label\ngood,maybe\n", "line 2: label is 'maybe'; it must be positive, negative or skip"),
        ("text,stars\ngood,5\n", "label is None"),
        ("review,label\ngood,positive\n", "no column 'text'"),
    ],
)
def test_a_table_of_something_else_is_refused(
    tiny_classifier: SentimentClassifier, tmp_path: Path, content: str, message: str
) -> None:
    file = tmp_path / "labels.csv"
    file.write_text(content)
    with pytest.raises(InputError, match=message):
        Labeling(tiny_classifier, ["good"], file)
    assert file.read_text() == content


def test_labels_of_too_few_different_reviews_do_not_stop_the_labeling(
    tiny_classifier: SentimentClassifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labeling, "BATCH", 8)
    labels = Labeling(tiny_classifier, ["one more"], tmp_path / "labels.csv")
    labels.add(dict.fromkeys(["good", "Good", "GOOD", "gOOd"], "positive"))  # equal but for the case
    labels.add(dict.fromkeys(["bad", "worse", "awful", "dull"], "negative"))
    assert labels.next() == "one more" and not labels.curve
