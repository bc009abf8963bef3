"""Labels as people write them, and what is said about those that are not understood."""

import json
import logging
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sentiment.config import DataConfig
from sentiment.data.labels import Label, MissingLabelError, label_reader
from sentiment.data.loading import load_reviews
from sentiment.errors import InputError


def read(value: Any, others: list[Any] | None = None, classes: tuple[str, ...] = (), **settings: Any) -> Label:
    labels = label_reader(DataConfig(**settings), "in.csv", "label", classes)
    return labels.read(value, "line 2", [value] if others is None else others)


def refusal(value: Any, others: list[Any] | None = None, classes: tuple[str, ...] = (), **settings: Any) -> str:
    with pytest.raises(InputError) as refused:
        read(value, others, classes, **settings)
    return str(refused.value)


@pytest.mark.parametrize(
    "value", [1, 1.0, True, "1", "1.0", " 1 ", "pos", "Pos", "positive", "POSITIVE", "true", "True"]
)
def test_positive_labels(value: object) -> None:
    assert read(value) == 1


@pytest.mark.parametrize("value", [0, 0.0, False, "0", "0.0", "-0", "neg", "NEG", "negative", "Negative\n", "False"])
def test_negative_labels(value: object) -> None:
    assert read(value) == 0


@pytest.mark.parametrize("value", [None, "", "  ", float("nan")])
def test_a_missing_label_is_no_unknown_label(value: object) -> None:
    with pytest.raises(MissingLabelError, match=r"^line 2: column 'label' "):
        read(value)
    for settings in ({"label_map": "1=negative,2=positive"}, {"positive_from": 4, "negative_to": 2}):
        with pytest.raises(MissingLabelError):
            read(value, **settings)


@pytest.mark.parametrize(
    ("value", "others", "words"),
    [
        (2, [1, 2], ["'2'", "--label-map", "1=", "2="]),
        (-1, [-1, 1], ["'-1'", "--label-map", "-1=", "1="]),
        ("4", ["4", "0"], ["'4'", "--label-map", "0=", "4="]),
        ("n", ["y", "n"], ["'n'", "--label-map", "n=", "y="]),
        (3, [1, 2, 3, 4, 5], ["'3'", "for ratings, add --positive-from 4 --negative-to 2"]),
        ("neutral", ["positive", "neutral", "negative"], ["'neutral'", "--label-map", "neutral=", "skip"]),
        ("bad", ["bad", "meh", "good"], ["'bad'", "--label-map", "bad=", "good=", "meh=", "skip"]),
    ],
)
def test_unknown_labels_are_refused_with_the_way_to_name_them(value: Any, others: list[Any], words: list[str]) -> None:
    message = refusal(value, others)
    assert message.startswith("in.csv: line 2: column 'label' contains ") and "which is no label; " in message
    assert [word for word in words if word not in message] == [] and message.endswith(".")
    assert "positive=" not in message


def test_a_map_gives_labels_their_meaning() -> None:
    settings = {"label_map": "1=negative, 2 = POSITIVE,3=skip,Good=1,bad=neg"}
    values: list[Any] = [1, "2", 2.0, "3", "good", "BAD", "positive", "neg"]
    assert [read(value, **settings) for value in values] == [0, 1, 1, None, 1, 0, 1, 0]


def test_with_numbers_in_the_map_every_number_needs_a_meaning() -> None:
    assert "contains '0', which is no label" in refusal(0, [0, 1, 2], label_map="1=negative,2=positive")
    assert read(0, label_map="meh=skip") == 0 and read("1", label_map="meh=skip") == 1


@pytest.mark.parametrize("text", ["1", "1=", "=positive", "1=good", "a=negative,,b=positive"])
def test_a_map_that_cannot_be_read_is_refused(text: str) -> None:
    assert refusal(1, label_map=text) == (
        f"label_map {text!r}: write NAME=negative, NAME=positive or NAME=skip, separated by commas."
    )


def test_a_label_has_one_meaning() -> None:
    assert refusal(1, label_map="a=neg,A=pos") == "label_map 'a=neg,A=pos': 'A' has two meanings."
    assert read("a", label_map="a=neg,A=negative") == 0


