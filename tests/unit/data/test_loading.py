import csv
import json
import tracemalloc
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment.config import DataConfig
from sentiment.data.loading import check_both_classes, load_reviews, tokenize_reviews
from sentiment.data.splitting import linked_rows, split_validation
from sentiment.errors import InputError, RunError

ROWS = [{"text": f"review {number}", "label": number % 2} for number in range(8)]


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
    assert load(file, "train").to_list() == ROWS
    assert load(tmp_path, "test").to_list() == ROWS


def test_columns_can_be_named(tmp_path: Path) -> None:
    rows = [{"review": "good", "stars": 1, "film": "a", "other": 3}]
    file = write(tmp_path / "train.jsonl", rows)
    loaded = load(file, text_column="review", label_column="stars", group_column="film")
    assert loaded.to_list() == [{"text": "good", "label": 1, "group": "a"}]


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
    assert loaded.to_list() == [{"text": "good", "group": "a"}]


def test_a_column_called_group_can_be_the_text_column(tmp_path: Path) -> None:
    file = write(tmp_path / "train.jsonl", [{"group": "good", "label": 1}])
    assert load(file, text_column="group").to_list() == [{"text": "good", "label": 1}]


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


@pytest.mark.parametrize("name", ["pos/0_9.txt", "urls_neg.txt"])
def test_an_acl_imdb_file_that_is_not_utf8_is_rejected(name: str, tmp_path: Path) -> None:
    (acl_imdb(tmp_path) / "train" / name).write_bytes("très bon".encode("latin-1"))
    with pytest.raises(InputError, match=rf"{name}: not UTF-8 at byte 2; convert it to UTF-8\.$"):
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
    assert loaded.column_names == ["text", "label", "group"]
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
    assert load(file, "test", group_column="film").column_names == ["text", "label"]
    with pytest.raises(InputError, match="no column 'film'"):
        load(file, "train", group_column="film")


def test_a_validation_fraction_above_half_is_rejected() -> None:
    with pytest.raises(InputError, match=r"data\.validation_fraction is 0\.6; give at most 0\.5\."):
        split_validation(datasets.Dataset.from_list(ROWS), 0.6, 0)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{"text": "a", "stars": 1}], "no column 'label'"),
        ([{"label": 1}], "no column 'text'"),
        ([{"text": "a", "label": 2}], "row 0 of column 'label' contains 2"),
        ([{"text": "a", "label": 1}, {"text": "b", "label": -1}], "row 1 of column 'label' contains -1"),
        ([{"text": "a", "label": "pos"}], "contains 'pos'"),
        ([{"text": "a", "label": None}, {"text": "b", "label": 1}], "row 0 of column 'label' contains None"),
        ([{"text": 3, "label": 1}], "not text"),
        ([{"text": "a", "label": 1}, {"text": None, "label": 1}], "the first is row 1"),
    ],
)
def test_unusable_reviews_are_rejected(rows: list[dict[str, Any]], words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words):
        load(write(tmp_path / "reviews.jsonl", rows))


@pytest.mark.parametrize("content", ["", "text,label\n", "text,label\na,1\nb,1,2,3\n", "\x00\x01\x02"])
def test_a_broken_csv_is_rejected_by_name(content: str, tmp_path: Path) -> None:
    file = tmp_path / "reviews.csv"
    file.write_text(content)
    with pytest.raises(InputError, match=r"reviews\.csv"):
        load(file)


def test_a_missing_source_is_rejected(tmp_path: Path) -> None:
    for source in (tmp_path / "nothing", "./nothing", "nothing.csv"):
        with pytest.raises(InputError, match="nothing"):
            load(source)
    (tmp_path / "reviews.txt").write_text("a")
    with pytest.raises(InputError, match=r"ends in .parquet, .csv, .jsonl"):
        load(tmp_path / "reviews.txt")
    write(tmp_path / "train.jsonl", ROWS)
    with pytest.raises(InputError, match="validation"):
        load(tmp_path, "validation")


def test_a_hub_id_is_loaded_from_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    def stand_in(**arguments: Any) -> datasets.Dataset:
        asked.append(arguments)
        return datasets.Dataset.from_list(ROWS)

    monkeypatch.setattr("sentiment.data.loading.load_dataset", stand_in)
    assert load("stanfordnlp/imdb", "train").to_list() == ROWS
    assert asked == [{"path": "stanfordnlp/imdb", "split": "train"}]

    def unreachable(**arguments: Any) -> datasets.Dataset:
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
    reviews = datasets.Dataset.from_dict({"text": [f"It isn't <b>number</b> {n}" for n in range(4500)]})
    tokens = tokenize_reviews(reviews)["tokens"]
    assert [line.split() for line in tokens] == [["it", "isnt", "number", str(n)] for n in range(4500)]


@pytest.mark.parametrize("source", ["~nosuchuser/reviews", "~nosuchuser"])
def test_an_unknown_home_directory_is_rejected(source: str) -> None:
    with pytest.raises(InputError, match=rf"^{source}: no home directory is known for ~nosuchuser; .*\.$"):
        load(source)
