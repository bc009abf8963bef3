"""The estimator with texts: what a user of scikit-learn does with it."""

import gc
import pickle
from pathlib import Path
from types import FunctionType, ModuleType

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import get_tags

from sentiment.classifier import SentimentClassifier
from sentiment.integrations.features import FeatureExtractor
from sentiment.sklearn import SentimentEstimator


@pytest.fixture(scope="module")
def texts(reviews: list[tuple[str, int]]) -> list[str]:
    return [text for text, _ in reviews]


@pytest.fixture(scope="module")
def labels(reviews: list[tuple[str, int]]) -> list[str]:
    return ["good" if label else "poor" for _, label in reviews]


@pytest.fixture
def estimator(tiny_model_directory: Path) -> SentimentEstimator:
    return SentimentEstimator(tiny_model_directory, precision="fp32", C=1000.0)


@pytest.fixture(scope="module")
def fitted(tiny_model_directory: Path, texts: list[str], labels: list[str]) -> SentimentEstimator:
    return SentimentEstimator(tiny_model_directory, precision="fp32", C=1000.0).fit(texts, labels)


def test_it_learns_the_labels_and_keeps_them(fitted: SentimentEstimator, texts: list[str], labels: list[str]) -> None:
    assert fitted.classes_.tolist() == ["good", "poor"]
    assert fitted.score(texts, labels) > 0.85
    assert set(fitted.predict(texts)) == {"good", "poor"}


def test_probabilities_are_those_of_the_labels(fitted: SentimentEstimator, texts: list[str]) -> None:
    found = fitted.predict_proba(texts)
    assert found.shape == (len(texts), 2) and found.dtype == np.float64
    assert np.allclose(found.sum(1), 1) and found.min() >= 0
    assert (fitted.classes_[found.argmax(1)] == fitted.predict(texts)).all()
    assert np.allclose(found[:, 1], 1 / (1 + np.exp(-fitted.decision_function(texts))))


def test_three_classes(estimator: SentimentEstimator, texts: list[str], labels: list[str]) -> None:
    three = ["great" if "great" in text else label for text, label in zip(texts, labels, strict=True)]
    fitted = estimator.fit(texts, three)
    assert fitted.classes_.tolist() == ["good", "great", "poor"]
    assert fitted.predict_proba(texts).shape == fitted.decision_function(texts).shape == (len(texts), 3)
    assert fitted.score(texts, three) > 0.7


def test_features_are_what_the_head_gets(tiny_classifier: SentimentClassifier, texts: list[str]) -> None:
    """So the shipped head on them gives the classifier's own probabilities."""
    found = FeatureExtractor(tiny_classifier.checkpoint, tiny_classifier.device, "fp32")(texts)
    assert found.pooled.shape == (len(texts), 18)
    linear = tiny_classifier.model.head[-1]
    logits = found.pooled @ linear.weight.detach().numpy()[0] + linear.bias.item()
    expected = tiny_classifier.predict_proba(texts)[:, 1]
    assert np.allclose(1 / (1 + np.exp(-logits)), expected, atol=1e-5)
    assert np.allclose(1 / (1 + np.exp(-found.log_odds)), expected, atol=1e-5)


def test_a_few_reviews_hardly_change_the_answers_of_the_shipped_model() -> None:
    given = ["A triumph.", "I loved every minute.", "Dull and far too long.", "A waste of time."]
    asked = ["A wonderful film.", "Superb acting, a great story.", "The worst film I saw.", "Awful, I left early."]
    fitted = SentimentEstimator("imdb-small", precision="fp32").fit(given, [True, True, False, False])
    assert fitted.predict(asked).tolist() == [True, True, False, False]
    # an uneven handful, too
    fitted = SentimentEstimator("imdb-small", precision="fp32").fit(given[1:], [True, False, False])
    assert fitted.predict(asked).tolist() == [True, True, False, False]


def test_answers_do_not_depend_on_the_other_reviews(fitted: SentimentEstimator, texts: list[str]) -> None:
    together = fitted.decision_function(texts)
    assert np.allclose([fitted.decision_function([text])[0] for text in texts], together, atol=1e-4)
    assert np.allclose(fitted.decision_function(texts[::-1])[::-1], together, atol=1e-4)


