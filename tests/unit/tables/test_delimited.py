"""Files of comma-separated values: delimiters, headers, and rows with a wrong number of fields."""

import csv
import logging
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from sentiment.config import DataConfig
from sentiment.errors import InputError
from sentiment.tables.reader import read_chunks


def rows_of(file: Path, **reading: Any) -> tuple[list[dict[str, Any]], list[str]]:
    """All rows of a file and all its problems."""
    chunks = list(read_chunks([file], DataConfig(source=str(file), **reading)))
    return [row for chunk in chunks for row in chunk.rows], [line for chunk in chunks for line in chunk.problems]


def table(tmp_path: Path, content: str, name: str = "reviews.csv", **reading: Any) -> list[dict[str, Any]]:
    """The rows of a file in which every row can be read."""
    file = tmp_path / name
    file.write_text(content, encoding="utf-8", newline="")
    rows, problems = rows_of(file, **reading)
    assert problems == []
    return rows


def test_cells_are_text_as_they_stand(tmp_path: Path) -> None:
    cells = ["NA", "None", "null", "nan", "NULL", "007", "1e5", "true", " padded ", "", "12345678901234567890"]
    rows = table(tmp_path, "text,other\n" + "".join(f"{cell},{cell}\n" for cell in cells))
    assert rows == [{"text": cell, "other": cell} for cell in cells]


def test_quoted_cells_contain_anything(tmp_path: Path) -> None:
    rows = table(tmp_path, 'text,n\r\n"two\nlines, and ""quotes""",1\r\n"a\r\nb",2\r\n\r\nlast,3')
    assert [row["text"] for row in rows] == ['two\nlines, and "quotes"', "a\r\nb", "last"]


@pytest.mark.parametrize(
    ("name", "delimiter", "said"),
    [
        ("in.csv", ",", None),
        ("in.csv", ";", "semicolons"),
        ("in.csv", "\t", "tabs"),
        ("in.csv", "|", "|"),
        ("in.tsv", "\t", None),
        ("in.tsv", ",", "commas"),
    ],
)
def test_the_delimiter_is_found_in_the_header_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, delimiter: str, said: str | None
) -> None:
    caplog.set_level(logging.INFO, "sentiment")
    content = f'text{delimiter}label\n"Good, bad; and | more, and more\tat last"{delimiter}1\n'
    assert table(tmp_path, content, name) == [{"text": "Good, bad; and | more, and more\tat last", "label": "1"}]
    expected = [] if said is None else [f"{tmp_path / name}: the fields are divided by {said}."]
    assert [record.getMessage() for record in caplog.records] == expected


def test_one_column_needs_no_delimiter(tmp_path: Path) -> None:
    assert table(tmp_path, "text\ngood\n\nso so\n") == [{"text": "good"}, {"text": "so so"}]
    assert table(tmp_path, 'text\n"good, or not"\n', "reviews.tsv") == [{"text": "good, or not"}]


@pytest.mark.parametrize(("given", "character"), [(";", ";"), ("tab", "\t"), ("\t", "\t"), ("^", "^"), ("é", "é")])
def test_a_given_delimiter_is_used(tmp_path: Path, given: str, character: str) -> None:
    content = f"text{character}a,b,c\ngood{character}1,2,3\n"
    assert table(tmp_path, content, delimiter=given) == [{"text": "good", "a,b,c": "1,2,3"}]


@pytest.mark.parametrize("delimiter", ["", ",,", '"', "\n", "tabs"])
def test_a_delimiter_is_one_character(delimiter: str) -> None:
    with pytest.raises(InputError, match=r"^delimiter '.*': give one character, or `tab`\.$"):
        DataConfig(delimiter=delimiter)


@pytest.mark.parametrize("line", ["sep=;\n", '"sep=;"\r\n'])
def test_the_line_of_excel_names_the_delimiter(tmp_path: Path, line: str) -> None:
    file = tmp_path / "in.csv"
    file.write_text(f"{line}text;a,b\ngood;1\nbad\n", newline="")
    rows, problems = rows_of(file)
    assert rows == [{"text": "good", "a,b": "1"}]
    assert len(problems) == 1 and problems[0].startswith("line 4: 1 field, but the header has 2")


def test_without_a_header_columns_are_called_by_their_numbers(tmp_path: Path) -> None:
    rows = table(tmp_path, "A great film all in all,1\nA dull one all in all,0\n", header=False)
    assert rows == [{"1": "A great film all in all", "2": "1"}, {"1": "A dull one all in all", "2": "0"}]
    file = tmp_path / "in.csv"
    file.write_text("A great film all in all,1\nA dull one\n")
    (problem,) = rows_of(file, header=False)[1]
    assert problem.startswith("line 2: 1 field, but the first row has 2")