def test_ratings() -> None:
    settings = {"positive_from": 4, "negative_to": 2}
    values: list[Any] = [1, "2", 2.5, "3,0", "4", 4.5, "10", "-1"]
    assert [read(value, **settings) for value in values] == [0, 0, None, None, 1, 1, 1, 0]
    assert refusal("great", **settings) == "in.csv: line 2: column 'label' contains 'great', not a rating."
    with pytest.raises((InputError, MissingLabelError)):  # not silently a rating between the two
        read("nan", **settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"positive_from": 4}, "positive_from and negative_to go together"),
        ({"negative_to": 2}, "positive_from and negative_to go together"),
        ({"positive_from": 2, "negative_to": 2}, r"negative_to \(2\) must be below positive_from \(2\)"),
        ({"positive_from": 4, "negative_to": 2, "label_map": "a=neg"}, "leave one out"),
    ],
)
def test_settings_that_contradict_each_other(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        DataConfig(**settings)


def test_names_of_classes_decide_what_a_number_means() -> None:
    assert [read(value, classes=("neg", "pos")) for value in (0, 1)] == [0, 1]
    assert [read(value, classes=("pos", "neg")) for value in (0, 1)] == [1, 0]
    assert [read(value, classes=("1", "0")) for value in (0, 1)] == [1, 0]
    three = ("Positive", "neutral", "Negative")
    assert [read(value, classes=three, label_map="neutral=skip") for value in range(3)] == [1, None, 0]
    for missing in (None, -1):
        with pytest.raises(MissingLabelError):
            read(missing, classes=("neg", "pos"))


def test_unknown_names_of_classes_are_asked_for() -> None:
    assert refusal(0, [0, 1], ("bad", "good")).count("bad=MEANING,good=MEANING") == 1
    assert [read(value, classes=("bad", "good"), label_map="bad=negative,good=positive") for value in (0, 1)] == [0, 1]
    message = refusal(1, [0, 1, 2], ("negative", "neutral", "positive"))
    assert "neutral=MEANING" in message and "positive=MEANING" not in message


def test_a_number_that_is_no_class_is_refused() -> None:
    for value in (5, -2):
        assert "line 2" in refusal(value, [value], ("neg", "pos"))


def test_ratings_are_the_names_of_classes_not_their_numbers() -> None:
    classes, settings = ("1", "2", "3", "4", "5"), {"positive_from": 4, "negative_to": 2}
    assert [read(value, classes=classes, **settings) for value in range(5)] == [0, 0, None, 1, 1]
    classes = ("1 star", "2 stars", "3 stars", "4 stars", "5 stars")
    assert [read(value, classes=classes, **settings) for value in range(5)] == [0, 0, None, 1, 1]


# in files and on the hub


def put(file: Path, rows: list[dict[str, Any]]) -> Path:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def labels_of(source: Path | str, **settings: Any) -> list[int]:
    return list(load_reviews(DataConfig(source=str(source), **settings), "train")["label"])


def classified(names: list[str]) -> datasets.Dataset:
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=names)})
    return datasets.Dataset.from_dict({"text": ["a", "b", "c"], "label": [0, 1, 1]}, features=features)


@pytest.mark.parametrize(("names", "expected"), [(["neg", "pos"], [0, 1, 1]), (["positive", "negative"], [1, 0, 0])])
def test_classes_in_parquet_metadata(tmp_path: Path, names: list[str], expected: list[int]) -> None:
    classified(names).to_parquet(tmp_path / "in.parquet")
    assert labels_of(tmp_path / "in.parquet") == expected
    table = pq.read_table(tmp_path / "in.parquet").rename_columns(["text", "verdict"])
    pq.write_table(table, tmp_path / "renamed.parquet")  # the metadata knows no such column
    assert labels_of(tmp_path / "renamed.parquet", label_column="verdict") == [0, 1, 1]


@pytest.mark.parametrize(("names", "expected"), [(["neg", "pos"], [0, 1, 1]), (["positive", "negative"], [1, 0, 0])])
def test_classes_on_the_hub(monkeypatch: pytest.MonkeyPatch, names: list[str], expected: list[int]) -> None:
    monkeypatch.setattr("sentiment.data.loading.load_dataset", lambda *_, **__: classified(names))
    assert labels_of("someone/reviews") == expected


