"""One review per file, in folders named after labels."""

import logging
import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment.config import DataConfig
from sentiment.data.loading import load_reviews
from sentiment.data.named_splits import has_splits
from sentiment.errors import InputError

FRESH = {"label_map": "fresh=positive,rotten=negative"}
NAME = st.text("abcdefghijklmnopqrstuvwxyzäñ -_.!0123456789", min_size=1, max_size=12)


def folders(directory: Path, **files: str) -> Path:
    """Write files: {folder__name: text}, each as folder/name.txt."""
    for name, text in files.items():
        file = directory.joinpath(*name.split("__")).with_suffix(".txt")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    return directory


def load(source: Path, split: str = "train", **settings: Any) -> list[dict[str, Any]]:
    return list(load_reviews(DataConfig(source=str(source), **settings), split).to_list())


def labeled(source: Path, split: str = "train", **settings: Any) -> list[tuple[str, int]]:
    return [(row["text"], row["label"]) for row in load(source, split, **settings)]


def refusal(source: Path, split: str = "train", **settings: Any) -> str:
    with pytest.raises(InputError) as raised:
        load(source, split, **settings)
    message = str(raised.value).replace(f"{source}/", "").replace(str(source), "SOURCE")
    assert message.count("\n") == 0
    return message


@pytest.mark.parametrize("negative", ["neg", "NEGATIVE", "0", "False"])
def test_folders_named_after_labels_need_no_options(negative: str, tmp_path: Path) -> None:
    folders(tmp_path, **{f"{negative}__b": "Dull.\nVery.", f"{negative}__a": "Bad.", "pos__what a film": "Good."})
    found = load(tmp_path)
    assert [(row["text"], row["label"]) for row in found] == [("Bad.", 0), ("Dull.\nVery.", 0), ("Good.", 1)]
    assert [row["row"] for row in found] == [0, 1, 2]
    assert "group" not in found[0]
    assert labeled(tmp_path, "test") == labeled(tmp_path)  # one set of reviews, whatever split is asked for
    assert not has_splits(DataConfig(source=str(tmp_path)))


def test_other_names_need_a_label_map(tmp_path: Path) -> None:
    folders(tmp_path, fresh__a="Good.", rotten__a="Bad.", mixed__a="Long.")
    assert refusal(tmp_path) == (
        "SOURCE: a folder is named 'fresh', which is no label; say what it means: "
        "--label-map=fresh=MEANING,mixed=MEANING,rotten=MEANING, with negative, positive or skip as MEANING."
    )
    assert "mixed=MEANING" in refusal(tmp_path, **FRESH)
    assert labeled(tmp_path, label_map=FRESH["label_map"] + ",mixed=skip") == [("Good.", 1), ("Bad.", 0)]


def test_ratings(tmp_path: Path) -> None:
    folders(tmp_path, **{f"{stars}__a": f"{stars} stars" for stars in (1, 2, 3, 4, 5, 10)})
    assert "add --positive-from N --negative-to N" in refusal(tmp_path)
    found = labeled(tmp_path, positive_from=4, negative_to=2)
    assert found == [("1 stars", 0), ("2 stars", 0), ("4 stars", 1), ("5 stars", 1), ("10 stars", 1)]
    folders(tmp_path, notes__a="Read me.")
    assert refusal(tmp_path, positive_from=4, negative_to=2) == (
        "SOURCE: a folder is named 'notes', not a rating; move it elsewhere."
    )


def test_splits_are_folders_above(tmp_path: Path) -> None:
    folders(tmp_path, train__fresh__a="Good.", train__rotten__a="Bad.", dev__fresh__a="Fine.", unsupervised__a="Seen.")
    folders(tmp_path, test__fresh__a="Great.", fold1__rotten__a="Poor.")
    assert labeled(tmp_path, "train", **FRESH) == [("Good.", 1), ("Bad.", 0)]
    assert labeled(tmp_path, "validation", **FRESH) == [("Fine.", 1)]
    assert labeled(tmp_path, "fold1", **FRESH) == [("Poor.", 0)]
    assert has_splits(DataConfig(source=str(tmp_path), **FRESH))
    unlabeled = load_reviews(DataConfig(source=str(tmp_path), **FRESH), "unsupervised", labeled=False)
    assert unlabeled["text"][:] == ["Seen."]
    assert refusal(tmp_path, "other", **FRESH) == (
        "SOURCE: no folder is named after the split 'other'; its folders are dev, test, train."
    )


