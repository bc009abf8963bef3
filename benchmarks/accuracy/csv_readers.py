"""What readers of CSV make of broken files: this package, which parses with Python's csv, pyarrow, DuckDB and polars.

    python -m benchmarks.accuracy.csv_readers

Writes small broken files to a temporary directory and reads each with every reader that is installed (extra `bench`).
A reader is right if it gives exactly the good rows, as they stand in the file, and the line of each other row. Prints a
Markdown table; its last row is the speed on one thread, on a file that is not broken.
"""

import argparse
import os
import platform
import random
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

from benchmarks.harness.command import benchmark_parser, run_benchmark
from benchmarks.harness.machine import machine_info, machine_note
from benchmarks.harness.results import markdown_table
from benchmarks.harness.timing import in_turns, timed

COLUMNS = ("id", "review", "label")
SPEED_ROWS, SPEED_CHARACTERS, ROUNDS = 50_000, 1_300, 5
Row = tuple[str, ...]


@dataclass(frozen=True)
class BrokenFile:
    """A CSV file, and what a reader should make of it."""

    name: str
    content: bytes
    good: Sequence[Row]
    """The rows that can be read."""
    bad: Sequence[int]
    """The lines, from 1, in which the other rows begin."""


@dataclass
class Reading:
    """What a reader gives."""

    rows: list[Row] = field(default_factory=list)
    bad: list[int] = field(default_factory=list)
    """The lines of the rows that it reports; if it counts rows instead, their numbers."""
    error: str = ""
    """The error that ended the reading."""


def broken_files() -> list[BrokenFile]:
    """Six rows each; the header is line 1, so that row 3 begins in line 4."""
    trailing = {number: f"{number},review {number},label {number}," for number in range(1, 7)}
    unclosed = {3: '3,"review 3,label 3', 5: '5,"review 5",label 5'}
    after_breaks = {2: '2,"two\n\nlines, ""so""",label 2', 4: "4,good, but dear,label 4"}
    values = dict(enumerate(["NA", "None", "null", "nan", "007", "1e5"], 1))
    return [
        _file("comma in a review without quotation marks", {3: "3,good, but dear,label 3"}, [3], [4]),
        _file("comma at the end of one row", {3: trailing[3]}, [3], [4]),
        _file("comma at the end of every row", trailing, trailing, range(2, 8)),
        _file("field missing", {3: "3,review 3"}, [3], [4]),
        _file("bytes that are not UTF-8", {3: "3,caf\udce9,label 3"}, [3], [4]),
        _file("quotation mark never closed, more of them later", unclosed, [3, 4, 5], [4]),
        _file("text after a closing quotation mark", {3: '3,"review"x 3,label 3'}, [3], [4]),
        _file("bad row after line breaks in quotation marks", after_breaks, [4], [7], {2: 'two\n\nlines, "so"'}),
        _file(
            "NA, None, null, nan, 007, 1e5 as reviews",
            {number: f"{number},{value},label {number}" for number, value in values.items()},
            reviews=values,
        ),
        _file("byte order mark, and a field missing", {3: "3,review 3"}, [3], [4], start="\ufeff"),
        _file("quotation mark inside a review", {3: '3,a 5" screen,label 3'}, reviews={3: 'a 5" screen'}),
        _file("carriage return inside a review", {3: "3,re\rview 3,label 3"}, [3], [4]),
    ]


def _file(
    name: str,
    changed: Mapping[int, str],
    lost: Iterable[int] = (),
    bad: Sequence[int] = (),
    reviews: Mapping[int, str] | None = None,
    start: str = "",
) -> BrokenFile:
    """A file of rows 1 to 6.

    Args:
        name: what is wrong with it.
        changed: the text of rows, by their numbers, where it is not that of a plain row.
        lost: rows that cannot be read.
        bad: lines of the rows to report.
        reviews: the reviews of rows, where they are not plain ones.
        start: what stands before the header.
    """
    rows = {number: (f"{number}", f"review {number}", f"label {number}") for number in range(1, 7)}
    lines = [",".join(COLUMNS), *(changed.get(number, ",".join(row)) for number, row in rows.items())]
    content = f"{start}{chr(10).join(lines)}\n".encode("utf-8", "surrogateescape")
    expected = {number: (row[0], (reviews or {}).get(number, row[1]), row[2]) for number, row in rows.items()}
    return BrokenFile(name, content, [row for number, row in expected.items() if number not in set(lost)], bad)


def by_csv(file: Path) -> Reading:
    """This package, which parses with Python's csv."""
    from sentiment.config import DataConfig
    from sentiment.tables.reader import read_chunks

    found = Reading()
    for chunk in read_chunks([file], DataConfig(source=str(file), text_column="review")):
        assert isinstance(chunk.rows, list)
        found.rows += [tuple(row.values()) for row in chunk.rows]
        found.bad += [int(match[0]) for problem in chunk.problems if (match := re.search(r"\d+", problem))]
    return found


def by_pyarrow(file: Path) -> Reading:
    """pyarrow, with values as bytes: as strings, one that is not UTF-8 ends the reading."""
    from pyarrow import binary, csv

    found = Reading()

    def skip(row: csv.InvalidRow) -> str:
        found.bad.append(row.number)
        return "skip"

    batches = csv.open_csv(
        file,
        read_options=csv.ReadOptions(use_threads=False),
        parse_options=csv.ParseOptions(invalid_row_handler=skip, newlines_in_values=True),
        convert_options=csv.ConvertOptions(column_types=dict.fromkeys(COLUMNS, binary()), strings_can_be_null=False),
    )
    for batch in batches:
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            with suppress(UnicodeDecodeError):  # such a row has no number
                found.rows.append(tuple(value.decode() for value in row))
    return found


