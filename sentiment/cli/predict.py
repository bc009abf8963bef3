"""Commands that use a trained model: predict, explain, export."""

import argparse
import glob
import json
import logging
import os
import shlex
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from sentiment.cli.options import (
    READING,
    add_reading_options,
    load_classifier,
    loading,
    model_parser,
    path,
    reading_settings,
)
from sentiment.errors import InputError
from sentiment.io.formats import format_of
from sentiment.io.progress import step

if TYPE_CHECKING:
    from sentiment.batch.file_job import Outcome
    from sentiment.config import DataConfig
    from sentiment.inference.base import Predictor

logger = logging.getLogger(__name__)


def predict(arguments: Sequence[str]) -> None:
    """Predict reviews: [--model DIR] [TEXT ... | --input FILE [--output FILE]]; standard input if neither is given."""
    about = "Predict reviews from arguments, files, or standard input with one review per line."
    examples = ['"I loved every minute of it."', "--input reviews.csv --output predicted.csv"]
    parser = model_parser("predict", about, examples)
    parser.add_argument("text", nargs="*", metavar="TEXT", help="a review, or a file of reviews")
    parser.add_argument("--json", action="store_true", help="print one JSON object per review")
    group = parser.add_argument_group("answers")
    group.add_argument(
        "--target-accuracy",
        type=float,
        metavar="SHARE",
        help="accuracy wanted of the answers that are not uncertain, such as 0.99 (default: the model's own limit)",
    )
    group.add_argument(
        "--long-text",
        choices=["head", "tail", "windows", "whole"],
        help="what to read of a review over the model's maximum length: its beginning, its end, overlapping windows, "
        "or all of it (default: the part that the model was trained with)",
    )
    group = parser.add_argument_group("files")
    group.add_argument(
        "--input",
        action="append",
        metavar="SOURCE",
        help="file, directory or pattern such as 'data/*.csv'; samples: the sample reviews; - is standard input. "
        "Formats: .txt (one review per line), .csv, .tsv, .json, .jsonl, .parquet, .xlsx; also with .gz or .zst",
    )
    group.add_argument(
        "--output",
        type=lambda text: text if "://" in text else path(text),
        metavar="FILE",
        help="file for the rows with their predictions, of the same formats except .txt; - is standard output "
        "(default: print one line per review)",
    )
    group.add_argument("--overwrite", action="store_true", help="replace an existing output")
    group.add_argument(
        "--engine",
        choices=["local", "ray"],
        default="local",
        help="what computes a job with --input and --output: this process, or Ray on one or many machines, for which "
        "--output is a directory (default: local)",
    )
    group.add_argument("--ray-address", metavar="ADDRESS", help="Ray cluster, such as auto (default: this machine)")
    group.add_argument("--resume", action="store_true", help="resume a job with --input and --output that was stopped")
    add_reading_options(parser, labels=False)
    options = parser.parse_args(arguments)
    if options.input is not None and len(options.input) > 1:
        raise InputError(
            "--input is given twice; for several files, give a directory or a pattern such as 'data/*.csv'."
        )
    options.input = None if options.input is None else options.input[0]
    if options.input is None and options.text:
        options.input = _file_argument(options.text)
        options.text = options.text if options.input is None else []
    if options.input is not None and options.text:
        raise InputError("give reviews either as arguments or with --input, not both.")
    if options.input is None and options.output is not None:
        raise InputError("--output needs --input: a file of reviews, or - for standard input.")
    if options.output is None and (options.resume or options.overwrite):
        raise InputError("--resume and --overwrite are for jobs that write files; give --input and --output.")
    _check_engine(options)
    if options.json and options.output is not None:
        raise InputError("--json is only for printed predictions; choose an --output that ends in .jsonl instead.")
    if options.input is None:
        for name in reading_settings(options).keys() - {"on_bad_row"}:
            raise InputError(
                f"{READING[name]['flag']} is for files; add --input FILE, or --input - for standard input."
            )
        if options.text:
            _predict_arguments(options)
        else:
            from sentiment.batch.stream import predict_lines

            predict_lines(load_predictor(options), sys.stdin.buffer, options.on_bad_row == "skip", options.json)
        return
    from sentiment.config import DataConfig

    data = DataConfig(source=options.input, **reading_settings(options))
    if options.engine == "ray":
        _predict_on_ray(options, data)
    elif options.output is None:
        from sentiment.batch.stream import predict_and_print

        predict_and_print(load_predictor(options), data, options.json)
    else:
        _predict_file(load_predictor(options), data, options)


