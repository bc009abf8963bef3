"""Predictions as columns of data frames."""

import sys

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from sentiment.classifier import SentimentClassifier
from sentiment.errors import InputError, RunError
from sentiment.inference.arrow import FIELDS
from sentiment.integrations.frames import score_frame

TEXTS = ["a wonderful film", None, "dull and boring", "!!!"]


@pytest.mark.parametrize("frame_of", [pd.DataFrame, pl.DataFrame, pa.table])
def test_the_answers_are_those_of_the_classifier(frame_of, tiny_classifier: SentimentClassifier) -> None:
    frame = frame_of({"id": [7, 8, 9, 10], "text": TEXTS})
    scored = score_frame(frame, classifier=tiny_classifier)
    assert type(scored) is type(frame)
    table = scored if isinstance(scored, pa.Table) else pa.table(scored)
    expected = tiny_classifier.predict_columns([text or "" for text in TEXTS]).columns()
    assert table.column_names == ["id", "text", *FIELDS.names]
    for name, values in expected.items():
        assert table[name].to_pylist() == values, name
    assert table["id"].to_pylist() == [7, 8, 9, 10] and table["text"].to_pylist() == TEXTS
    assert expected["reason"] == [None, "no text", None, "no words"]


def test_pandas_keeps_its_index_and_the_given_frame(tiny_classifier: SentimentClassifier) -> None:
    frame = pd.DataFrame({"review": ["dull", "great fun", "dull"], "label": [0, 1, 0]}, index=[5, 2, 5])
    before = frame.copy()
    scored = score_frame(frame, "review", tiny_classifier)
    assert scored.index.tolist() == [5, 2, 5]
    assert scored["predicted_label"].tolist() == [p.label for p in tiny_classifier.predict(frame["review"].tolist())]
    assert scored["label"].tolist() == [0, 1, 0]
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA])
@pytest.mark.parametrize("kind", [object, "string", "str"])
def test_every_missing_value_of_pandas_is_an_empty_text(missing, kind, tiny_classifier: SentimentClassifier) -> None:
    frame = pd.DataFrame({"text": pd.Series(["dull", missing], dtype=kind)})
    assert score_frame(frame, classifier=tiny_classifier)["reason"].tolist()[1] == "no text"


@pytest.mark.parametrize("frame_of", [pd.DataFrame, pl.DataFrame])
def test_a_frame_without_rows(frame_of, tiny_classifier: SentimentClassifier) -> None:
    scored = score_frame(frame_of({"text": ["dull"]})[:0], classifier=tiny_classifier)
    assert len(scored) == 0 and list(scored.columns) == ["text", *FIELDS.names]


def test_polars_types_do_not_depend_on_the_values(tiny_classifier: SentimentClassifier) -> None:
    for texts in (["dull"], ["!!!"], []):
        frame = pl.DataFrame({"text": texts}, schema={"text": pl.String})
        types = score_frame(frame, classifier=tiny_classifier).drop("text").schema
        assert list(types.values()) == [
            pl.String, pl.Float64, pl.Float64, pl.Int64, pl.Int64, pl.Boolean, pl.Boolean, pl.String,
            pl.Float64, pl.String,
        ]  # fmt: skip


def test_what_is_no_frame_is_refused(tiny_classifier: SentimentClassifier) -> None:
    with pytest.raises(TypeError, match="a list is not a data frame in memory; give one of pandas or Polars"):
        score_frame(["dull"], classifier=tiny_classifier)
    with pytest.raises(TypeError, match="a LazyFrame is not a data frame in memory; collect it first"):
        score_frame(pl.LazyFrame({"text": ["dull"]}), classifier=tiny_classifier)
    with pytest.raises(InputError, match="there is no column 'text'; the columns are review, stars"):
        score_frame(pl.DataFrame({"review": ["dull"], "stars": [1]}), classifier=tiny_classifier)
    with pytest.raises(TypeError, match="review 1 is int; it must be a string"):
        score_frame(pd.DataFrame({"text": ["dull", 3]}, dtype=object), classifier=tiny_classifier)


def test_without_narwhals_the_message_has_the_install_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "narwhals.stable.v2", None)
    with pytest.raises(RunError, match=r"narwhals is not installed.*pip install -c constraints.txt '.\[frames\]'"):
        score_frame(pl.DataFrame({"text": ["dull"]}))
