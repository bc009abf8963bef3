"""atheris changes bytes so that they reach new branches: coverage_fuzzer.py text|csv|jsonl MODEL SCRATCH [options]."""

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parent.parent))

with atheris.instrument_imports(
    include=["sentiment.text.tokenizer", "sentiment.batch.readers", "sentiment.batch.writers"]
):
    import sentiment.batch.readers
    import sentiment.batch.writers
    import sentiment.text.tokenizer  # noqa: F401

from fuzzing import check_file, check_standard_input

from sentiment.classifier import SentimentClassifier

target, model, scratch, *options = sys.argv[1:]
classifier = SentimentClassifier.from_pretrained(model)
SentimentClassifier.from_pretrained = lambda *_: classifier  # once, or loading is all that is tried


def one_input(data: bytes) -> None:
    """Any exception that leaves this function is a finding."""
    if target == "text":
        check_standard_input(Path(model), data)
    elif target == "csv":
        check_file(Path(model), Path(scratch), "in.csv", b"text\n" + data, "out.jsonl")
    else:
        check_file(Path(model), Path(scratch), "in.jsonl", data, "out.csv")


atheris.Setup([sys.argv[0], "-max_len=300", "-len_control=0", *options], one_input)
atheris.Fuzz()