def test_a_first_line_that_is_a_review_is_refused(tmp_path: Path) -> None:
    for header in ("A great film all in all,1", "A great film,positive", "Hm,0"):
        with pytest.raises(InputError, match=r"the first line .*--text-column.*--no-header"):
            table(tmp_path, f"{header}\nA dull one,0\n")


def test_repeated_columns_keep_their_values_and_are_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "sentiment")
    rows = table(tmp_path, "text,n,text,n,n\na,1,b,2,3\n")
    assert rows == [{"text": "a", "n": "1", "text 3": "b", "n 4": "2", "n 5": "3"}]
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 3 and "column 'text' occurs twice; the one at position 3 is called 'text 3'" in said[0]
    assert table(tmp_path, "text,text,text 2\na,b,c\n") == [{"text": "a", "text 2 2": "b", "text 2": "c"}]


def test_columns_without_a_name_are_numbered_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "sentiment")
    assert table(tmp_path, ",text,\n0,a,x\n") == [{"column 1": "0", "text": "a", "column 3": "x"}]
    assert "'column 1'" in caplog.text and "'column 3'" in caplog.text


@pytest.mark.parametrize("content", [",,\na,b,c\n", '""\na\n', "  \na\n"])
def test_an_empty_header_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(InputError, match=r"reviews\.csv: the header is empty; name the columns"):
        table(tmp_path, content)


def test_a_broken_header_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"reviews\.csv: the header cannot be read: a quotation mark"):
        table(tmp_path, '"te"xt,label\na,1\n')
    file = tmp_path / "in.csv"
    file.write_bytes(b"text,\xe9t\xe9\ngood,1\n")
    with pytest.raises(InputError, match=r"the header contains bytes that are not UTF-8; .*--encoding"):
        rows_of(file)
    assert rows_of(file, encoding="cp1252") == ([{"text": "good", "été": "1"}], [])


@pytest.mark.parametrize(
    ("content", "problems"),
    [
        ("text,label\nA total bore,although lovely,0\nb,1\n", ["line 2: 3 fields, but the header has 2"]),
        ("text,label\na,0\n\nb\nc,1\n", ["line 4: 1 field, but the header has 2"]),
        ('text,label\n"two\nlines",0,1\nb,1\n', ["lines 2 to 3: 3 fields, but the header has 2"]),
        ('text,label\n"a"b,0\nb,1\n', ["line 2: a quotation mark inside a quoted field; write it twice"]),
        ('text,label\na,0\n"b,1\nc,1\n', ["lines 3 to 4: a quotation mark opens a field and is never closed"]),
        ("text,label\na,0,\nb,1,\nc,1\n", [f"line {n}: 3 fields, but the header has 2" for n in (2, 3)]),
    ],
)
def test_broken_rows_are_named_by_their_lines(tmp_path: Path, content: str, problems: list[str]) -> None:
    file = tmp_path / "in.csv"
    file.write_text(content, newline="")
    found = rows_of(file)[1]
    assert len(found) == len(problems)
    assert all(line.startswith(problem) for line, problem in zip(found, problems, strict=True)), found


cells = st.text(st.sampled_from('ab ,;|\t\n\r"é🎬\0='), max_size=8)


@given(rows=st.lists(st.tuples(cells, cells), min_size=1, max_size=6), delimiter=st.sampled_from(",;|\t"))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_the_csv_module_writes_is_read(tmp_path: Path, rows: list[tuple[str, str]], delimiter: str) -> None:
    # rows that a stray quotation mark has joined look like this, so they are refused
    assume(delimiter != "\t" or not any("\t" in cell and "\n" in cell for row in rows for cell in row))
    file = tmp_path / "in.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([("text", "b"), *rows])
    found, problems = rows_of(file)
    assert [(row["text"], row["b"]) for row in found] == rows and problems == []


def test_rows_that_a_quotation_mark_joins_are_refused(tmp_path: Path) -> None:
    (tmp_path / "in.tsv").write_text('text\tn\n"open\t1\nfine\t2\nthe end"\t3\n')
    found, problems = rows_of(tmp_path / "in.tsv")
    assert found == [] and problems[0].startswith("lines 2 to 4: a quotation mark joins rows; if quotation marks are")


def test_quotation_marks_can_be_ordinary_characters(tmp_path: Path) -> None:
    rows = table(tmp_path, 'text\tn\n"Great" film\t1\n5" tall\t2\n"open\t3\n', "in.tsv", quotes=False)
    assert [row["text"] for row in rows] == ['"Great" film', '5" tall', '"open']


def test_a_second_header_is_no_review(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("text,n\ngood,1\ntext,n\nbad,2\n")
    found, problems = rows_of(tmp_path / "in.csv")
    assert [row["text"] for row in found] == ["good", "bad"]
    assert problems == ["line 3: the header again, perhaps because two files were joined"]


def test_a_title_before_the_header_is_named(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("Export\ntext,n\ngood,1\n")
    assert rows_of(tmp_path / "in.csv")[1][0].endswith("if the first line is a title, remove it")