def test_a_split_can_be_a_table_beside_the_folders(tmp_path: Path) -> None:
    folders(tmp_path, train__pos__a="Good.", train__neg__a="Bad.")
    (tmp_path / "test.csv").write_text("text,label\nFine.,1\nPoor.,0\n")
    assert labeled(tmp_path, "train") == [("Bad.", 0), ("Good.", 1)]
    assert labeled(tmp_path, "test") == [("Fine.", 1), ("Poor.", 0)]


def test_notes_below_tables_are_no_reviews(tmp_path: Path) -> None:
    folders(tmp_path, notes__readme="Made in May.", pos__notes="None.")
    (tmp_path / "train.csv").write_text("text,label\nFine.,1\nPoor.,0\n")
    assert labeled(tmp_path) == [("Fine.", 1), ("Poor.", 0)]


def test_unlabeled_lines_stay_lines(tmp_path: Path) -> None:
    folders(tmp_path, english__a="One.\nTwo.", other__b="Three.")
    config = DataConfig(source=str(tmp_path))
    assert load_reviews(config, "test", labeled=False)["text"][:] == ["One.", "Two.", "Three."]
    folders(tmp_path, pos__c="Four.\nFive.")
    assert "Four.\nFive." in load_reviews(config, "test", labeled=False)["text"][:]


def test_files_are_sorted_with_numbers_as_numbers(tmp_path: Path) -> None:
    folders(tmp_path, pos__10="ten", pos__2="two", pos__a10b="a10", pos__a9="a9", neg__1="one")
    assert [text for text, _ in labeled(tmp_path)] == ["one", "two", "ten", "a9", "a10"]


@settings(deadline=None)  # a busy disk takes longer
@given(st.dictionaries(NAME, st.booleans(), min_size=1, max_size=5))
def test_any_names_of_files(tmp_path_factory: pytest.TempPathFactory, names: dict[str, bool]) -> None:
    source = tmp_path_factory.mktemp("any")
    for name, positive in names.items():
        (source / ("pos" if positive else "neg")).mkdir(exist_ok=True)
        (source / ("pos" if positive else "neg") / f"{name}.txt").write_text(f"review {name}", "utf-8")
    visible = {(f"review {name}", int(label)) for name, label in names.items() if not name.startswith(".")}
    if visible:
        assert set(labeled(source)) == visible
        assert labeled(source) == labeled(source)


@settings(deadline=None)
@given(st.lists(NAME.filter(lambda name: name.strip() == name), min_size=2, max_size=4, unique_by=str.casefold))
def test_folders_of_any_names_are_mapped_or_refused(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    names = [f"x{name}y" for name in names]  # no split, no known label, not hidden
    source = tmp_path_factory.mktemp("any")
    for name in names:
        (source / name).mkdir()
        (source / name / "a.txt").write_text(name, "utf-8")
    assert "which is no label" in refusal(source)
    meanings = {name: ("positive", "negative", "skip")[number % 3] for number, name in enumerate(names)}
    label_map = ",".join(f"{name}={meaning}" for name, meaning in meanings.items())
    expected = {(name, int(meaning == "positive")) for name, meaning in meanings.items() if meaning != "skip"}
    assert set(labeled(source, label_map=label_map)) == expected


def test_hidden_files_and_empty_files_are_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folders(tmp_path, pos__a="Good.", pos__empty="", pos__blank=" \n", neg__a="Bad.", _cache__a="x")
    (tmp_path / "pos" / "._a.txt").write_bytes(b"\x00\x05\x16\x07")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "a.txt").write_text("no review")
    (tmp_path / "pos" / "page.html").write_text("<p>")
    assert labeled(tmp_path) == [("Bad.", 0), ("Good.", 1)]
    assert "2 of 4 rows are used; left out: 2 without a text" in caplog.text
    assert "pos: 1 files do not end in .txt, such as page.html; left out." in caplog.text


