"""atheris changes bytes so that they reach new branches: coverage_fuzzer.py TARGET MODEL SCRATCH [options].

TARGET is text, csv, tsv, semicolons, json, jsonl, xlsx, gz or utf16.
"""

import codecs
import gzip
import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parent.parent))

with atheris.instrument_imports(include=["sentiment.text.tokenizer", "sentiment.tables"]):
    import sentiment.tables.reader
    import sentiment.tables.writer
    import sentiment.text.tokenizer  # noqa: F401

from fuzzing import check_file, check_standard_input

from sentiment.classifier import SentimentClassifier

FILES = {
    "csv": ("in.csv", b"text\n", "out.jsonl"),
    "tsv": ("in.tsv", b"text\tlabel\n", "out.csv"),
    "semicolons": ("in.csv", b"sep=;\ntext;label\n", "out.tsv"),
    "json": ("in.json", b"[{", "out.parquet"),
    "jsonl": ("in.jsonl", b"", "out.csv"),
    "xlsx": ("in.xlsx", b"PK\x03\x04", "out.csv"),
    "gz": ("in.csv.gz", b"text\n", "out.xlsx"),
    "utf16": ("in.csv", codecs.BOM_UTF16_LE + "text\n".encode("utf-16-le"), "out.json"),
}
"""{target: (name of the file, its first bytes, name of the output)}."""

target, model, scratch, *options = sys.argv[1:]
classifier = SentimentClassifier.from_pretrained(model)
SentimentClassifier.from_pretrained = lambda *_: classifier  # once, or loading is all that is tried


def one_input(data: bytes) -> None:
    """Any exception that leaves this function is a finding."""
    if target == "text":
        check_standard_input(Path(model), data)
    else:
        name, start, output = FILES[target]
        content = gzip.compress(start + data) if target == "gz" else start + data
        check_file(Path(model), Path(scratch), name, content, output)


atheris.Setup([sys.argv[0], "-max_len=300", "-len_control=0", *options], one_input)
atheris.Fuzz()
