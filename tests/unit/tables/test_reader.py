"""Reading files of any format, compression and encoding in chunks."""

import gzip
import io
import json
import logging
import re
import sys
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from sentiment.config import DataConfig
from sentiment.errors import InputError
from sentiment.tables import parquet, reader
from sentiment.tables.chunk import Chunk, total_size
from sentiment.tables.parquet import table_chunks
from sentiment.tables.reader import line_chunks, read_chunks

openpyxl = pytest.importorskip("openpyxl")


def chunks_of(file: Path, **reading: Any) -> list[Chunk]:
    return list(read_chunks([file], DataConfig(source=str(file), **reading)))


def texts_of(file: Path, **reading: Any) -> list[str | None]:
    return [text for chunk in chunks_of(file, **reading) for text in chunk.texts]


def problems_of(file: Path, **reading: Any) -> list[str]:
    return [line for chunk in chunks_of(file, **reading) for line in chunk.problems]


def put(file: Path, content: bytes) -> Path:
    file.write_bytes(content)
    return file


def test_chunks_know_where_each_row_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "CHUNK_ROWS", 3)
    content = b"text,n\na,1\nb\n \nc,3\n,4\nd\ne,6\n"  # the third row is one field of a space
    file = put(tmp_path / "in.csv", content)
    one, two, three = chunks_of(file)
    assert (one.texts, one.places, one.indices) == (["a"], ["line 2"], [0])
    assert [problem.split(",")[0] for problem in one.problems] == ["line 3: 1 field", "line 4: 1 field"]
    assert (two.texts, two.places, two.indices) == (["c", None], ["line 5", "line 6"], [0, 1])
    assert (three.texts, three.indices, three.problems) == (["e"], [0], [])
    assert [chunk.rows_read for chunk in (one, two, three)] == [3, 3, 1]
    assert three.position == total_size([file]) == len(content)


@pytest.mark.parametrize("name", ["in.csv.gz", "in.jsonl", "in.parquet", "in.parquet.zst", "in.xlsx"])
def test_positions_rise_to_the_size_of_all_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for module in (reader, parquet):
        monkeypatch.setattr(module, "CHUNK_ROWS", 2)
    files = [tmp_path / "one" / name, tmp_path / "two" / name]
    for file in files:
        file.parent.mkdir()
        write(file, ["good", "bad", "so so"])
    positions = [chunk.position for chunk in read_chunks(files, DataConfig())]
    assert positions == sorted(positions)
    assert len(positions) == 4 and 0 < positions[-1] <= (total_size(files) or 0)


def write(file: Path, texts: list[str | None]) -> Path:
    """A file with one column."""
    buffer = io.BytesIO()
    kind = file.suffixes[0]
    if kind == ".parquet":
        pq.write_table(pa.table({"text": pa.array(texts, pa.string())}), buffer)
    elif kind == ".xlsx":
        book = openpyxl.Workbook()
        for number, value in enumerate(["text", *texts]):  # an empty row is no row, so there is another column
            book.active.append([value, number])
        book.save(buffer)
    elif kind == ".csv":
        buffer.write("".join(f'"{text or ""}"\n' for text in ["text", *texts]).encode())
    elif kind == ".json":
        buffer.write(json.dumps([{"text": text} for text in texts]).encode())
    else:
        buffer.write("".join(json.dumps({"text": text}) + "\n" for text in texts).encode())
    compression = {".gz": "gzip", ".zst": "zstd"}.get(file.suffix)
    if compression is None:
        file.write_bytes(buffer.getvalue())
    else:
        with pa.CompressedOutputStream(file, compression) as stream:
            stream.write(buffer.getvalue())
    return file


def test_a_chunk_ends_before_it_grows_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "CHUNK_CHARACTERS", 100)
    file = write(tmp_path / "in.jsonl", ["x" * 60] * 5)
    assert [len(chunk.texts) for chunk in chunks_of(file)] == [2, 2, 1]


def test_a_parquet_file_is_not_kept_in_memory_as_it_is_read(tmp_path: Path) -> None:
    random = Random(0)
    texts = [random.randbytes(500).hex() for _ in range(2000)]
    file = tmp_path / "reviews.parquet"
    with pq.ParquetWriter(file, pa.schema({"text": pa.string()})) as writer:
        for start in range(0, len(texts), 100):
            writer.write_table(pa.table({"text": texts[start : start + 100]}))
    before, most = pa.total_allocated_bytes(), 0
    for _ in read_chunks([file], DataConfig()):
        most = max(most, pa.total_allocated_bytes() - before)
    assert most < 0.8 * file.stat().st_size