def by_duckdb(file: Path) -> Reading:
    """DuckDB; its list of rejected rows is complete after the last row."""
    import duckdb

    types = dict.fromkeys(COLUMNS, "VARCHAR")
    options = f"columns = {types}, force_not_null = {list(COLUMNS)}, auto_detect = false, header = true"
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")
        query = f"SELECT * FROM read_csv(?, {options}, strict_mode = true, store_rejects = true, rejects_limit = 0)"
        batches = connection.sql(query, params=[str(file)]).to_arrow_reader(2048)
        found = Reading([row for batch in batches for row in zip(*(c.to_pylist() for c in batch.columns), strict=True)])
        found.bad = [line for (line,) in connection.execute("SELECT line FROM reject_errors ORDER BY 1").fetchall()]
    return found


def by_polars(file: Path) -> Reading:
    """polars, told to go on after errors; it does not report rows."""
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    import polars

    table = polars.scan_csv(
        file, infer_schema=False, empty_string_is_null=False, truncate_ragged_lines=True, ignore_errors=True
    )
    return Reading([row for batch in table.collect_batches(maintain_order=True) for row in batch.iter_rows()])


READERS: dict[str, tuple[str, Callable[[Path], Reading]]] = {
    "csv": ("sentiment-rnn", by_csv),
    "pyarrow": ("pyarrow", by_pyarrow),
    "DuckDB": ("duckdb", by_duckdb),
    "polars": ("polars", by_polars),
}
"""{name in the table: (package, reader)}."""


def installed() -> dict[str, str]:
    """{name in the table: version} of the readers that can be used; that of csv is Python's."""
    found = {}
    for name, (package, _) in READERS.items():
        with suppress(PackageNotFoundError):
            found[name] = platform.python_version() if name == "csv" else version(package)
    return found


def verdict(file: BrokenFile, found: Reading) -> str:
    """What a reader did with a file: "ok", or what was wrong, above all with the rows."""
    wrong, missing = Counter(found.rows) - Counter(file.good), Counter(file.good) - Counter(found.rows)
    if wrong:
        return f"**wrong rows**: {_shown(next(iter(wrong)))}"
    if found.error:
        return f"**stops**: {found.error}"
    if missing:
        return f"**loses {missing.total()} good rows**"
    if found.bad == list(file.bad):
        return "ok"
    if not found.bad:
        return "rows ok, reports no line"
    return f"rows ok, reports line {' and '.join(map(str, found.bad))} instead of {' and '.join(map(str, file.bad))}"


def _shown(row: Row) -> str:
    """A row as it can stand in a cell of a table."""
    values = ["none" if value is None else value.replace("\n", "⏎").replace("\r", "␍") for value in row]
    return " ¦ ".join(value if len(value) <= 30 else f"{value[:29]}…" for value in values)


def read(reader: Callable[[Path], Reading], file: Path) -> Reading:
    """Read a file; an error is a result, too."""
    try:
        return reader(file)
    except Exception as error:  # each library has its own
        return Reading(error=type(error).__name__)


def table(files: Sequence[BrokenFile], names: Iterable[str], directory: Path) -> list[list[str]]:
    """A row for each file, with the verdict on each reader; then how many files each read rightly."""
    readings: dict[str, list[str]] = {}
    for name in names:
        readings[name] = []
        for number, file in enumerate(files):
            path = directory / f"{number}.csv"
            path.write_bytes(file.content)
            readings[name].append(verdict(file, read(READERS[name][1], path)))
    rows = [[file.name, *verdicts] for file, *verdicts in zip(files, *readings.values(), strict=True)]
    right = [f"{sum(verdict == 'ok' for verdict in verdicts)} of {len(files)}" for verdicts in readings.values()]
    good = [f"{sum('**' not in verdict for verdict in verdicts)} of {len(files)}" for verdicts in readings.values()]
    return [*rows, ["**right rows and lines**", *right], ["**right rows**", *good]]


def speeds(names: Sequence[str], directory: Path, rows: int) -> list[str]:
    """Median rows per second of each reader, on reviews as long as those of IMDB."""
    draw, file = random.Random(0), directory / "long.csv"
    words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(1, 9))) for _ in range(3000)]
    with file.open("w", encoding="utf-8") as stream:
        stream.write(f"{','.join(COLUMNS)}\n")
        for number in range(rows):
            review = " ".join(draw.choices(words, k=SPEED_CHARACTERS // 6))
            stream.write(f'{number},"{review}, ""so"".",1\n' if number % 2 else f"{number},{review},1\n")

    def seconds(reader: Callable[[Path], Reading]) -> float:
        passed, found = timed(lambda: reader(file))
        assert len(found.rows) == rows
        return passed

    passed = in_turns({name: partial(seconds, READERS[name][1]) for name in names}, ROUNDS)
    return [f"{rows / median(passed[name]):,.0f}" for name in names]


def run(_: argparse.Namespace) -> str:
    """Read all files with all readers; returns the page."""
    info, versions = machine_info(), installed()
    with tempfile.TemporaryDirectory() as directory:
        files, names = broken_files(), list(versions)
        rows = table(files, names, Path(directory))
        rows.append(["rows per second", *speeds(names, Path(directory), SPEED_ROWS)])
    header = [f"{name}, Python {number}" if name == "csv" else f"{name} {number}" for name, number in versions.items()]
    return "\n\n".join(
        [
            markdown_table(["file", *header], rows),
            machine_note(
                info | {"versions": {"Python" if name == "csv" else name: versions[name] for name in versions}}
            ),
        ]
    )


def main() -> None:
    """The command."""
    run_benchmark(benchmark_parser("accuracy.csv_readers", __doc__), run)


if __name__ == "__main__":
    main()