def test_many_reviews_are_predicted_in_blocks(
    fitted: SentimentEstimator, texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, labels = fitted.predict_proba(texts), fitted.predict(texts)
    monkeypatch.setattr("sentiment.integrations.sklearn.BLOCK", 7)
    assert np.allclose(fitted.predict_proba(texts), expected, atol=1e-4)
    assert (fitted.predict(texts) == labels).all()


def test_a_text_without_words_has_the_answer_of_no_text(fitted: SentimentEstimator) -> None:
    found = fitted.predict_proba(["", " ", "!!!", "<br />", "film"])
    assert (found[:4] == found[0]).all() and (found[4] != found[0]).any()
    assert 0.3 < found[0, 0] < 0.7  # half of the reviews had each label


@pytest.mark.parametrize("kind", [list, tuple, np.array, lambda x: np.array(x, object), pd.Series, pl.Series])
def test_all_kinds_of_lists_have_the_same_answers(kind, fitted: SentimentEstimator, texts: list[str]) -> None:
    assert (fitted.predict_proba(kind(texts)) == fitted.predict_proba(texts)).all()


def test_labels_may_be_a_column(estimator: SentimentEstimator, texts: list[str], labels: list[str]) -> None:
    frame = pd.DataFrame({"text": texts, "label": labels}, index=range(100, 100 + len(texts)))
    assert estimator.fit(frame["text"], frame["label"]).score(frame["text"], frame["label"]) > 0.85


WRONG = [
    (
        "a review",
        "X is a str; give the reviews as a list, a tuple, an array of one dimension or one column of a table.",
    ),
    (pd.DataFrame({"text": ["dull"]}), "X is a DataFrame; give the reviews as a list"),
    (np.array([["dull"]]), "X is a ndarray; give"),
    ({"dull", "fun"}, "X is a set; give"),
    ((text for text in ["dull"]), "X is a generator; give"),
    (None, "X is a NoneType; give"),
    (["dull", None], "review 1 of X is missing; leave it out, or give an empty string."),
    (["dull", float("nan")], "review 1 of X is missing"),
    (pd.Series(["dull", None]), "review 1 of X is missing"),
    (["dull", 3], "review 1 of X is int; it must be a string."),
    ([["dull"]], "review 0 of X is list; it must be a string."),
    ([b"dull"], "review 0 of X is bytes; it must be a string."),
]


@pytest.mark.parametrize(
    ("wrong", "message"), WRONG, ids=[message[:20] + str(n) for n, (_, message) in enumerate(WRONG)]
)
def test_what_is_no_list_of_texts_is_refused(wrong, message: str, fitted: SentimentEstimator) -> None:
    for call in (fitted.predict, fitted.predict_proba, lambda X: clone(fitted).fit(X, [0, 1])):
        with pytest.raises(TypeError) as raised:
            call(wrong)
        assert message in str(raised.value)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([], [], "X has 0 reviews"),
        (["dull"], None, "requires y to be passed"),
        (["dull", "fun"], [1], "inconsistent numbers of samples"),
        (["dull", "fun"], [1, 1], "y has one class"),
        (["dull", "fun"], [0.1, 0.7], "Unknown label type: continuous"),
        (["dull", "fun"], [0.0, float("nan")], "NaN"),
        (["", "!!!"], [0, 1], "no review of X has a word"),
    ],
)
def test_what_cannot_be_learned_is_refused(X, y, message: str, estimator: SentimentEstimator) -> None:
    with pytest.raises(ValueError, match=message):
        estimator.fit(X, y)


def test_before_fit_it_raises_not_fitted(estimator: SentimentEstimator) -> None:
    for method in ("predict", "predict_proba", "decision_function"):
        with pytest.raises(NotFittedError):
            getattr(estimator, method)(["dull"])


def test_the_constructor_only_stores() -> None:
    estimator = SentimentEstimator("no-such-model", C=-1.0)
    assert vars(estimator) == estimator.get_params() == {
        "model": "no-such-model", "device": "cpu", "precision": "auto", "C": -1.0, "fine_tune": False,
    }  # fmt: skip
    assert clone(estimator).set_params(C=2.0).C == 2.0 and estimator.C == -1.0
    with pytest.raises(ValueError, match="no-such-model"):
        estimator.fit(["dull", "fun"], [0, 1])


def test_its_tags_say_that_it_takes_texts(estimator: SentimentEstimator) -> None:
    tags = get_tags(estimator)
    assert tags.input_tags.string and tags.input_tags.one_d_array and not tags.input_tags.two_d_array
    assert tags.estimator_type == "classifier" and tags.target_tags.required