# texts


@pytest.mark.parametrize("name", ["in.csv", "in.jsonl", "in.json", "in.parquet", "in.xlsx"])
def test_nothing_or_white_space_is_a_row_without_a_text(tmp_path: Path, name: str) -> None:
    texts: list[str | None] = ["good", None, " \u00a0 ", "!!!", "NA"]
    (chunk,) = chunks_of(write(tmp_path / name, texts))
    assert chunk.texts == ["good", None, None, "!!!", "NA"] and chunk.problems == []


STORED = {
    "string": pa.string(),
    "large string": pa.large_string(),
    "string view": pa.string_view(),
    "dictionary": pa.dictionary(pa.int32(), pa.string()),
    "small dictionary": pa.dictionary(pa.int8(), pa.string()),
    "dictionary of large strings": pa.dictionary(pa.int32(), pa.large_string()),
}


@pytest.mark.parametrize("kind", STORED)
@pytest.mark.parametrize("wanted", [None, "text"])
def test_every_type_of_text_in_parquet(tmp_path: Path, kind: str, wanted: str | None) -> None:
    texts = ["a good film", None, "a naïve 🎬", "a good film", ""]
    table = pa.table({"text": pa.array(texts).cast(STORED[kind])})
    file = tmp_path / "in.parquet"
    pq.write_table(table, file)
    assert texts_of(file, text_column=wanted) == ["a good film", None, "a naïve 🎬", "a good film", None]
    pq.write_table(table.rename_columns(["words"]), file)
    assert texts_of(file)[2] == "a naïve 🎬"


def test_types_of_text_that_only_arrow_has() -> None:
    texts = pa.array(["good", "good", None, "bad"])
    for column in (pc.run_end_encode(texts), pa.chunked_array([texts.slice(0, 1), texts.slice(1)])):
        (chunk,) = table_chunks([pa.table({"text": column})], Path("hub/id"), DataConfig())
        assert chunk.texts == ["good", "good", None, "bad"]
    (chunk,) = table_chunks([pa.table({"text": pa.nulls(2)})], Path("hub/id"), DataConfig())
    assert chunk.texts == [None, None]


def test_other_types_are_not_text(tmp_path: Path) -> None:
    for values in ([1, 2], [b"a", b"b"], [["a"], ["b"]]):
        pq.write_table(pa.table({"text": values}), tmp_path / "in.parquet")
        with pytest.raises(InputError, match=r"in\.parquet: column 'text' contains .*, not text\."):
            chunks_of(tmp_path / "in.parquet")


def test_wrong_bytes_in_parquet_are_one_bad_row(tmp_path: Path) -> None:
    wrong = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0"), pa.py_buffer(b"\xff")])
    for kind in (pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())):
        texts = pa.concat_arrays([pa.array(["good"]), wrong, pa.array(["fine"])])
        texts = texts.dictionary_encode() if pa.types.is_dictionary(kind) else texts.view(pa.string())
        pq.write_table(pa.table({"text": texts, "n": [1, 2, 3]}), tmp_path / "in.parquet")
        (chunk,) = chunks_of(tmp_path / "in.parquet")
        assert chunk.texts == ["good", "fine"] and chunk.indices == [0, 2]
        assert chunk.problems == ["row 2: contains bytes that are not UTF-8"]
        assert isinstance(chunk.rows, pa.Table) and chunk.rows["n"].to_pylist() == [1, 3]


def test_a_column_twice_in_parquet_is_refused(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["text", "text"])
    pq.write_table(table, tmp_path / "in.parquet")
    with pytest.raises(InputError, match="column 'text' occurs twice; rename one"):
        chunks_of(tmp_path / "in.parquet")


def test_numbers_are_not_reviews(tmp_path: Path) -> None:
    file = put(tmp_path / "in.jsonl", b'{"text": "good"}\n{"text": 3}\n{"text": true}\n{"text": ["a"]}\n')
    kinds = ["a number", "true or false", "a list"]
    assert problems_of(file) == [
        f"line {line}: column 'text' contains {k}, not text" for line, k in enumerate(kinds, 2)
    ]


