import csv
import gzip
import json
import os
import tracemalloc
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment.config import DataConfig
from sentiment.data.loading import check_both_classes, load_reviews, tokenize_texts
from sentiment.data.splitting import linked_rows, read_parts, split_validation
from sentiment.errors import InputError, RunError
from sentiment.tables import parquet, reader

ROWS = [{"text": f"review {number}", "label": number % 2} for number in range(8)]
LOADED = [row | {"row": number} for number, row in enumerate(ROWS)]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    match path.suffix:
        case ".jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        case ".csv":
            with path.open("w", newline="") as file:
                writer = csv.DictWriter(file, rows[0])
                writer.writeheader()
                writer.writerows(rows)
        case ".parquet":
            datasets.Dataset.from_list(rows).to_parquet(path)
    return path


def load(source: Path | str, split: str = "train", **settings: Any) -> datasets.Dataset:
    return load_reviews(DataConfig(source=str(source), **settings), split)


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_a_file_is_one_split_and_a_directory_has_a_file_per_split(suffix: str, tmp_path: Path) -> None:
    file = write(tmp_path / f"test{suffix}", ROWS)
    assert load(file, "train").to_list() == LOADED
    assert load(tmp_path, "test").to_list() == LOADED


def test_columns_can_be_named(tmp_path: Path) -> None:
    rows = [{"review": "good", "stars": 1, "film": "a", "other": 3}]
    file = write(tmp_path / "train.jsonl", rows)
    loaded = load(file, text_column="review", label_column="stars", group_column="film")
    assert loaded.to_list() == [{"text": "good", "label": 1, "group": "a", "row": 0}]


@pytest.mark.parametrize(
    ("settings", "both"),
    [
        ({"text_column": "review", "label_column": "review"}, "text column and the label column are both 'review'"),
        ({"text_column": "review", "group_column": "review"}, "text column and the group column are both 'review'"),
        ({"label_column": "stars", "group_column": "stars"}, "label column and the group column are both 'stars'"),
    ],
)
def test_two_columns_cannot_have_the_same_name(settings: dict[str, str], both: str) -> None:
    with pytest.raises(InputError, match=rf"^the {both}; name two columns\.$"):
        load("where/there/is/nothing", **settings)  # fails before the source is searched


def test_the_label_column_of_unlabeled_reviews_does_not_matter(tmp_path: Path) -> None:
    file = write(tmp_path / "train.jsonl", [{"label": "good", "group": "a"}])
    loaded = load_reviews(DataConfig(source=str(file), text_column="label"), "train", labeled=False)
    assert loaded.to_list() == [{"text": "good", "group": "a", "row": 0}]


def test_a_column_called_group_can_be_the_text_or_the_label(tmp_path: Path) -> None:
    file = write(tmp_path / "train.jsonl", [{"group": "good", "label": 1}])
    assert load(file, text_column="group").to_list() == [{"text": "good", "label": 1, "row": 0}]
    file = write(tmp_path / "train.jsonl", [{"text": "good", "group": 1}])
    assert load(file, label_column="group").to_list() == [{"text": "good", "label": 1, "row": 0}]


def test_acl_imdb_directory(tmp_path: Path) -> None:
    for folder, stars in (("pos", 9), ("neg", 2), ("unsup", 0)):
        (tmp_path / "train" / folder).mkdir(parents=True)
        for number in range(11):
            (tmp_path / "train" / folder / f"{number}_{stars}.txt").write_text(f"{folder} {number}")
        (tmp_path / "train" / f"urls_{folder}.txt").write_text("".join(f"film{n // 2}\n" for n in range(11)))
    loaded = load(tmp_path)
    assert loaded["label"][:] == [0] * 11 + [1] * 11
    assert loaded["text"][10] == "neg 10"
    assert loaded["group"][10] == "film5"
    unlabeled = load_reviews(DataConfig(source=str(tmp_path)), "unsupervised", labeled=False)
    assert len(unlabeled) == 11


def acl_imdb(directory: Path) -> Path:
    for folder, stars in (("pos", 9), ("neg", 2)):
        (directory / "train" / folder).mkdir(parents=True)
        (directory / "train" / folder / f"0_{stars}.txt").write_text(folder)
        (directory / "train" / f"urls_{folder}.txt").write_text("film\n")
    return directory


