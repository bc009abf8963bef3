"""Commands that use a trained model: predict, explain, export."""

import argparse
import json
import logging
import os
import shlex
import shutil
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sentiment.cli.options import load_classifier, model_parser, path
from sentiment.errors import InputError

if TYPE_CHECKING:
    from sentiment.inference.base import Predictor

logger = logging.getLogger(__name__)


def predict(arguments: Sequence[str]) -> None:
    """Predict reviews: [--model DIR] [TEXT ... | --input FILE --output FILE]; standard input if neither is given."""
    parser = model_parser(
        "predict", "Predict reviews from arguments, a file, or standard input with one review per line."
    )
    parser.add_argument("text", nargs="*", metavar="TEXT", help="a review")
    parser.add_argument("--json", action="store_true", help="print one JSON object per review")
    parser.add_argument(
        "--input", type=path, metavar="FILE", help="file of reviews: .txt (one per line), .csv, .jsonl or .parquet"
    )
    parser.add_argument("--output", type=path, metavar="FILE", help="file for predictions: .csv, .jsonl or .parquet")
    parser.add_argument("--text-column", default="text", metavar="NAME", help="column of the review (default: text)")
    parser.add_argument(
        "--on-bad-row",
        choices=["stop", "skip"],
        default="stop",
        help="stop at a row that cannot be read, or skip it (default: stop)",
    )
    parser.add_argument("--resume", action="store_true", help="resume a job with --input and --output that was stopped")
    options = parser.parse_args(arguments)
    if (options.input is None) != (options.output is None):
        raise InputError("--input and --output go together; give a file of reviews and a file for predictions.")
    if options.input is not None and options.text:
        raise InputError("give reviews either as arguments or with --input, not both.")
    if options.resume and options.input is None:
        raise InputError("--resume continues a job on files; give its --input and --output.")
    if options.json and options.input is not None:
        raise InputError("--json is only for printed predictions; choose an --output that ends in .jsonl instead.")

    classifier = load_predictor(options)
    skip_bad_rows = options.on_bad_row == "skip"
    if options.input is None:
        from sentiment.batch.stream import predict_stream, print_predictions

        if options.text:
            for text in options.text:
                _warn_if_file(text, "predict --input {} --output predictions.csv")
            print_predictions(options.text, classifier.predict(options.text), options.json)
        else:
            predict_stream(classifier, sys.stdin.buffer, skip_bad_rows, options.json)
        return
    from sentiment.batch.file_job import predict_file

    started = time.monotonic()
    outcome = predict_file(
        classifier,
        options.input,
        options.output,
        text_column=options.text_column,
        skip_bad_rows=skip_bad_rows,
        resume=options.resume,
    )
    skipped = f", {outcome.skipped} rows skipped" if outcome.skipped else ""
    seconds = time.monotonic() - started
    print(f"{options.output}: {outcome.predicted} reviews{skipped} in {seconds:.1f} s")


def load_predictor(options: argparse.Namespace) -> "Predictor":
    """Load the model of the options of `model_parser`, with ONNX Runtime if it was exported, otherwise with torch.

    Raises:
        InputError: if the model or the device does not exist, or the model is damaged.
        RunError: if the hub cannot be reached, or ONNX Runtime is not installed.
    """
    from sentiment.inference.onnx import OnnxClassifier, is_exported

    if options.model is None or not is_exported(options.model):
        return load_classifier(options)
    if options.device == "cuda":
        raise InputError(f"{options.model}: an exported model runs only on the CPU; leave out --device cuda.")
    return OnnxClassifier.from_pretrained(options.model)


def _warn_if_file(text: str, command: str) -> None:
    """Warn if a review is the name of a file, which is usually a mistake, and show the command that reads the file."""
    if os.path.isfile(text):  # noqa: PTH113  # Path.is_file raises for a text that is too long for a name
        read = f"sentiment {command.format(shlex.quote(text))}"
        logger.warning("%s is a file, but its name was used as the review; `%s` reads the file.", text, read)


def explain(arguments: Sequence[str]) -> None:
    """Explain a prediction, word by word and gate by gate: [--model DIR] [--json] [--html FILE] [TEXT]."""
    parser = model_parser("explain", "Explain the prediction for one review, from an argument or standard input.")
    parser.add_argument("text", nargs="?", metavar="TEXT", help="the review (default: all of standard input)")
    parser.add_argument("--json", action="store_true", help="print the explanation as one JSON object")
    parser.add_argument("--html", type=path, metavar="FILE", help="write the explanation to FILE, as an HTML page")
    options = parser.parse_args(arguments)
    text = options.text
    if text is not None:
        _warn_if_file(text, "explain < {}")
    else:
        try:
            text = sys.stdin.buffer.read().decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError(f"standard input: not UTF-8 at byte {error.start}; convert it to UTF-8.") from error

    explanation = load_classifier(options).explain(text)
    if options.html is not None:
        from sentiment.explanation.html import write_page

        write_page(explanation, options.html)
        logger.info("page: %s", options.html)
    if options.json:
        print(json.dumps(explanation.to_dict(), ensure_ascii=False))
    elif options.html is None:
        from sentiment.explanation.terminal import render_terminal

        color = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        print(render_terminal(explanation, color, shutil.get_terminal_size().columns))


def export(arguments: Sequence[str]) -> None:
    """Export a model for prediction without torch: --output DIR [--model DIR] [--format onnx]."""
    about = "Export a model to ONNX. `sentiment predict` can use it without torch."
    # no --device: on a GPU, LSTMs use TF32 by default, whose rounding errors are larger than the allowed difference
    parser = model_parser("export", about, device=False)
    parser.add_argument("--format", choices=["onnx"], default="onnx", help="format of the export (default: onnx)")
    parser.add_argument(
        "--output", required=True, type=path, metavar="DIR", help="directory to write, or FILE.onnx for the graph only"
    )
    options = parser.parse_args(arguments)

    from sentiment.classifier import SentimentClassifier
    from sentiment.export.onnx import export_onnx

    export_onnx(SentimentClassifier.from_pretrained(options.model), options.output)
    print(f"model: {options.output}")