def test_a_row_without_the_column_is_bad_also_the_first(tmp_path: Path) -> None:
    file = put(tmp_path / "in.jsonl", b'{"other": 1}\n{"text": "good"}\n{}\n{"text": "bad", "late": 1}\n')
    (chunk,) = chunks_of(file)
    assert chunk.texts == ["good", "bad"] and chunk.rows[-1] == {"text": "bad", "late": 1}
    assert chunk.problems == ["line 1: the row has no 'text'", "line 3: the row has no 'text'"]


@pytest.mark.parametrize("bad_rows", [100, 101])
def test_many_bad_rows_at_the_start_do_not_hide_the_column(tmp_path: Path, bad_rows: int) -> None:
    file = put(tmp_path / "in.csv", b"review,label\n" + b"a\n" * bad_rows + b"good,1\n")
    assert texts_of(file) == ["good"]


# JSON


def test_json_is_an_array_or_an_object_with_data(tmp_path: Path) -> None:
    rows = [{"text": "good", "n": 1}, {"text": None}]
    for content in (rows, {"data": rows, "version": 2}):
        (chunk,) = chunks_of(put(tmp_path / "in.json", json.dumps(content).encode()))
        assert chunk.rows == rows and chunk.texts == ["good", None]
        assert chunk.places == ["item 1", "item 2"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"text": "a"}\n{"text": "b"}\n', r"not valid JSON: Extra data.*; one object per line is \.jsonl, so rename"),
        (b'{"text": "a"}', r"write the reviews as a list of objects"),
        (b'{"data": {"text": "a"}}', r"write the reviews as a list of objects"),
        (b"3", r"write the reviews as a list of objects"),
        (b'[{"text": "a"', r"not valid JSON"),
        (b"[" * 100_000, r"not valid JSON"),
        (b'[{"text": "a", "text": "b"}]', r"'text' occurs twice in one object"),
        ('[{"text": "café"}]'.encode("cp1252"), r"not UTF-8.*cp1252"),
    ],
)
def test_broken_json_is_refused_in_one_sentence(tmp_path: Path, content: bytes, message: str) -> None:
    file = put(tmp_path / "in.json", content)
    try:
        found = "; ".join(problems_of(file))  # of a row that cannot be read, its problem
    except InputError as error:
        found = str(error)
    assert re.search(message, found), found


def test_rows_that_are_no_objects_are_bad_rows(tmp_path: Path) -> None:
    file = put(tmp_path / "in.json", b'[{"text": "good"}, "bad", 3, null]')
    found = problems_of(file)
    assert [problem.split(":")[0] for problem in found] == ["item 2", "item 3", "item 4"]
    assert all("not an object" in problem for problem in found)


def test_a_key_twice_in_one_object_is_a_bad_row(tmp_path: Path) -> None:
    file = put(tmp_path / "in.jsonl", b'{"text": "a", "text": "b"}\n{"text": "c", "n": {"x": 1, "x": 2}}\n{"text":"d"}')
    assert problems_of(file) == [
        "line 1: not valid JSON: 'text' occurs twice in one object",
        "line 2: not valid JSON: 'x' occurs twice in one object",
    ]


# Excel


def excel(file: Path, *rows: list[Any]) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.create_sheet("other").append(["not", "read"])
    book.save(file)
    return file


def test_the_first_sheet_of_a_workbook_is_read(tmp_path: Path) -> None:
    file = excel(tmp_path / "in.xlsx", ["text", "n", "x"], ["good", 7, "x"], ["007", 1.5, True])
    (chunk,) = chunks_of(file)
    assert chunk.rows == [{"text": "good", "n": 7, "x": "x"}, {"text": "007", "n": 1.5, "x": True}]
    assert chunk.places == ["row 2", "row 3"]


def test_a_workbook_without_a_header(tmp_path: Path) -> None:
    file = excel(tmp_path / "in.xlsx", ["a good film", 1], ["a bad film", 0])
    assert [row["1"] for row in chunks_of(file, header=False)[0].rows] == ["a good film", "a bad film"]
    with pytest.raises(InputError, match=r"the first line .*--no-header"):
        chunks_of(file)


def test_a_cell_beyond_the_header_of_a_workbook_is_not_lost_silently(tmp_path: Path) -> None:
    file = excel(tmp_path / "in.xlsx", ["text"], ["good"], ["bad", "x"])
    (problem,) = problems_of(file)
    assert texts_of(file) == ["good"] and problem.startswith("row 3: ")