def test_hidden_files_of_an_acl_imdb_directory_are_ignored(tmp_path: Path) -> None:
    (acl_imdb(tmp_path) / "train" / "pos" / "._0_9.txt").write_bytes(b"\x00\x05\x16\x07")
    assert load(tmp_path)["text"][:] == ["neg", "pos"]


@pytest.mark.parametrize("name", ["great.txt", "-1_9.txt", "1.txt", "1_9 copy.txt"])
def test_a_wrong_file_name_in_an_acl_imdb_directory_is_rejected(name: str, tmp_path: Path) -> None:
    (acl_imdb(tmp_path) / "train" / "pos" / name).write_text("good")
    with pytest.raises(InputError, match=rf"pos/{name}: .* NUMBER_STARS\.txt; rename or remove it\.$"):
        load(tmp_path)


def test_the_films_of_an_acl_imdb_directory_must_be_utf8(tmp_path: Path) -> None:
    (acl_imdb(tmp_path) / "train" / "urls_neg.txt").write_bytes("très bon".encode("latin-1"))
    with pytest.raises(InputError, match=r"urls_neg\.txt: not UTF-8 at byte 2; convert it to UTF-8\.$"):
        load(tmp_path)


def test_groups_file(tmp_path: Path) -> None:
    file, groups = write(tmp_path / "train.jsonl", ROWS), tmp_path / "films.txt"
    groups.write_text("".join(f"film{number // 2}\n" for number in range(8)))
    assert load(file, groups_file=str(groups))["group"][:3] == ["film0", "film0", "film1"]
    groups.write_text("film0\n")
    with pytest.raises(InputError, match="1 groups for 8 training rows"):
        load(file, groups_file=str(groups))
    groups.write_bytes(b"film\xe9\n" * 8)
    with pytest.raises(InputError, match=r"films\.txt: not UTF-8 at byte 4"):
        load(file, groups_file=str(groups))


def test_a_groups_file_replaces_the_groups_of_the_source(tmp_path: Path) -> None:
    groups = tmp_path / "films.txt"
    groups.write_text("one\nanother\n")
    assert load(acl_imdb(tmp_path / "archive"), groups_file=str(groups))["group"][:] == ["one", "another"]
    file = write(tmp_path / "train.jsonl", [{**row, "group": "film"} for row in ROWS[:2]])
    loaded = load(file, groups_file=str(groups))
    assert set(loaded.column_names) == {"text", "label", "group", "row"}
    assert loaded["group"][:] == ["one", "another"]
    assert load(file)["group"][:] == ["film", "film"]
    for split in ("train", "test"):
        with pytest.raises(InputError, match=r"data\.group_column and data\.groups_file .* leave one out\.$"):
            load(file, split, group_column="group", groups_file=str(groups))


def test_a_named_group_column_has_priority_over_one_called_group(tmp_path: Path) -> None:
    file = write(tmp_path / "train.jsonl", [{**row, "group": "no", "film": "yes"} for row in ROWS])
    assert load(file, group_column="film")["group"][:] == ["yes"] * 8


def test_groups_are_required_only_for_the_training_split(tmp_path: Path) -> None:
    file = write(tmp_path / "test.jsonl", ROWS)
    assert set(load(file, "test", group_column="film").column_names) == {"text", "label", "row"}
    with pytest.raises(InputError, match="no column 'film'"):
        load(file, "train", group_column="film")


def test_a_validation_fraction_above_half_is_rejected() -> None:
    with pytest.raises(InputError, match=r"data\.validation_fraction is 0\.6; give at most 0\.5\."):
        split_validation(datasets.Dataset.from_list(ROWS), 0.6, 0)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{"text": "a", "stars": 1}], r"no column 'label'.*'text', 'stars'.*--positive-from"),
        ([{"label": 1}], "no column 'text'"),
        ([{"text": "a", "label": 2}], "line 1: column 'label' contains '2'"),
        ([{"text": "a", "label": 1}, {"text": "b", "label": -1}], "line 2: column 'label' contains '-1'"),
        ([{"text": "a", "label": "good"}], "contains 'good'"),
        ([{"text": "a", "label": None}, {"text": "b", "label": 1}], "line 1: column 'label' has no label"),
        ([{"text": 3, "label": 1}], "line 1: column 'text' contains a number, not text"),
        ([{"text": "a", "label": 1}, {"label": 1}], "line 2: the row has no 'text'"),
        ([{"text": None, "label": 1}, {"text": " ", "label": 1}], r"it contains no reviews \(2 without a text\)"),
    ],
)
def test_unusable_reviews_are_rejected(rows: list[dict[str, Any]], words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=rf"reviews\.jsonl.*{words}"):
        load(write(tmp_path / "reviews.jsonl", rows))