def _check_engine(options: argparse.Namespace) -> None:
    if options.engine == "local":
        if isinstance(options.output, str):
            raise InputError(f"{options.output}: is an address, to which --engine ray writes; give a file.")
        if options.ray_address is not None:
            raise InputError("--ray-address is for --engine ray.")
        return
    if options.input is None or options.output is None:
        raise InputError("--engine ray is for jobs; give --input and --output.")
    if str(options.output) == "-":
        raise InputError("--engine ray writes a directory of shards, not standard output; give a directory.")
    if options.threads is not None:
        raise InputError("--threads is for the local engine; with --engine ray, actors have one CPU each.")
    if options.overwrite:
        raise InputError("--engine ray overwrites nothing; choose another --output, or add --resume to continue a job.")


def _predict_on_ray(options: argparse.Namespace, data: "DataConfig") -> None:
    from sentiment.batch.ray_cluster import Cluster
    from sentiment.batch.ray_job import predict_on_ray

    started = time.monotonic()
    cluster = Cluster(options.ray_address, options.device)
    options.device = "cpu"  # of this process; the actors compute on the nodes' devices
    classifier = load_predictor(options)
    outcome = predict_on_ray(classifier, data, str(options.output), cluster, resume=options.resume)
    print(f"{options.output}: {_summary(outcome, started)}")


def _summary(outcome: "Outcome", started: float) -> str:
    from sentiment.batch.stream import counted

    notes = f" ({counted(outcome.without_text, 'row')} without a text)" if outcome.without_text else ""
    notes += f", {counted(outcome.skipped, 'row')} skipped" if outcome.skipped else ""
    return f"{counted(outcome.predicted, 'review')}{notes} in {time.monotonic() - started:.1f} s"


def _predict_file(classifier: "Predictor", data: "DataConfig", options: argparse.Namespace) -> None:
    from sentiment.batch.file_job import STANDARD_OUTPUT, predict_file

    started = time.monotonic()
    outcome = predict_file(classifier, data, options.output, overwrite=options.overwrite, resume=options.resume)
    if options.output == STANDARD_OUTPUT:
        logger.info("%s", _summary(outcome, started))
    else:
        print(f"{options.output}: {_summary(outcome, started)}")


def _file_argument(texts: Sequence[str]) -> str | None:
    """The source, if the reviews on the command line are the name of a file; None if they are reviews.

    Raises:
        InputError: if there are names of files among reviews, or names like those of files that do not exist.
    """
    if list(texts) == ["-"]:
        return "-"
    named = [text for text in texts if _looks_like_file(text)]
    if not named:
        return None
    exists = os.path.exists(named[0]) or glob.glob(named[0], recursive=True)  # noqa: PTH110, PTH207
    if len(texts) == 1 and exists:
        return named[0]
    if not exists:
        raise InputError(
            f"{named[0]}: no such file. If this is a review, give it on standard input: "
            f"echo {shlex.quote(named[0])} | sentiment predict"
        )
    raise InputError(
        f"{named[0]} is a file; give one file alone, or a pattern with --input, such as --input 'data/*.csv'."
    )


def load_predictor(options: argparse.Namespace) -> "Predictor":
    """Load the model of the options of `model_parser`, with ONNX Runtime if it was exported, otherwise with torch.

    Raises:
        InputError: if the model or the device does not exist, or the model is damaged.
        RunError: if the hub cannot be reached, or ONNX Runtime is not installed.
    """
    from sentiment.inference.onnx import OnnxClassifier, is_exported

    classifier: Predictor
    if options.model is None or not is_exported(options.model):
        with loading(options):
            classifier = load_classifier(options)
    elif options.device == "cuda":
        raise InputError(f"{options.model}: an exported model runs only on the CPU; leave out --device cuda.")
    else:
        classifier = OnnxClassifier.from_pretrained(options.model, options.threads)
    return _with_settings(classifier, options)


def _with_settings(classifier: "Predictor", options: argparse.Namespace) -> "Predictor":
    from sentiment.inference.base import PredictorSettings

    classifier.settings = PredictorSettings(options.long_text, options.target_accuracy)
    if options.target_accuracy is not None:
        band = classifier.band(options.target_accuracy)
        logger.info(
            "uncertain below a score of %.4f: on validation reviews %.0f%% had this score or a higher one, and %.2f%% "
            "of those were right",
            band.confident_from,
            100 * band.coverage,
            100 * band.accuracy,
        )
    logger.debug("computed by %s", classifier.runtime)
    return classifier