@pytest.mark.parametrize("content", [b"text\ngood\n", b"PK\x03\x04 and nothing else", b"\xd0\xcf\x11\xe0 old excel"])
def test_what_is_no_workbook_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError, match=r"in\.xlsx: not a.*\.xlsx file"):
        chunks_of(put(tmp_path / "in.xlsx", content))


# compression


@pytest.mark.parametrize("name", ["in.csv", "in.jsonl", "in.json", "in.parquet", "in.xlsx"])
@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_compressed_files(tmp_path: Path, name: str, ending: str) -> None:
    assert texts_of(write(tmp_path / f"{name}{ending}", ["good", None, "🎬 bad"])) == ["good", None, "🎬 bad"]


def test_several_gzip_members_are_one_file(tmp_path: Path) -> None:
    file = put(tmp_path / "in.csv.gz", gzip.compress(b"text\ngood\n", mtime=0) + gzip.compress(b"bad\n", mtime=0))
    assert texts_of(file) == ["good", "bad"]


def test_a_truncated_compressed_file_is_refused_not_shortened(tmp_path: Path) -> None:
    random = Random(0)
    whole = gzip.compress(b"text\n" + b"".join(random.randbytes(20).hex().encode() + b"\n" for _ in range(500)))
    with pytest.raises(InputError, match=r"in\.csv\.gz: cannot be read: Truncated"):
        chunks_of(put(tmp_path / "in.csv.gz", whole[:-100]))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("in.csv.gz", b"text\ngood\n", "cannot be read: .*zlib"),
        ("in.csv.zst", b"text\ngood\n", "cannot be read: .*ZSTD"),
        (
            "in.csv",
            gzip.compress(b"text\ngood\n", mtime=0),
            r"this is not text.*\.gz file",
        ),
        ("in.jsonl", b"\x28\xb5\x2f\xfd....", r"this is not text.*\.zst file"),
        ("in.tsv", b"PAR1....", r"this is not text.*\.parquet file"),
        ("in.txt", b"PK\x03\x04....", r"this is not text.*\.xlsx "),
        ("in.json", b"PK\x03\x04....", r"this is not text.*\.xlsx "),
        ("in.csv.gz", gzip.compress(b"PAR1....", mtime=0), r"this is not text.*\.parquet file"),
        ("in.parquet", b"text\ngood\n", "not a readable parquet file"),
        ("in.parquet", gzip.compress(b"text\ngood\n", mtime=0), "not a readable parquet file"),
    ],
)
def test_misnamed_files_are_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=rf"{name}: {message}"):
        chunks_of(put(tmp_path / name, content))


# encodings


@pytest.mark.parametrize("name", ["in.csv", "in.txt", "in.tsv"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_names_the_encoding(tmp_path: Path, name: str, encoding: str) -> None:
    content = "text\nnaïve 🎬\n".encode(encoding)
    assert texts_of(put(tmp_path / name, content))[-1] == "naïve 🎬"


def test_a_byte_order_mark_is_not_part_of_json(tmp_path: Path) -> None:
    for encoding in ("utf-8-sig", "utf-16"):
        assert texts_of(put(tmp_path / "in.jsonl", '{"text": "naïve"}\n'.encode(encoding))) == ["naïve"]
        assert texts_of(put(tmp_path / "in.json", '[{"text": "naïve"}]'.encode(encoding))) == ["naïve"]


@pytest.mark.parametrize("given", ["utf-8", "UTF8", "utf-8-sig"])
def test_utf8_with_a_byte_order_mark_that_is_named_utf8(tmp_path: Path, given: str) -> None:
    file = put(tmp_path / "in.csv", "text,n\nnaïve,1\n".encode("utf-8-sig"))
    assert chunks_of(file, encoding=given)[0].rows == [{"text": "naïve", "n": "1"}]


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "utf-16-le", "cp1251", "shift_jis"])
def test_an_encoding_can_be_given(tmp_path: Path, encoding: str) -> None:
    text = {"cp1251": "хороший фильм", "shift_jis": "良い映画"}.get(encoding, "très bon")
    file = put(tmp_path / "in.csv", f"text\n{text}\n".encode(encoding))
    assert texts_of(file, encoding=encoding) == [text]