def test_rows_without_a_text_are_left_out_and_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    texts = ["good", "", None, " ", "!!!"]
    file = write(tmp_path / "in.jsonl", [{"text": text, "label": row % 2} for row, text in enumerate(texts)])
    assert load(file).to_list() == [
        {"text": "good", "label": 0, "row": 0},
        {"text": "!!!", "label": 0, "row": 4},
    ]
    assert f"{file} (train): 2 of 5 rows are used; left out: 3 without a text." in caplog.text


def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (reader, parquet):
        monkeypatch.setattr(module, "CHUNK_ROWS", 2)


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_bad_rows_are_left_out_wherever_they_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, ending: str
) -> None:
    small_chunks(monkeypatch)
    file = tmp_path / f"in.{ending}"
    if ending == "csv":
        rows = ["text,label,film", "bad", "bad", "a,0,x", "b,1,x", "bad", "c,1,y", "d,,y", "bad", "e,0,z"]
        file.write_text("\n".join(rows))
    else:
        good = [{"text": text, "label": label, "film": film} for text, label, film in ("a0x", "b1x", "c1y", "e0z")]
        lines = ["bad", "bad", *map(json.dumps, good[:2]), "bad", json.dumps(good[2])]
        file.write_text("\n".join([*lines, '{"text": "d", "film": "y"}', "bad", json.dumps(good[3])]))
    groups = tmp_path / "films.txt"
    groups.write_text("".join(f"film {row}\n" for row in range(9)))
    loaded = load(file, on_bad_row="skip", group_column="film").to_dict()
    expected = {"text": ["a", "b", "c", "e"], "label": [0, 1, 1, 0], "row": [2, 3, 5, 8]}
    assert loaded == expected | {"group": ["x", "x", "y", "z"]}
    assert "4 of 9 rows are used; left out: 5 that cannot be read." in caplog.text
    by_row = load(file, on_bad_row="skip", groups_file=str(groups))
    assert by_row["group"][:] == ["film 2", "film 3", "film 5", "film 8"]


def test_a_column_of_groups_that_is_missing_is_named_after_bad_rows_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_chunks(monkeypatch)
    file = tmp_path / "in.csv"
    file.write_text("text,label\nbad\nbad\na,0\nb,1\n")
    with pytest.raises(InputError, match=r"in\.csv: no column 'film'; its columns are 'text', 'label'"):
        load(file, on_bad_row="skip", group_column="film")


@pytest.mark.parametrize("content", ["", "text,label\n", "text,label\na,1\nb,1,2,3\n", "\x00\x01\x02"])
def test_a_broken_csv_is_rejected_by_name(content: str, tmp_path: Path) -> None:
    file = tmp_path / "reviews.csv"
    file.write_text(content)
    with pytest.raises(InputError, match=r"reviews\.csv"):
        load(file)


def test_a_missing_source_is_rejected(tmp_path: Path) -> None:
    for source in (tmp_path / "nothing", "./nothing", "nothing.csv", tmp_path / "nothing" / "*.csv"):
        with pytest.raises(InputError, match="nothing"):
            load(source)
    (tmp_path / "reviews.doc").write_text("a")
    with pytest.raises(InputError, match=r"must end in \.txt, \.csv"):
        load(tmp_path / "reviews.doc")
    (tmp_path / "reviews.txt").write_text("a")
    with pytest.raises(InputError, match=r"reviews\.txt: a \.txt file has no labels"):
        load(tmp_path / "reviews.txt")
    write(tmp_path / "train.jsonl", ROWS)
    with pytest.raises(InputError, match=r"no file is named after the split 'validation'; its files are train\.jsonl"):
        load(tmp_path, "validation")


