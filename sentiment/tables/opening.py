"""Open files of reviews in any compression and encoding."""

import codecs
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import BinaryIO

import charset_normalizer
import pyarrow as pa

from sentiment.errors import InputError
from sentiment.io.formats import FORMATS, READABLE, FileFormat, Format, format_of

logger = logging.getLogger(__name__)

STANDARD_INPUT = Path("-")
_SAMPLE_BYTES = 65_536
_MAGIC = {
    b"\x1f\x8b": "a .gz file",
    b"\x28\xb5\x2f\xfd": "a .zst file",
    b"PAR1": "a .parquet file",
    b"PK\x03\x04": "an .xlsx or .zip file",
    b"\xd0\xcf\x11\xe0": "an old .xls file",
    b"BZh": "a .bz2 file",
    b"\xfd7zX": "an .xz file",
    b"%PDF": "a .pdf file",
}
"""First bytes of files that are not text."""
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark is its beginning
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_CODE_PAGES = ["cp1251", "koi8_r", "cp1253", "cp1255", "cp1256", "cp932", "gb18030", "big5", "euc_kr"]


def check_readable(file: Path, given: Format | None = None) -> FileFormat:
    """Check that a file can contain reviews; returns its format.

    Raises:
        InputError: if the file is missing, empty or of an unknown format.
    """
    found = format_of(file, given)
    if file == STANDARD_INPUT:
        if found is None:
            raise InputError(f"standard input: say what it contains with --input-format, one of {', '.join(FORMATS)}.")
        return found
    if not file.is_file():
        if not file.exists():
            raise InputError(f"{file}: no such file.")
        raise InputError(f"{file}: not a regular file; pipe its content to --input - with its --input-format.")
    if found is None:
        hint = "save it as .xlsx" if file.suffix.lower() == ".xls" else "or add --input-format"
        raise InputError(f"{file}: the file name must end in {READABLE}; {hint}.")
    if file.stat().st_size == 0:
        raise InputError(f"{file}: the file is empty.")
    return found


@contextmanager
def open_binary(file: Path, compression: str | None) -> Iterator[tuple[BufferedReader, BinaryIO]]:
    """Context manager that opens a file, or standard input; yields its content and the stored (compressed) bytes."""
    stored: BinaryIO = sys.stdin.buffer if file == STANDARD_INPUT else file.open("rb")
    if stored.isatty():
        logger.info("reading standard input; end it with Ctrl-D.")
    try:
        content = buffered(stored)
        if compression is not None:
            content = BufferedReader(pa.CompressedInputStream(pa.PythonFile(stored, mode="r"), compression))
        yield content, stored
    finally:
        if file != STANDARD_INPUT:
            stored.close()


def buffered(stream: BinaryIO) -> BufferedReader:
    """The stream itself if it is buffered, as standard input is; it then gives each line at once."""
    return stream if isinstance(stream, BufferedReader) else BufferedReader(stream)  # type: ignore[arg-type, unused-ignore]


def open_text(content: BufferedReader, file: Path, encoding: str | None, newline: str | None) -> TextIOWrapper:
    """Decode the content of a text file, without its byte order mark. Wrong bytes become surrogates (`wrong_bytes`).

    Args:
        content: the content.
        file: the file, for error messages.
        encoding: None for UTF-8, or UTF-16 if the content starts with its byte order mark.
        newline: see `io.TextIOWrapper`.

    Raises:
        InputError: if the content is not text.
    """
    start = content.peek(4)[:4]
    name = "standard input" if file == STANDARD_INPUT else str(file)
    for magic, kind in _MAGIC.items():
        if start.startswith(magic):
            raise InputError(f"{name}: this is not text but {kind}; name it so, or unpack it first.")
    if encoding is None:
        encoding = next((name for mark, name in _BYTE_ORDER_MARKS.items() if start.startswith(mark)), "utf-8")
        if encoding == "utf-8" and b"\0" in start and len(start) == 4:
            width = "utf-32" if start.count(b"\0") > 2 else "utf-16"
            likely = f"{width}-{'be' if start[0] == 0 else 'le'}"
            raise InputError(f"{name}: the text looks like {likely}; add --encoding {likely}.")
    elif codecs.lookup(encoding).name == "utf-8":
        encoding = "utf-8-sig"
    # codecs for bytes of any length only: a wrong pair of bytes in UTF-16 has no surrogate
    errors = "strict" if encoding.startswith(("utf-16", "utf-32")) else "surrogateescape"
    return TextIOWrapper(content, encoding=encoding, errors=errors, newline=newline)


def wrong_bytes(text: str) -> bool:
    """Whether a text contains bytes that do not belong to the encoding of its file (`open_text`)."""
    return not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text)


def likely_encoding(file: Path, compression: str | None) -> str | None:
    """Name of the encoding that a file is probably in, after a byte that is not UTF-8; None if there is no telling.

    Few bytes above 127 are accents and quotation marks of Western languages, which statistics on letters, as in
    `charset_normalizer`, often take for other languages; so the library is asked only about other scripts.
    """
    if file == STANDARD_INPUT:
        return None
    with open_binary(file, compression) as (content, _):
        sample = content.read(_SAMPLE_BYTES)
    good = sum(character > "\x7f" for character in sample.decode("utf-8", "ignore"))
    if good > sample.decode("utf-8", "replace").count("\ufffd"):
        return "utf-8"  # most of the file is; only some bytes are damaged
    if sum(byte > 127 for byte in sample) < 0.3 * len(sample):
        return "cp1252"
    best = charset_normalizer.from_bytes(sample, cp_isolation=_CODE_PAGES).best()
    return None if best is None else str(best.encoding)


@contextmanager
def open_output(stream: BinaryIO, compression: str | None) -> Iterator[BinaryIO]:
    """Context manager that compresses what is written, if `compression` is not None."""
    if compression is None:
        yield stream
        return
    with pa.CompressedOutputStream(pa.PythonFile(stream, mode="w"), compression) as compressed:
        yield compressed
