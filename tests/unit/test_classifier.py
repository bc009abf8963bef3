from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from datasets import Dataset
from hypothesis import given, settings
from hypothesis import strategies as st

import sentiment
from sentiment.classifier import SHIPPED_MODEL, SentimentClassifier
from sentiment.errors import InputError, RunError


def test_a_string_gives_a_prediction_and_a_list_gives_a_list(tiny_classifier: SentimentClassifier) -> None:
    one = tiny_classifier.predict("a wonderful film")
    many = tiny_classifier.predict(["a wonderful film", "awful"])
    assert (one.label, one.tokens, one.unknown_tokens, one.truncated) == (many[0].label, 3, 0, False)
    assert many[0].probability == pytest.approx(one.probability, abs=1e-6)
    assert tiny_classifier.predict([]) == []
    assert [p.label for p in tiny_classifier.predict(iter(["a", "b"]))] == [
        p.label for p in tiny_classifier.predict(["a", "b"])
    ]


def test_label_probability_score_and_predict_proba_agree(tiny_classifier: SentimentClassifier) -> None:
    texts = ["great fun", "dull and boring", "a wonderful film again and again"]
    predictions, matrix = tiny_classifier.predict(texts), tiny_classifier.predict_proba(texts)
    np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-12)
    for prediction, row in zip(predictions, matrix, strict=True):
        assert prediction.probability == row[1]
        assert prediction.label == ("positive" if prediction.probability >= 0.5 else "negative")
        assert prediction.score == max(row)
        assert prediction.to_dict()["label"] == prediction.label


def test_a_prediction_does_not_depend_on_other_reviews(tiny_classifier: SentimentClassifier) -> None:
    texts = ["great fun", "a wonderful film " * 30, "awful", "...", "unheard words only"]
    alone = [tiny_classifier.predict_proba([text])[0, 1] for text in texts]
    together = tiny_classifier.predict_proba(texts)[:, 1]
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_columns_are_the_fields_of_the_predictions(tiny_classifier: SentimentClassifier) -> None:
    texts = ["great fun", "", "?!", "great " * 41, "unheard zyzzyva words", "a wonderful film"]
    columns = tiny_classifier.predict_columns(texts)
    assert len(columns) == len(texts)
    expected = [tiny_classifier.predict(text).to_dict() for text in texts]
    found = columns.columns()
    assert list(found) == list(expected[0])
    for row, fields in enumerate(expected):
        for name, value in fields.items():
            close = pytest.approx(value, abs=1e-6) if isinstance(value, float) else value
            assert found[name][row] == close and type(found[name][row]) is type(value), (row, name)
    assert np.isnan(columns.probability[[1, 2]]).all()


def test_tokens_unknown_tokens_and_truncated(tiny_classifier: SentimentClassifier) -> None:
    long = tiny_classifier.predict("great " * 41)
    assert (long.tokens, long.truncated) == (41, True)
    assert not tiny_classifier.predict("great " * 40).truncated
    assert tiny_classifier.predict("great zyzzyva").unknown_tokens == 1


@pytest.mark.parametrize(
    ("text", "reason", "tokens"),
    [
        ("", "no text", 0),
        ("   \n", "no text", 0),
        ("<br /><br />", "no words", 0),
        ("\u200b", "no words", 0),
        ("?!", "no words", 2),
    ],
)
def test_texts_without_words_have_no_label(
    text: str, reason: str, tokens: int, tiny_classifier: SentimentClassifier
) -> None:
    for prediction in (tiny_classifier.predict(text), tiny_classifier.predict(["great", text])[1]):
        assert (prediction.label, prediction.probability, prediction.score) == (None, None, None)
        assert (prediction.reason, prediction.uncertain, prediction.tokens) == (reason, True, tokens)
    assert tiny_classifier.predict_proba([text]).tolist() == [[0.5, 0.5]]