@pytest.mark.parametrize(
    ("text", "encoding", "named"),
    [
        ("C’est très bon, “vraiment”, et très émouvant", "cp1252", "cp1252"),
        ("Это очень хороший фильм, я посмотрел его два раза и советую всем своим друзьям", "cp1251", "cp1251"),
    ],
)
def test_the_likely_encoding_is_named(tmp_path: Path, text: str, encoding: str, named: str) -> None:
    for name, content in {"in.csv": f'text\n"{text}"\n', "in.jsonl": f'{{"text": "{text}"}}\n', "in.txt": text}.items():
        (problem,) = problems_of(put(tmp_path / name, content.encode(encoding)))
        expected = f"contains bytes that are not UTF-8; the file looks like {named}: add --encoding {named}"
        assert problem.endswith(expected)


def test_utf16_without_a_mark_is_named(tmp_path: Path) -> None:
    for encoding in ("utf-16-le", "utf-16-be"):
        file = put(tmp_path / "in.csv", "text\ngood\n".encode(encoding))
        with pytest.raises(InputError, match=f"the text looks like {encoding}; add --encoding {encoding}"):
            chunks_of(file)
        assert texts_of(file, encoding=encoding) == ["good"]


def test_wrong_bytes_in_another_encoding(tmp_path: Path) -> None:
    file = put(tmp_path / "in.csv", b"text\ngood\nb\x81d\n")
    assert problems_of(file, encoding="cp1252") == ["line 3: contains bytes that are not CP1252"]
    file = put(tmp_path / "in.csv", "text\ngood\n".encode("utf-16") + b"x")
    with pytest.raises(InputError, match=r"in\.csv: not utf-16: "):
        chunks_of(file)


@pytest.mark.parametrize("name", ["klingon", "base64", "rot13", "", "utf-8\0"])
def test_an_unknown_encoding_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=r"^encoding .*: no such encoding; common ones are utf-8"):
        DataConfig(encoding=name)


# lines of standard input


def lines_of(content: bytes) -> list[str | None]:
    return [text for chunk in line_chunks(io.BytesIO(content), 2) for text in chunk.texts]


def test_lines_of_standard_input() -> None:
    assert lines_of("wonderful\r\n\nnaïve 🎬\nlast".encode()) == ["wonderful", None, "naïve 🎬", "last"]
    assert lines_of(b"") == []
    assert lines_of("\ufeffgood\n".encode()) == lines_of("good\n".encode("utf-16")) == ["good"]


@pytest.mark.parametrize(
    ("first", "kind"),
    [
        ("text,label", "csv"),
        ('"id","review"', "csv"),
        ("id;sentence", "csv"),
        ("text\tlabel", "tsv"),
        ('{"text": "good"}', "jsonl"),
        ('[{"text": "good"}]', "json"),
    ],
)
def test_a_table_on_standard_input_is_not_taken_for_reviews(first: str, kind: str) -> None:
    with pytest.raises(InputError, match=rf"start of a table; add --input - --input-format {kind} "):
        lines_of(f"{first}\nmore\n".encode())


@pytest.mark.parametrize("first", ["Good, but long", "text", "good,bad", "[sigh] no", "A review; a text"])
def test_a_review_on_standard_input_is_not_taken_for_a_table(first: str) -> None:
    assert lines_of(first.encode()) == [first]


@pytest.mark.parametrize("content", [b"\xff\xfea", "good\n".encode("utf-16") + b"x", b"\xff\xfe\x00\xd8\n\x00"])
def test_broken_utf16_on_standard_input_is_refused(content: bytes) -> None:
    with pytest.raises(InputError, match="standard input: "):
        lines_of(content)


@pytest.mark.parametrize("name", ["csv", "jsonl", "json", "parquet", "xlsx"])
def test_tables_on_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    content = write(tmp_path / f"in.{name}", ["good", None]).read_bytes()
    given = io.TextIOWrapper(io.BufferedReader(io.BytesIO(content)))  # type: ignore[arg-type]
    monkeypatch.setattr(sys, "stdin", given)
    (chunk,) = read_chunks([Path("-")], DataConfig(format=name))  # type: ignore[arg-type]
    assert chunk.texts == ["good", None]
    assert total_size([Path("-")]) is None and not given.buffer.closed


def test_what_was_chosen_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "sentiment")
    file = put(tmp_path / "in.csv", b"review;stars\n" + b"good;1\n" * 3000)
    assert len(texts_of(file)) == 3000
    assert [record.getMessage() for record in caplog.records] == [
        f"{file}: the fields are divided by semicolons.",
        f"{file}: the reviews are in the column 'review'.",
    ]