def test_lines_of_a_text_file_are_reviews_without_labels(tmp_path: Path) -> None:
    (tmp_path / "reviews.txt").write_text("good, or not\n\nbad\n")
    loaded = load_reviews(DataConfig(source=str(tmp_path / "reviews.txt")), "train", labeled=False)
    assert loaded.to_list() == [{"text": "good, or not", "row": 0}, {"text": "bad", "row": 2}]


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train.csv", "train"),
        ("train.jsonl.gz", "train"),
        ("data/train-00000-of-00001.parquet", "train"),
        ("imdb_train.tsv", "train"),
        ("test/reviews.csv", "test"),
        ("valid.csv", "validation"),
        ("dev.csv", "validation"),
        ("unsupervised.csv", "unsupervised"),
    ],
)
def test_files_of_a_directory_are_named_after_splits(name: str, split: str, tmp_path: Path) -> None:
    for file, text in ((name, "good"), ("other/contest.csv" if name.endswith(".csv") else name, "good")):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        if file.endswith(".parquet"):
            datasets.Dataset.from_list([{"text": text, "label": 1}]).to_parquet(tmp_path / file)
        elif "jsonl" in file:
            (tmp_path / file).write_bytes(gzip.compress(json.dumps({"text": text, "label": 1}).encode()))
        else:
            separator = "\t" if file.endswith(".tsv") else ","
            (tmp_path / file).write_text(f"text{separator}label\n{text}{separator}1\n")
    assert load(tmp_path, split)["text"][:] == ["good"]
    with pytest.raises(InputError, match="no file is named after the split 'elsewhere'"):
        load(tmp_path, "elsewhere")


def test_files_that_are_not_named_after_splits_are_one_table(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("collected by hand\n")
    (tmp_path / "b.csv").write_text("text,label\nb,1\n")
    (tmp_path / "a.csv").write_text("review,sentiment\na,negative\n")
    for split in ("train", "test"):
        assert load(tmp_path, split).to_list() == [
            {"text": "a", "label": 0, "row": 0},
            {"text": "b", "label": 1, "row": 1},
        ]


def test_several_files_have_groups_or_none_has(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", [{"text": "a", "label": 0, "group": "x"}])
    write(tmp_path / "b.csv", [{"text": "b", "label": 1, "group": "y"}])
    assert load(tmp_path / "*.csv")["group"][:] == ["x", "y"]
    write(tmp_path / "b.csv", [{"text": "b", "label": 1}])
    with pytest.raises(InputError, match=r"b\.csv: no column 'group', which the files before it have"):
        load(tmp_path / "*.csv")


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_a_file_that_was_replaced_is_read_anew(suffix: str, tmp_path: Path) -> None:
    file = write(tmp_path / f"test{suffix}", ROWS)
    before = file.stat()
    assert load(file).to_list() == LOADED
    write(file, ROWS[:3])
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_mtime_ns == before.st_mtime_ns
    assert load(file).to_list() == LOADED[:3]
    write(file, [{"text": "Review", "label": 1}, *ROWS[1:3]])
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert load(file)["text"][0] == "Review"


def test_a_hub_id_is_loaded_from_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    def stand_in(path: str, **arguments: Any) -> datasets.Dataset:
        asked.append({"path": path, **arguments})
        return datasets.Dataset.from_list(ROWS)

    monkeypatch.setattr("sentiment.data.loading.load_dataset", stand_in)
    assert load("stanfordnlp/imdb", "train").to_list() == LOADED
    assert asked == [{"path": "stanfordnlp/imdb", "split": "train"}]

    def unreachable(*_: Any, **arguments: Any) -> datasets.Dataset:
        raise ConnectionError("Couldn't reach 'stanfordnlp/imdb' on the Hub")

    monkeypatch.setattr("sentiment.data.loading.load_dataset", unreachable)
    with pytest.raises(RunError, match="the hub cannot be reached"):
        load("stanfordnlp/imdb")


def test_training_needs_both_classes() -> None:
    check_both_classes([0, 1, 1], "reviews.csv")
    with pytest.raises(InputError, match="every label is 1"):
        check_both_classes([1, 1], "reviews.csv")


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=30))
def test_linked_rows_are_the_connected_components(pairs: list[tuple[int, int]]) -> None:
    units = linked_rows([str(a) for a, _ in pairs], [str(b) for _, b in pairs])
    # naive algorithm: copy each row's number to all rows that share a key, until nothing changes
    expected = list(range(len(pairs)))
    for _ in pairs:
        for i, (a, b) in enumerate(pairs):
            for j, (c, d) in enumerate(pairs):
                if a == c or b == d:
                    expected[i] = expected[j] = min(expected[i], expected[j])
    same = [[x == y for y in units] for x in units]
    assert same == [[x == y for y in expected] for x in expected]