TABLE = {"text": ["a wonderful film", "awful"], "label": [1, 0]}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (TABLE, r"a dict has several columns; give the one of the reviews, such as reviews\['text'\]"),
        (pd.DataFrame(TABLE), "a DataFrame has several columns"),
        (pa.table(TABLE), "a Table has several columns"),
        (pa.RecordBatch.from_pydict(TABLE), "a RecordBatch has several columns"),
        (Dataset.from_dict(TABLE), "a Dataset has several columns"),
        ({"one", "two"}, "a set has no order"),
        (frozenset(["one"]), "a frozenset has no order"),
        (np.array("one"), "expected a string or an iterable of strings, not ndarray"),
        (pa.scalar("one"), "expected a string or an iterable of strings, not StringScalar"),
        (b"one", "expected a string or an iterable of strings, not bytes"),
        (Path("one.csv"), "expected a string or an iterable of strings"),
        (np.array([["one", "two"]]), "review 0 is ndarray"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_list_of_reviews_is_rejected(given: Any, words: str, tiny_classifier: SentimentClassifier) -> None:
    with pytest.raises(TypeError, match=words):
        tiny_classifier.predict(given)
    with pytest.raises(TypeError, match=words):
        tiny_classifier.predict_proba(given)


def test_one_review_is_no_list_for_predict_proba(tiny_classifier: SentimentClassifier) -> None:
    with pytest.raises(TypeError, match="predict_proba takes a list of reviews; for one review, give a list"):
        tiny_classifier.predict_proba("one")


@pytest.mark.parametrize(
    "column",
    [
        tuple(TABLE["text"]),
        TABLE["text"].__iter__(),
        pd.Series(TABLE["text"], index=[7, 3]),
        pd.DataFrame(TABLE)["text"],
        pd.Series(TABLE["text"], dtype="category"),
        np.array(TABLE["text"]),
        np.array(TABLE["text"], dtype=object),
        pa.array(TABLE["text"]),
        pa.chunked_array([["a wonderful film"], ["awful"]]),
        pa.table(TABLE)["text"],
        pa.array(TABLE["text"]).dictionary_encode(),
        Dataset.from_dict(TABLE)["text"],
        {0: TABLE["text"][0], 1: TABLE["text"][1]}.values(),
        dict.fromkeys(TABLE["text"]).keys(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_one_column_of_any_kind_is_a_list_of_reviews(column: Any, tiny_classifier: SentimentClassifier) -> None:
    assert tiny_classifier.predict(column) == tiny_classifier.predict(TABLE["text"])


@pytest.mark.parametrize(
    ("item", "kind"), [(None, "missing"), (b"good", "bytes"), (3, "int"), (float("nan"), "missing"), (pd.NA, "missing")]
)
def test_an_item_that_is_not_a_string_is_rejected_with_its_position(
    item: Any, kind: str, tiny_classifier: SentimentClassifier
) -> None:
    with pytest.raises(TypeError, match=f"review 1 is {kind}"):
        tiny_classifier.predict(["good", item])
    with pytest.raises(TypeError):
        tiny_classifier.predict(item)
    with pytest.raises(TypeError, match=type(item).__name__):
        sentiment.predict_review(item)


@settings(max_examples=50, deadline=None)
@given(texts=st.lists(st.text(alphabet=st.characters()), max_size=5))
def test_any_texts_give_one_prediction_each(texts: list[str], tiny_classifier: SentimentClassifier) -> None:
    predictions = tiny_classifier.predict(texts)
    assert len(predictions) == len(texts)
    for text, prediction in zip(texts, predictions, strict=True):
        assert (prediction.probability is None) == (prediction.reason in ("no text", "no words"))
        assert (prediction.reason == "no text") == (not text.strip())
        assert prediction.probability is None or 0 <= prediction.probability <= 1


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "text", ["good film " * 100_000, "x" * 1_000_000, "😀" * 250_000], ids=["words", "word", "emoji"]
)
def test_a_megabyte_is_predicted_in_seconds(text: str, tiny_classifier: SentimentClassifier) -> None:
    tiny_classifier.predict(text)


def test_a_saved_and_loaded_model_gives_the_same_predictions(
    tiny_classifier: SentimentClassifier, tmp_path: Path
) -> None:
    tiny_classifier.save_pretrained(tmp_path / "model")
    files = {"config.json", "model.safetensors", "vocab.json", "metrics.json", "README.md"}
    assert {path.name for path in (tmp_path / "model").iterdir()} == files
    again = SentimentClassifier.from_pretrained(tmp_path / "model")
    texts = ["great fun", "dull", "a terrible film!"]
    assert (again.predict_proba(texts) == tiny_classifier.predict_proba(texts)).all()


def test_missing_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="no such model directory"):
        SentimentClassifier.from_pretrained(tmp_path / "nothing")
    (tmp_path / "weights.pt").write_bytes(b"\x80\x04")
    with pytest.raises(InputError, match="is a file; give the model directory"):
        SentimentClassifier.from_pretrained(tmp_path / "weights.pt")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(RunError, match=r"some/model: .*hub cannot be reached"):
        SentimentClassifier.from_pretrained("some/model")


def test_a_hub_id_is_downloaded(tiny_model_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *_, **__: str(tiny_model_directory))
    assert SentimentClassifier.from_pretrained("some/model").predict("good").label in ("positive", "negative")


def test_the_shipped_model_knows_good_from_bad() -> None:
    assert sentiment.predict_review("I loved every minute of it, a wonderful film.").label == "positive"
    assert sentiment.predict_review("A boring, terrible waste of time.").label == "negative"


def test_a_shipped_model_is_found_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    small = SentimentClassifier.from_pretrained("imdb-small")
    assert small.digest() == SentimentClassifier.from_pretrained(SHIPPED_MODEL.parent / "imdb-small").digest()
    assert small.digest() != SentimentClassifier.from_pretrained().digest()
    assert small.predict("A wonderful film, and a moving one.").label == "positive"
    (tmp_path / "imdb-small").mkdir()  # for example, with reviews
    assert SentimentClassifier.from_pretrained("imdb-small").digest() == small.digest()
    with pytest.raises(InputError, match="imdb-small: is not a model directory"):
        SentimentClassifier.from_pretrained("./imdb-small")
