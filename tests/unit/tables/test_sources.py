"""Files, directories, patterns and standard input; formats by the endings of names."""

from pathlib import Path

import pytest

from sentiment.errors import InputError
from sentiment.io.formats import COMPRESSIONS, FORMATS, FileFormat, format_of
from sentiment.tables.opening import check_readable
from sentiment.tables.sources import SAMPLES, find_files, is_local, local_path


def make(directory: Path, *names: str) -> None:
    for name in names:
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text("text\ngood\n")


@pytest.mark.parametrize("name", FORMATS)
def test_the_ending_of_a_name_is_its_format(name: str) -> None:
    assert format_of(Path(f"my.reviews.{name}")) == FileFormat(name)
    assert format_of(Path(f"REVIEWS.{name.upper()}")) == FileFormat(name)
    for ending, compression in COMPRESSIONS.items():
        assert format_of(Path(f"reviews.{name}{ending}")) == FileFormat(name, compression)


def test_other_endings_are_no_format() -> None:
    for name in ("reviews", "reviews.doc", "reviews.csv.bak", "reviews.gz", "csv", "-"):
        assert format_of(Path(name)) is None
    assert format_of(Path("reviews.ndjson")) == FileFormat("jsonl")
    assert format_of(Path("reviews.gz"), "csv") == FileFormat("csv", "gzip")
    assert format_of(Path("reviews.txt"), "csv") == FileFormat("csv")


def test_a_directory_is_all_its_files_sorted_without_hidden_ones(tmp_path: Path) -> None:
    make(tmp_path, "b.csv", "a.csv", "deep/er/c.csv.gz", ".hidden.csv", ".git/d.csv", "_tmp/e.csv", "notes.doc")
    assert find_files(str(tmp_path)) == [tmp_path / name for name in ("a.csv", "b.csv", "deep/er/c.csv.gz")]


def test_a_pattern_is_the_files_of_such_names(tmp_path: Path) -> None:
    make(tmp_path, "b.csv", "a.csv", "c.jsonl", "deep/d.csv")
    assert find_files(str(tmp_path / "*.csv")) == [tmp_path / "a.csv", tmp_path / "b.csv"]
    assert find_files(str(tmp_path / "**" / "*.csv"))[-1] == tmp_path / "deep" / "d.csv"
    with pytest.raises(InputError, match=r"\*\.tsv: no file "):
        find_files(str(tmp_path / "*.tsv"))


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path: Path) -> None:
    make(tmp_path, "reviews[1].csv", "reviews1.csv")
    assert find_files(str(tmp_path / "reviews[1].csv")) == [tmp_path / "reviews[1].csv"]


def test_files_of_several_formats_are_not_one_table(tmp_path: Path) -> None:
    make(tmp_path, "a.csv", "b.jsonl")
    for source in (tmp_path, tmp_path / "*"):
        with pytest.raises(InputError, match=r"has files of several formats, \.csv and \.jsonl; choose some with"):
            find_files(str(source))


def test_a_directory_without_reviews_is_refused(tmp_path: Path) -> None:
    make(tmp_path, "notes.doc")
    with pytest.raises(InputError, match=r"the directory has no file that ends in \.txt, \.csv"):
        find_files(str(tmp_path))


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    make(tmp_path, "notes.doc")
    (tmp_path / "empty.csv").touch()
    for name, message in {
        "no.csv": "no such file",
        ".": "not a regular file",
        "notes.doc": "the file name must end in .*; or .*--input-format",
        "empty.csv": "the file is empty",
    }.items():
        with pytest.raises(InputError, match=f"{message}"):
            check_readable(tmp_path / name)
    assert check_readable(tmp_path / "notes.doc", "csv") == FileFormat("csv")


def test_standard_input_needs_a_format() -> None:
    assert find_files("-") == [Path("-")]
    assert check_readable(Path("-"), "tsv") == FileFormat("tsv")
    with pytest.raises(InputError, match=r"^standard input: say what it contains with --input-format, one of txt, csv"):
        check_readable(Path("-"))


def test_hub_ids_are_not_local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make(tmp_path, "stanfordnlp/imdb.csv")
    for source in ("stanfordnlp/imdb.csv", "stanfordnlp", "missing.csv", "missing.csv.gz", "*.csv", "-", "."):
        assert is_local(source), source
    for source in ("stanfordnlp/imdb", "imdb"):
        assert not is_local(source), source


def test_the_sample_reviews_are_a_source_unless_there_is_a_file_of_their_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_local("samples") and local_path("samples") == SAMPLES
    assert [file.name for file in find_files("samples")] == ["test.jsonl", "train.jsonl"]
    make(tmp_path, "samples/mine.csv")
    assert local_path("samples") == Path("samples") and find_files("samples") == [Path("samples/mine.csv")]
