"""Adaptation of a model to other reviews. The reviews are made up: their words are new or mean the opposite."""

from pathlib import Path
from random import Random

import numpy as np
import pytest

from sentiment.adaptation.adapt import AS_IT_WAS, BAND_REVIEWS, adapt, run_directory, settings_for
from sentiment.adaptation.cross_validation import MANY
from sentiment.classifier import SentimentClassifier
from sentiment.config import AdaptConfig
from sentiment.config_reader import config_from_settings
from sentiment.errors import InputError
from sentiment.io.signals import Stopped
from sentiment.training import trainer

SIDES = (["cold", "stale", "soggy", "rude", "overpriced"], ["crisp", "fresh", "tasty", "friendly", "generous"])
THINGS = ["soup", "bread", "waiter", "menu", "wine", "table", "fish", "kitchen"]


def meals(count: int, seed: int, sides: tuple[list[str], list[str]] = SIDES) -> tuple[list[str], list[int]]:
    random, texts, labels = Random(seed), [], []
    for number in range(count):
        words = sides[number % 2]
        texts.append(f"{number}: the {random.choice(THINGS)} was {random.choice(words)} and {random.choice(words)}")
        labels.append(number % 2)
    return texts, labels


def settings(directory: Path, **others: object) -> AdaptConfig:
    fixed = {"run.output_dir": str(directory / "model"), "data.source": "meals.csv", "run.device": "cpu"}
    return config_from_settings(AdaptConfig, fixed | others, "test")


@pytest.fixture(scope="module")
def shipped() -> SentimentClassifier:
    return SentimentClassifier.from_pretrained("imdb-small", precision="fp32")


def accuracy(classifier: SentimentClassifier, texts: list[str], labels: list[int]) -> float:
    return float(((classifier.predict_proba(texts)[:, 1] > 0.5) == np.asarray(labels)).mean())


def test_a_model_learns_what_its_own_answers_miss(shipped: SentimentClassifier, tmp_path: Path) -> None:
    turned = (SIDES[1], SIDES[0])  # labels say the opposite of the words: the old answers are all wrong
    texts, labels = meals(240, 1, turned)
    found = adapt(shipped, texts, labels, settings(tmp_path))
    fresh = meals(100, 2, turned)
    assert accuracy(found.classifier, *fresh) > 0.95 > 0.5 > accuracy(shipped, *fresh)
    assert found.chosen.clear and found.chosen is not found.changes[0]
    assert found.chosen.log_loss == min(change.log_loss for change in found.changes)
    assert found.own_band and found.classifier.confident_from != shipped.confident_from
    assert "meals.csv" in found.classifier.checkpoint.card


def test_a_model_stays_as_it_was_where_nothing_helps(shipped: SentimentClassifier, tmp_path: Path) -> None:
    """The labels are drawn with the probabilities that the model itself gives."""
    texts, _ = meals(100, 3)
    random = Random(0)
    labels = [int(random.random() < positive) for positive in shipped.predict_proba(texts)[:, 1]]
    found = adapt(shipped, texts, labels, settings(tmp_path))
    assert found.chosen.name == AS_IT_WAS and not found.own_band
    assert found.classifier.predict_proba(texts).tolist() == shipped.predict_proba(texts).tolist()
    assert found.classifier.confident_from == shipped.confident_from
    assert len(texts) < BAND_REVIEWS


def test_an_adapted_model_is_saved_and_loaded(shipped: SentimentClassifier, tmp_path) -> None:
    texts, labels = meals(100, 1)
    adapted = shipped.fine_tune(texts, labels)
    adapted.save_pretrained(tmp_path / "model")
    loaded = SentimentClassifier.from_pretrained(tmp_path / "model", precision="fp32")
    np.testing.assert_allclose(loaded.predict_proba(texts), adapted.predict_proba(texts), atol=1e-6)
    assert adapted.explain("the soup was cold").running_probability[-1] == pytest.approx(
        adapted.predict_proba(["the soup was cold"])[0, 1], abs=1e-4
    )
    assert (
        shipped.checkpoint.model_settings["head_dim"]
        == SentimentClassifier.from_pretrained("imdb-small").checkpoint.model_settings["head_dim"]
    )


