"""Which column is the review, and which is the label."""

import logging

import pytest

from sentiment.errors import InputError
from sentiment.tables.columns import choose_label_column, choose_text_column

PROSE = ["a wonderful film, all in all", "I hated it from the start"]


def text_column(columns: dict[str, list[object]], wanted: str | None = None, label: str | None = None) -> str:
    return choose_text_column("in.csv", columns, wanted, label)


def test_a_named_column_or_text_is_taken_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "sentiment")
    assert text_column({"text": [], "review": PROSE}) == "text"
    assert text_column({"text": PROSE, "other": []}, "other") == "other"
    assert caplog.records == []


@pytest.mark.parametrize("name", ["review", "Review", "sentence", "reviewText", "review_body", "Content", "Comment"])
def test_a_usual_name_is_taken_and_said(name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "sentiment")
    assert text_column({"title": PROSE, name: PROSE, "label": ["0", "1"]}) == name
    assert [record.getMessage() for record in caplog.records] == [f"in.csv: the reviews are in the column {name!r}."]


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ({"words": PROSE, "label": ["0", "1"]}, "words"),
        ({"words": PROSE, "sentiment": ["positive", "negative"]}, "words"),
        ({"words": PROSE, "author": ["Ann", "Bob"], "when": ["2020-01-01", "2021-01-01"]}, "words"),
        ({"words": PROSE, "n": [1, 2], "empty": []}, "words"),
        ({"1": PROSE, "2": ["0", "1"]}, "1"),
    ],
)
def test_the_only_column_of_text_is_taken(columns: dict[str, list[object]], found: str) -> None:
    assert text_column(columns) == found


def test_the_column_of_the_label_is_not_the_review() -> None:
    columns: dict[str, list[object]] = {"words": PROSE, "verdict": PROSE}
    assert text_column(columns, label="verdict") == "words"


@pytest.mark.parametrize(
    "columns",
    [
        {"review": PROSE, "content": PROSE},
        {"one": PROSE, "other": PROSE},
        {"one": ["good", "bad"], "other": ["fine", "poor"]},
        {"n": ["1", "2"], "label": ["0", "1"]},
        {"n": [1, 2]},
    ],
)
def test_several_columns_or_none_are_asked_about(columns: dict[str, list[object]]) -> None:
    with pytest.raises(InputError, match=r"^in\.csv: .*oose one with --text-column\.$") as refused:
        text_column(columns)
    assert all(repr(name) in str(refused.value) for name in columns if name != "label")


def test_a_missing_column_is_refused_with_those_that_exist() -> None:
    with pytest.raises(InputError, match=r"^in\.csv: no column 'words'; its columns are 'text', 'n'\. Choose one with"):
        text_column({"text": PROSE, "n": []}, "words")
    with pytest.raises(
        InputError, match=r"^in\.csv: no column 'stars'; its columns are 'a', 'b'\. .*--label-column\.$"
    ):
        choose_label_column("in.csv", ["a", "b"], "stars", False, "text")


@pytest.mark.parametrize("name", ["label", "Label", "sentiment", "polarity", "class", "target"])
def test_usual_names_of_labels(name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "sentiment")
    assert choose_label_column("in.csv", ["text", "stars", name], None, False, "text") == name
    expected = [] if name == "label" else [f"in.csv: the labels are in the column {name!r}."]
    assert [record.getMessage() for record in caplog.records] == expected


def test_ratings_are_in_columns_with_names_of_ratings() -> None:
    assert choose_label_column("in.csv", ["text", "score", "other"], None, True, "text") == "score"
    assert choose_label_column("in.csv", ["text", "label", "stars"], None, True, "text") == "label"
    assert choose_label_column("in.csv", ["text", "label"], None, True, "text") == "label"
    with pytest.raises(InputError, match=r"no column 'label'.* For stars or other ratings, add --positive-from and --"):
        choose_label_column("in.csv", ["text", "stars"], None, False, "text")


def test_several_columns_of_labels_are_asked_about() -> None:
    with pytest.raises(InputError, match=r"no column 'label'; its columns are .*Choose one with --label-column\."):
        choose_label_column("in.csv", ["text", "sentiment", "class"], None, False, "text")
    assert choose_label_column("in.csv", ["text", "sentiment", "class", "label"], None, False, "text") == "label"