def test_pickle_and_joblib_keep_the_answers(fitted: SentimentEstimator, texts: list[str], tmp_path: Path) -> None:
    expected = fitted.predict_proba(texts)
    joblib.dump(fitted, tmp_path / "fitted.joblib")
    for copy in (pickle.loads(pickle.dumps(fitted)), joblib.load(tmp_path / "fitted.joblib")):
        assert (copy.predict_proba(texts) == expected).all()


def test_a_feature_extractor_holds_its_weights_once(tiny_classifier: SentimentClassifier, texts: list[str]) -> None:
    def tensors(root: object) -> int:
        """Bytes of all tensors that an object holds."""
        storages, seen, left = {}, set(), [root]
        while left:
            found = left.pop()
            if id(found) in seen or isinstance(found, type | ModuleType | FunctionType):
                continue
            seen.add(id(found))
            if isinstance(found, torch.Tensor):
                storages[found.data_ptr()] = found.nbytes
            left += gc.get_referents(found)
        return sum(storages.values())

    extractor = FeatureExtractor(tiny_classifier.checkpoint, tiny_classifier.device, "fp32")
    expected = sum(weight.nbytes for weight in tiny_classifier.model.parameters())
    copy = pickle.loads(pickle.dumps(extractor))
    assert tensors(extractor) == tensors(copy) == expected
    assert (copy(texts).log_odds == extractor(texts).log_odds).all()


def test_workers_of_a_cross_validation_have_the_same_answers(texts: list[str], labels: list[str]) -> None:
    estimator = SentimentEstimator("imdb-small", precision="fp32")
    scores = [cross_val_score(estimator, texts, labels, cv=2, scoring="neg_log_loss", n_jobs=n) for n in (1, 2)]
    assert np.allclose(*scores, atol=1e-5)


def test_pipeline_cross_validation_and_grid_search(texts: list[str], labels: list[str]) -> None:
    estimator = SentimentEstimator("imdb-small", precision="fp32")
    pipeline = make_pipeline(FunctionTransformer(lambda X: [text.removeprefix("§") for text in X]), estimator)
    marked = [f"§{text}" for text in texts]
    assert pipeline.fit(marked, labels).score(marked, labels) > 0.9
    assert cross_val_score(estimator, texts, labels, cv=3, scoring="roc_auc").min() > 0.9
    search = GridSearchCV(estimator, {"C": [1e-6, 1.0], "model": ["imdb-small"]}, cv=3, scoring="neg_log_loss")
    search.fit(np.array(texts), labels)
    assert search.best_params_["C"] == 1.0 and search.classes_.tolist() == ["good", "poor"]


def test_fit_can_adapt_the_network_whatever_the_labels_are_called() -> None:
    good, bad = ["crisp", "fresh", "tasty", "warm", "friendly"], ["cold", "stale", "soggy", "rude", "bland"]
    things = ["soup", "bread", "waiter", "menu"]
    texts = [f"the {thing} was {word}" for thing in things for word in [*good, *bad]]
    labels = ["awesome" if text.split()[-1] in good else "bad" for text in texts]
    found = SentimentEstimator("imdb-small", fine_tune=True).fit(texts, labels)
    assert found.classes_.tolist() == ["awesome", "bad"]
    fresh = ["the wine was stale", "the wine was fresh"]
    assert found.predict(fresh).tolist() == ["bad", "awesome"]
    probabilities, scores = found.predict_proba(fresh), found.decision_function(fresh)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_allclose(1 / (1 + np.exp(-scores)), probabilities[:, 1])
    assert probabilities[0, 1] > 0.5 > probabilities[1, 1] and found.score(texts, labels) > 0.9
    again = pickle.loads(pickle.dumps(found))
    np.testing.assert_allclose(again.predict_proba(fresh), probabilities, atol=1e-6)


def test_fine_tuning_takes_two_classes(tiny_model_directory: Path) -> None:
    with pytest.raises(ValueError, match="y has 3 classes; with fine_tune, give reviews of two"):
        SentimentEstimator(tiny_model_directory, fine_tune=True).fit(["a", "b", "c"], [0, 1, 2])
    with pytest.raises(ValueError, match="too few different reviews"):
        SentimentEstimator(tiny_model_directory, fine_tune=True).fit(["a", "b", "c"], [0, 1, 1])