def test_classes_on_the_hub_whose_names_are_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentiment.data.loading.load_dataset", lambda *_, **__: classified(["bad", "good"]))
    with pytest.raises(InputError, match=r"someone/reviews: row 1: .* --label-map=bad=MEANING,good=MEANING"):
        labels_of("someone/reviews")
    assert labels_of("someone/reviews", label_map="bad=negative,good=positive") == [0, 1, 1]


@pytest.mark.parametrize("values", [["neg", "pos"], [False, True], [0.0, 1.0], [0, 1]])
def test_labels_in_parquet(tmp_path: Path, values: list[Any]) -> None:
    pq.write_table(pa.table({"text": ["a", "b"], "label": values}), tmp_path / "in.parquet")
    assert labels_of(tmp_path / "in.parquet") == [0, 1]
    dictionary = pa.array([str(value) for value in values]).dictionary_encode()
    pq.write_table(pa.table({"text": ["a", "b"], "label": dictionary}), tmp_path / "in.parquet")
    assert labels_of(tmp_path / "in.parquet") == [0, 1]


def test_an_unknown_label_stops_also_where_bad_rows_are_skipped(tmp_path: Path) -> None:
    file = put(tmp_path / "in.jsonl", [{"text": "a", "label": 1}, {"text": "b", "label": "so so"}])
    with pytest.raises(InputError, match=r"in\.jsonl: line 2: column 'label' contains 'so so', which is no label; "):
        labels_of(file, on_bad_row="skip")


def test_a_missing_label_is_a_bad_row(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = [{"text": "a", "label": 1}, {"text": "b", "label": None}, {"text": "c", "label": 0}, {"text": "d"}]
    file = put(tmp_path / "in.jsonl", rows)
    with pytest.raises(InputError) as refused:
        labels_of(file)
    advice = "Correct it, or skip such rows with --on-bad-row=skip."
    assert str(refused.value).startswith(f"{file}: line 2: column 'label' ") and str(refused.value).endswith(advice)
    caplog.set_level(logging.INFO, "sentiment")
    reviews = load_reviews(DataConfig(source=str(file), on_bad_row="skip"), "train")
    assert (reviews["label"][:], reviews["row"][:]) == ([1, 0], [0, 2])
    assert f"{file}: skipped: line 4: column 'label' " in caplog.text
    assert "2 of 4 rows are used; left out: 2 that cannot be read." in caplog.text


def test_reviews_that_are_left_out_by_their_labels_are_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = put(tmp_path / "in.jsonl", [{"review": f"film {stars}", "stars": stars} for stars in (1, 2, 3, 4, 5)])
    reviews = load_reviews(DataConfig(source=str(file), positive_from=4, negative_to=2), "train")
    assert (reviews["text"][:], reviews["label"][:]) == ([f"film {stars}" for stars in (1, 2, 4, 5)], [0, 0, 1, 1])
    assert "4 of 5 rows are used; left out: 1 " in caplog.text


@pytest.mark.parametrize(
    ("value", "label"),
    [("5 stars", 1), ("1 star", 0), ("4/5", 1), ("4.0 out of 5 stars", 1), ("2,0", 0), ("-1", 0), ("3-stars", None)],
)
def test_ratings_as_shops_write_them(value: str, label: int | None) -> None:
    reader = label_reader(DataConfig(positive_from=4, negative_to=2), "in.csv", "stars")
    assert reader.read(value, "line 2", [value]) == label
    with pytest.raises(InputError, match="not a rating"):
        reader.read("★★★★★", "line 3", [])


def test_a_map_that_matches_nothing_is_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "in.csv").write_text("text,label\ngood film,negative\nbad film,positive\n")
    source = str(tmp_path / "in.csv")
    with pytest.raises(InputError, match=r"no label is 0, 1, as --label-map says; the labels are other words"):
        load_reviews(DataConfig(source=source, label_map="0=positive,1=negative"), "test")
    load_reviews(DataConfig(source=source, label_map="negative=positive,2=skip"), "test")
    assert "no label is 2, which is in --label-map." in caplog.text


def test_a_map_is_for_all_files_together(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a.csv").write_text("text,label\ngood film,2\nbad film,1\n")
    (tmp_path / "b.csv").write_text("text,label\n,\nnice film,positive\n")
    config = DataConfig(source=str(tmp_path), label_map="1=negative,2=positive")
    assert list(load_reviews(config, "test")["label"]) == [1, 0, 1]
    assert "--label-map" not in caplog.text