def test_other_encodings(tmp_path: Path) -> None:
    folders(tmp_path, pos__a="Good.", neg__a="Bad.")
    (tmp_path / "pos" / "b.txt").write_bytes("très bon".encode("latin-1"))
    assert refusal(tmp_path) == (
        "pos: b.txt: contains bytes that are not UTF-8; the file looks like cp1252: add --encoding cp1252. "
        "Correct it, or skip such rows with --on-bad-row=skip."
    )
    assert labeled(tmp_path, encoding="cp1252")[2] == ("très bon", 1)
    assert labeled(tmp_path, on_bad_row="skip") == [("Bad.", 0), ("Good.", 1)]
    (tmp_path / "pos" / "b.txt").write_bytes("\ufefftrès bon".encode())
    assert labeled(tmp_path)[2] == ("très bon", 1)
    (tmp_path / "pos" / "b.txt").write_text("très bon", "utf-16")
    assert labeled(tmp_path)[2] == ("très bon", 1)


def test_what_is_no_readable_file_is_refused(tmp_path: Path) -> None:
    folders(tmp_path, pos__a="Good.", neg__a="Bad.")
    os.mkfifo(tmp_path / "pos" / "b.txt")
    assert refusal(tmp_path) == "pos/b.txt: not a regular file; remove it."
    (tmp_path / "pos" / "b.txt").unlink()
    (tmp_path / "pos" / "b.txt").symlink_to("nowhere")
    assert refusal(tmp_path) == "pos/b.txt: no such file; remove it."


def test_unreadable_files_and_folders_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders(tmp_path, pos__a="Good.", neg__a="Bad.")

    def denied(self: Path, *_: object) -> Any:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", denied)
        assert refusal(tmp_path) == "neg/a.txt: cannot be read: Permission denied."
    monkeypatch.setattr(Path, "iterdir", denied)
    assert refusal(tmp_path) == "SOURCE: cannot be read: Permission denied."


@pytest.mark.parametrize(
    ("deep", "message"),
    [
        ("pos__2023__a", "pos/2023/a.txt: too deep, since pos is the folder of a label; move it to pos."),
        ("0__2023__may__a", "0/2023/may/a.txt: too deep, since 0 is the folder of a label; move it to 0."),
        ("poor__2023__a", "a folder is named 'poor', which is no label"),
    ],
)
def test_deeper_files_are_refused(deep: str, message: str, tmp_path: Path) -> None:
    folders(tmp_path, pos__a="Good.", neg__a="Bad.", **{deep: "Deep."})
    assert message in refusal(tmp_path)


def test_only_deeper_files_are_refused(tmp_path: Path) -> None:
    folders(tmp_path, pos__2023__a="Good.", neg__2023__a="Bad.")
    assert "directly in a folder named after its label" in refusal(tmp_path)


def test_links_that_lead_back_up_do_not_matter(tmp_path: Path) -> None:
    folders(tmp_path, pos__a="Good.", neg__a="Bad.")
    for name in ("one", "two"):
        (tmp_path / "pos" / name).symlink_to(tmp_path)
    assert len(labeled(tmp_path)) == 2


def test_columns_are_refused(tmp_path: Path) -> None:
    folders(tmp_path, pos__a="Good.", neg__a="Bad.")
    assert "leave out --text-column and --label-column" in refusal(tmp_path, text_column="review")
    assert "leave out --text-column and --label-column" in refusal(tmp_path, label_column="stars")


def test_places_name_the_files(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folders(tmp_path, pos__a="Good.", neg__a="GOOD.<br />", neg__b="Bad.")
    with caplog.at_level(logging.WARNING):
        reviews = load_reviews(DataConfig(source=str(tmp_path)), "train", places=True)
    assert reviews["place"][:] == [str(tmp_path / name) for name in ("neg/a.txt", "neg/b.txt", "pos/a.txt")]
    assert re.search(r"one text has both labels: \S+neg/a\.txt \(negative\) and \S+pos/a\.txt \(pos", caplog.text)