def test_one_long_review_does_not_increase_the_memory_of_the_others() -> None:
    reviews = [f"review {number}" for number in range(1000)] + ["long" * 25_000]
    tracemalloc.start()
    try:
        units = linked_rows(reviews)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(set(units)) == len(reviews)
    assert peak < 5e6  # bytes; storing every review at the length of the longest takes 400 million


def test_the_validation_part_is_stratified_and_shares_no_text_or_film_with_the_training_part() -> None:
    generator = np.random.default_rng(0)
    rows = [{"text": f"review {n}", "label": n % 2, "group": f"film {generator.integers(60)}"} for n in range(600)]
    rows += [{**row, "text": row["text"].upper() + "<br />", "group": f"other {n}"} for n, row in enumerate(rows[:50])]
    reviews = datasets.Dataset.from_list(rows)
    train, validation = split_validation(reviews, 0.1, seed=0)
    assert sorted([*train, *validation]) == list(range(650))
    assert 40 <= len(validation) <= 90
    for column in ("group", "text"):
        values = [row[column].lower().removesuffix("<br />") for row in rows]
        assert not {values[row] for row in train} & {values[row] for row in validation}
    assert abs(np.mean([rows[row]["label"] for row in validation]) - 0.5) < 0.1
    again = split_validation(reviews, 0.1, seed=0)
    assert (again[1] == validation).all()
    assert list(split_validation(reviews, 0.1, seed=1)[1]) != list(validation)


def test_too_few_reviews_for_a_validation_part() -> None:
    reviews = datasets.Dataset.from_list(ROWS[:4])
    with pytest.raises(InputError, match="too few"):
        split_validation(reviews, 0.1, seed=0)


def test_tokenized_reviews_keep_their_order() -> None:
    tokens = tokenize_texts(f"It isn't <b>number</b> {n}" for n in range(4500))
    assert [line.split() for line in tokens] == [["it", "isnt", "number", str(n)] for n in range(4500)]


@pytest.mark.parametrize("source", ["~nosuchuser/reviews", "~nosuchuser"])
def test_an_unknown_home_directory_is_rejected(source: str) -> None:
    with pytest.raises(InputError, match=rf"^{source}: no home directory is known for ~nosuchuser; .*\.$"):
        load(source)


def test_a_text_with_both_labels_is_named_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = [("Fine.", 1), ("Dull.", 0), ("fine. ", 0), ("Dull.", 0), ("Long.", 0), ("Fine.", 0), ("Long.", 1)]
    file = write(tmp_path / "train.csv", [{"text": text, "label": label} for text, label in [*rows, ("<br />", 1)]])
    load(file)
    (record,) = caplog.records
    assert record.getMessage() == (
        f"{file} (train): 2 texts have both labels: {file}: line 2 (positive) and {file}: line 4 (negative); "
        "correct a label, or remove the text."
    )
    caplog.clear()
    load_reviews(DataConfig(source=str(file)), "train", labeled=False)
    assert not caplog.records


def test_places_of_rows(tmp_path: Path) -> None:
    write(tmp_path / "one.csv", ROWS[:2])
    write(tmp_path / "two.csv", ROWS[:2])
    reviews = load_reviews(DataConfig(source=str(tmp_path)), "train", places=True)
    assert reviews["place"][:] == [f"{tmp_path}/{name}.csv: line {line}" for name in ("one", "two") for line in (2, 3)]


@pytest.mark.filterwarnings("error")
def test_a_validation_part_of_one_class_is_named(caplog: pytest.LogCaptureFixture) -> None:
    rows = [{"text": f"review {n}", "label": int(n == 0), "group": str(n % 10)} for n in range(40)]
    _, validation = split_validation(datasets.Dataset.from_list(rows), 0.1, seed=1)
    assert 0 not in validation
    assert caplog.messages == [
        "all 4 reviews of the validation part are negative, so it cannot tell how good a model is; give more reviews "
        "of the other label, a larger validation_fraction, or another validation_seed."
    ]


def test_a_training_part_of_one_class_is_refused(tmp_path: Path) -> None:
    rows = [{"text": f"{group} {n}", "label": int(group == "b"), "group": group} for group in "ab" for n in range(20)]
    config = DataConfig(source=str(write(tmp_path / "train.jsonl", rows)), validation_fraction=0.5)
    with pytest.raises(InputError, match=r"train\.jsonl: all reviews of the training part are (neg|pos)ative, since"):
        read_parts(config)
