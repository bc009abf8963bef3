"""Commands that read reviews: answers, the reasons for one, and a model that answers elsewhere."""

import argparse
import json
import os
import shlex
import shutil
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sentiment.cli_arguments import load_classifier, model_parser, path
from sentiment.errors import InputError

if TYPE_CHECKING:
    from sentiment.prediction import Predictor


def predict(arguments: Sequence[str]) -> None:
    """[--model DIR] [TEXT ... | --input FILE --output FILE]: read reviews; without both, from standard input."""
    parser = model_parser("predict", "Reads reviews: given as arguments, in a file, or one a line on standard input.")
    parser.add_argument("text", nargs="*", metavar="TEXT", help="a review")
    parser.add_argument("--json", action="store_true", help="print one JSON object a review")
    parser.add_argument("--input", type=path, metavar="FILE", help=".txt (one review a line), .csv, .jsonl or .parquet")
    parser.add_argument("--output", type=path, metavar="FILE", help=".csv, .jsonl or .parquet; appears when whole")
    parser.add_argument("--text-column", default="text", metavar="NAME", help="column with the review (default: text)")
    parser.add_argument("--on-bad-row", choices=["stop", "skip"], default="stop", help="a row that cannot be read")
    parser.add_argument("--resume", action="store_true", help="go on with a job on files that was stopped")
    options = parser.parse_args(arguments)
    if (options.input is None) != (options.output is None):
        raise InputError("--input and --output go together: the file of reviews and the file of answers.")
    if options.input is not None and options.text:
        raise InputError("give reviews as arguments or with --input, not both.")
    if options.resume and options.input is None:
        raise InputError("--resume goes on with a job on files; give its --input and --output.")
    if options.json and options.input is not None:
        raise InputError("--json is for answers that are printed; name an --output that ends in .jsonl instead.")

    classifier = load_predictor(options)
    skip_bad_rows = options.on_bad_row == "skip"
    if options.input is None:
        from sentiment.line_prediction import predict_stream, print_predictions

        if options.text:
            for text in options.text:
                _say_if_file(text, "predict --input {} --output answers.csv")
            print_predictions(options.text, classifier.predict(options.text), options.json)
        else:
            predict_stream(classifier, sys.stdin.buffer, skip_bad_rows, options.json)
        return
    from sentiment.file_prediction import predict_file

    started = time.monotonic()
    outcome = predict_file(
        classifier,
        options.input,
        options.output,
        text_column=options.text_column,
        skip_bad_rows=skip_bad_rows,
        resume=options.resume,
    )
    skipped = f", {outcome.skipped} broken rows left out" if outcome.skipped else ""
    seconds = time.monotonic() - started
    print(f"{options.output}: {outcome.predicted} reviews{skipped} in {seconds:.1f} s")


def load_predictor(options: argparse.Namespace) -> "Predictor":
    """The model of `model_parser`'s options, by torch, or by ONNX Runtime where it was exported to that.

    Raises:
        InputError: if there is no such model, or no such device.
        RunError: if the hub cannot be reached, or ONNX Runtime is not installed.
    """
    from sentiment.onnx_prediction import OnnxClassifier, is_exported

    if options.model is None or not is_exported(options.model):
        return load_classifier(options)
    if options.device == "cuda":
        raise InputError(f"{options.model}: ONNX Runtime computes this model on the CPU; leave out --device cuda.")
    return OnnxClassifier.from_pretrained(options.model)


def _say_if_file(text: str, command: str) -> None:
    """A review that is the name of a file is a mistake as a rule: say which command reads what is in the file."""
    if os.path.isfile(text):  # noqa: PTH113  # Path.is_file raises for a text that is too long for a name
        read = f"sentiment {command.format(shlex.quote(text))}"
        print(f"{text}: is a file, but its name is what is read here; `{read}` reads its content.", file=sys.stderr)


def explain(arguments: Sequence[str]) -> None:
    """[--model DIR] [--json] [--html FILE] [TEXT]: what each word of one review changed, and each gate at it."""
    parser = model_parser("explain", "Explains the answer to one review, given as an argument or on standard input.")
    parser.add_argument("text", nargs="?", metavar="TEXT", help="the review; default: standard input, whole")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--html", type=path, metavar="FILE", help="write a page that works offline")
    options = parser.parse_args(arguments)
    text = options.text
    if text is not None:
        _say_if_file(text, "explain < {}")
    else:
        try:
            text = sys.stdin.buffer.read().decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError(f"standard input is not UTF-8 at byte {error.start}; convert it first.") from error

    explanation = load_classifier(options).explain(text)
    if options.html is not None:
        from sentiment.explanation_page import write_page

        write_page(explanation, options.html)
        print(f"page: {options.html}", file=sys.stderr)
    if options.json:
        print(json.dumps(explanation.to_dict(), ensure_ascii=False))
    elif options.html is None:
        from sentiment.explanation_terminal import render_terminal

        colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        print(render_terminal(explanation, colour, shutil.get_terminal_size().columns))


def export(arguments: Sequence[str]) -> None:
    """[--model DIR] --output DIR [--format onnx]: write a model that predicts without torch."""
    about = "Writes a model for ONNX Runtime; `sentiment predict` reads it without torch."
    # a GPU's products of LSTMs are rounded to TF32 by default, which is more than the graph may differ by
    parser = model_parser("export", about, device=False)
    parser.add_argument("--format", choices=["onnx"], default="onnx", help="of what is written (default: onnx)")
    parser.add_argument("--output", required=True, type=path, metavar="DIR", help="or FILE.onnx, for the graph alone")
    options = parser.parse_args(arguments)

    from sentiment.classifier import SentimentClassifier
    from sentiment.onnx_export import export_onnx

    export_onnx(SentimentClassifier.from_pretrained(options.model), options.output)
    print(f"model: {options.output}")