def _predict_arguments(options: argparse.Namespace) -> None:
    """Predict a few texts, in float32 on the CPU: the start takes longest, and with ONNX Runtime it is shortest."""
    from sentiment.batch.stream import print_predictions
    from sentiment.export.onnx_cache import load_export, store_export
    from sentiment.inference.onnx import is_exported
    from sentiment.persistence.model_directory import locate_model

    if options.device == "cuda" or (options.model is not None and is_exported(options.model)):
        classifier = load_predictor(options)
        print_predictions(options.text, classifier.predict(options.text), options.json)
        return
    options.device, model = "cpu", locate_model(options.model or "imdb")
    if (exported := load_export(model, options.threads)) is not None:
        logger.debug("the model comes from the cache")
        print_predictions(options.text, _with_settings(exported, options).predict(options.text), options.json)
        return
    with loading(options):
        loaded = load_classifier(options, precision="fp32")
    print_predictions(options.text, _with_settings(loaded, options).predict(options.text), options.json)
    store_export(loaded, model)


def _looks_like_file(text: str) -> bool:
    """Whether a review on the command line is the name of a file or directory, or ends like the name of a file."""
    short = len(text) < 4096 and "\0" not in text and any(map(str.isalnum, text))  # others raise, or are punctuation
    if short and (os.path.exists(text) or ("/" in text and glob.glob(text, recursive=True))):  # noqa: PTH110, PTH207
        return True
    return len(text) < 256 and "\n" not in text and format_of(Path(text)) is not None


def explain(arguments: Sequence[str]) -> None:
    """Explain a prediction: [--model DIR] [--by word|phrase|sentence] [--json] [--html FILE] [TEXT]."""
    from sentiment.explanation.parts import By

    about = "Explain the prediction for one review, from an argument or standard input."
    parser = model_parser("explain", about, ['"not bad at all"', "--html page.html < review.txt"])
    parser.add_argument("text", nargs="?", metavar="TEXT", help="the review (default: all of standard input)")
    parser.add_argument(
        "--by",
        choices=get_args(By),
        help="what to divide the review into (default: phrase; sentence for more than 60 words); "
        "word prints the gates, too",
    )
    parser.add_argument("--json", action="store_true", help="print the explanation as one JSON object")
    parser.add_argument("--html", type=path, metavar="FILE", help="write the explanation to FILE, as an HTML page")
    options = parser.parse_args(arguments)
    text = options.text
    if text is not None:
        if _looks_like_file(text):
            if not Path(text).exists():
                raise InputError(f"{text}: no such file.")
            raise InputError(f"{text}: is a file; for the review in it, write: sentiment explain < {shlex.quote(text)}")
    else:
        if sys.stdin.isatty():
            logger.info("type a review, then Ctrl-D on a line of its own.")
        try:
            text = sys.stdin.buffer.read().decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError(f"standard input: not UTF-8 at byte {error.start}; convert it to UTF-8.") from error
        from sentiment.tables.reader import table_format

        if table_format(text.partition("\n")[0]) is not None:
            raise InputError("standard input: is a table, not one review; give the text of one review.")
    with loading(options):
        classifier = load_classifier(options)
    with step("explaining", lasting=False):
        explanation = classifier.explain(text, options.by)
    if options.html is not None:
        explanation.save_html(options.html)
        logger.info("page: %s", options.html)
    if options.json:
        print(json.dumps(explanation.to_dict()))  # in ASCII, since an argument that is not UTF-8 cannot be printed
    elif options.html is None:
        from sentiment.explanation.terminal import render_terminal

        color = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        print(render_terminal(explanation, color, shutil.get_terminal_size().columns))


def export(arguments: Sequence[str]) -> None:
    """Export a model for prediction without torch: --output DIR [--model DIR] [--format onnx]."""
    about = "Export a model to ONNX. `sentiment predict` can use it without torch."
    # no --device: on a GPU, LSTMs use TF32 by default, whose rounding errors are larger than the allowed difference
    parser = model_parser(
        "export", about, ["--output exported", "--model imdb-small --output small.onnx"], device=False
    )
    parser.add_argument("--format", choices=["onnx"], default="onnx", help="format of the export (default: onnx)")
    parser.add_argument(
        "--output", required=True, type=path, metavar="DIR", help="directory to write, or FILE.onnx for the graph only"
    )
    options = parser.parse_args(arguments)

    with loading(options):
        from sentiment.classifier import SentimentClassifier
        from sentiment.export.onnx import export_onnx

        classifier = SentimentClassifier.from_pretrained(options.model)
    with step("exporting", lasting=False):
        export_onnx(classifier, options.output)
    print(f"model: {options.output}")