def test_equal_reviews_are_not_on_both_sides_of_a_fold(shipped: SentimentClassifier, tmp_path: Path) -> None:
    """Copies of a few reviews with random labels cannot be predicted, however often each is there."""
    texts, _ = meals(16, 5)
    random = Random(1)
    labels = [random.randrange(2) for _ in texts]
    found = adapt(shipped, texts * 10, labels * 10, settings(tmp_path))
    assert all(change.accuracy < 0.8 for change in found.changes)


def test_a_stopped_run_goes_on_as_if_nothing_had_been(
    shipped: SentimentClassifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts, labels = meals(40, 1, (SIDES[1], SIDES[0]))
    whole = adapt(shipped, texts, labels, settings(tmp_path / "whole"))
    config, requests = settings(tmp_path / "stopped"), iter([0] * 30 + [2] * 100)
    monkeypatch.setattr(trainer, "stop_requested", lambda: next(requests))
    with pytest.raises(Stopped, match="--resume"):
        adapt(shipped, texts, labels, config)
    monkeypatch.undo()
    with pytest.raises(InputError, match="already holds a run; add --resume"):
        adapt(shipped, texts, labels, config)
    with pytest.raises(InputError, match="was started with other reviews"):
        adapt(shipped, texts, labels[::-1], config, resume=True)
    resumed = adapt(shipped, texts, labels, config, resume=True)
    assert resumed.changes == whole.changes
    assert resumed.classifier.predict_proba(texts).tolist() == whole.classifier.predict_proba(texts).tolist()
    assert run_directory(config) == tmp_path / "stopped" / "model.run"


def test_unlabeled_reviews_are_a_further_change_to_choose(shipped: SentimentClassifier, tmp_path: Path) -> None:
    texts, labels = meals(40, 1, (SIDES[1], SIDES[0]))
    unlabeled, _ = meals(40, 2)
    found = adapt(shipped, texts, labels, settings(tmp_path), unlabeled)
    assert [change.name for change in found.changes][-2:] == ["all layers", "all layers, unlabeled"]
    assert found.changes[-1].log_loss != found.changes[-2].log_loss


def test_new_words_are_known_afterwards(shipped: SentimentClassifier, tmp_path: Path) -> None:
    texts, labels = meals(60, 1, (["overpriced sushi"], ["flavorful pho"]))
    found = adapt(shipped, texts, labels, settings(tmp_path))
    before, after = found.unknown
    assert found.chosen is not found.changes[0] and before > after
    assert before == sum(one.unknown_tokens for one in shipped.predict(texts))
    assert after == sum(one.unknown_tokens for one in found.classifier.predict(texts))


def test_movie_reviews_are_read_before_and_after(shipped: SentimentClassifier, tmp_path: Path) -> None:
    texts, labels = meals(40, 1, (SIDES[1], SIDES[0]))
    found = adapt(shipped, texts, labels, settings(tmp_path, keep_imdb=True))
    assert found.movies is not None and found.chosen is not found.changes[0]
    before, after = found.movies
    assert before.accuracy > 0.9 and before.reviews == after.reviews == 40 and after.log_loss != before.log_loss


def test_many_reviews_are_read_once() -> None:
    assert settings_for(MANY)["optimization.epochs"] == 1 and settings_for(MANY - 1) == {}
    assert settings_for(MANY - 1, keep_imdb=True) == {"optimization.start_share": 0.3}


@pytest.mark.parametrize(
    ("texts", "labels", "message"),
    [
        (["good", "bad"], [1], "2 reviews, but 1 labels"),
        (["good", "bad"], [1, 2], "label 1 is 2; give 0 for negative and 1 for positive"),
        (["a", "b", "c", "d", "e"], [1, 1, 1, 1, 0], "1 negative and 4 positive; give at least 4 of each"),
        (["fine"] * 8 + ["a", "b", "c", "d"], [1] * 8 + [0] * 4, "4 negative and 1 positive"),
        (["!!"] * 8, [0, 1] * 4, "0 negative and 0 positive"),
        ([], [], "0 negative and 0 positive"),
    ],
)
def test_too_few_or_wrong_labels_are_refused(
    shipped: SentimentClassifier, texts: list[str], labels: list[int], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        shipped.fine_tune(texts, labels)


def test_reviews_must_be_strings(shipped: SentimentClassifier) -> None:
    with pytest.raises(TypeError, match="texts is a string"):
        shipped.fine_tune("good", [1])
    with pytest.raises(TypeError, match="review 1 of texts is of type NoneType"):
        shipped.fine_tune(["good", None], [1, 0])  # type: ignore[list-item]
