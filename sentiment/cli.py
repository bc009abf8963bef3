"""The command line: `sentiment train|pretrain|evaluate|predict ...`; scripts/ calls the same functions.

Results go to standard output, messages to standard error. Exit codes: 0 done, 1 the work failed, 2 the call was wrong,
128 + signal number when stopped. Heavy modules are imported by the command that needs them.
"""

import argparse
import io
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from sentiment.errors import InputError, RunError
from sentiment.sharing import reading_together
from sentiment.stopping import Stopped

if TYPE_CHECKING:
    from sentiment.prediction import Predictor


def train(arguments: Sequence[str]) -> None:
    """CONFIG.yaml [--resume] [--dotted.key=value ...]: train a classifier."""
    from sentiment.config import TrainConfig
    from sentiment.supervised import train as run

    config, resume = _configured("train", TrainConfig, arguments)
    run(config, resume)
    _say_model(config.run.output_dir)


def pretrain(arguments: Sequence[str]) -> None:
    """CONFIG.yaml [--resume] [--dotted.key=value ...]: train a language model, the classifier's start."""
    from sentiment.config import PretrainConfig
    from sentiment.pretraining import pretrain as run

    config, resume = _configured("pretrain", PretrainConfig, arguments)
    run(config, resume)
    _say_model(config.run.output_dir)


def distil(arguments: Sequence[str]) -> None:
    """CONFIG.yaml [--resume] [--dotted.key=value ...]: train a student on its teachers' answers."""
    from sentiment.config import DistilConfig
    from sentiment.distillation import distil as run

    config, resume = _configured("distil", DistilConfig, arguments)
    run(config, resume)
    _say_model(config.run.output_dir)


def ensemble(arguments: Sequence[str]) -> None:
    """CONFIG.yaml [--split test] [--dotted.key=value ...]: measure the teachers of a student, together, on a split."""
    from sentiment.config import DistilConfig
    from sentiment.distillation import judge_teachers

    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--split", default="test")
    known, rest = options.parse_known_args(arguments)
    config, _ = _configured("ensemble", DistilConfig, rest)
    print(json.dumps(judge_teachers(config, known.split), indent=2))


def evaluate(arguments: Sequence[str]) -> None:
    """[--model DIR] --data SOURCE [--split test] [--output DIR]: measure a model on labelled reviews."""
    parser = _parser("evaluate", "Measures a model on labelled reviews; prints the figures.")
    parser.add_argument("--data", required=True, metavar="SOURCE", help="hub id, directory or file of labelled reviews")
    parser.add_argument("--split", default="test", help="split of SOURCE; a file is its own split (default: test)")
    parser.add_argument("--output", metavar="DIR", type=Path, help="for metrics.json, predictions.parquet, report.html")
    parser.add_argument("--text-column", default="text", metavar="NAME", help="column with the review (default: text)")
    parser.add_argument("--label-column", default="label", metavar="NAME", help="column with 0 or 1 (default: label)")
    parser.add_argument("--train-data", metavar="SOURCE", help="what baselines are fitted on; default: SOURCE's train")
    parser.add_argument("--no-baselines", action="store_true", help="do not fit the linear baselines")
    parser.add_argument("--compare", nargs="+", default=[], metavar="DIR", help="models, or their predictions.parquet")
    parser.add_argument("--pairs", type=Path, metavar="FILE", help="original, edited, label_original, label_edited")
    parser.add_argument("--update-model", action="store_true", help="put the figures into the model's card, too")
    options = parser.parse_args(arguments)
    if options.update_model and (options.model is None or not Path(options.model).is_dir()):
        raise InputError("--update-model writes into a model directory; name it with --model.")

    from sentiment.answer_cache import default_cache
    from sentiment.assessment import Question, assess, update_model
    from sentiment.config import DataConfig
    from sentiment.files import write_json
    from sentiment.gathering import write_predictions
    from sentiment.report import write_report
    from sentiment.summary import summary

    question = Question(
        data=DataConfig(source=options.data, text_column=options.text_column, label_column=options.label_column),
        split=options.split,
        model=options.model,
        train_data=options.train_data,
        baselines=not options.no_baselines,
        compare=tuple(options.compare),
        pairs=options.pairs,
        cache=default_cache(),
    )
    assessment = assess(question)
    print(summary(assessment))
    if options.output is not None:
        write_predictions(assessment.answers, options.output / "predictions.parquet")
        write_json(options.output / "metrics.json", assessment.metrics)
        write_report(assessment, options.output / "report.html")
        print(f"report: {options.output / 'report.html'}")
    if options.update_model:
        update_model(assessment, Path(options.model))
        print(f"card: {Path(options.model) / 'README.md'}")


def behaviour(arguments: Sequence[str]) -> None:
    """[--model DIR] [--train-data SOURCE] [--json]: what a model makes of negation, typos, swapped names and so on."""
    parser = _parser("behaviour", "Asks a model about short sentences of known meaning; prints failure rates.")
    parser.add_argument("--train-data", metavar="SOURCE", help="ask linear baselines, too, fitted on its train split")
    parser.add_argument("--json", action="store_true", help="print one JSON array")
    options = parser.parse_args(arguments)

    from sentiment.behaviour import table
    from sentiment.classifier import SentimentClassifier
    from sentiment.rivals import behaviour_of_all

    classifier = SentimentClassifier.from_pretrained(options.model)
    columns = behaviour_of_all(classifier, options.train_data)
    if options.json:
        print(json.dumps({name: [asdict(row) for row in rows] for name, rows in columns.items()}, ensure_ascii=False))
    else:
        print(table(columns))


def length_limits(arguments: Sequence[str]) -> None:
    """[--model DIR] --data SOURCE [--limits 256 512]: which part of long reviews to read, on the validation part."""
    parser = _parser("length-limits", "Measures what a length limit costs, and which part of a long review to read.")
    parser.add_argument("--data", required=True, metavar="SOURCE", help="where train comes from; or a file, read whole")
    parser.add_argument("--groups-file", metavar="FILE", help="film of each training row, as data.groups_file")
    parser.add_argument("--limits", nargs="+", type=_positive, default=[256, 512], metavar="N", help="most tokens read")
    options = parser.parse_args(arguments)

    from sentiment.classifier import SentimentClassifier
    from sentiment.config import DataConfig
    from sentiment.length_limits import measure, table

    classifier = SentimentClassifier.from_pretrained(options.model)
    print(table(measure(classifier, DataConfig(options.data, groups_file=options.groups_file), options.limits)))


def _positive(text: str) -> int:
    """A whole number of at least 1, for argparse."""
    if (number := int(text)) < 1:
        raise ValueError
    return number


def predict(arguments: Sequence[str]) -> None:
    """[--model DIR] [TEXT ... | --input FILE --output FILE]: read reviews; without both, from standard input."""
    parser = _parser("predict", "Reads reviews: given as arguments, in a file, or one a line on standard input.")
    parser.add_argument("text", nargs="*", metavar="TEXT", help="a review")
    parser.add_argument("--json", action="store_true", help="print one JSON object a review")
    parser.add_argument("--input", type=Path, metavar="FILE", help=".txt (one review a line), .csv, .jsonl or .parquet")
    parser.add_argument("--output", type=Path, metavar="FILE", help=".csv, .jsonl or .parquet; appears when whole")
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

    classifier = _predictor(options.model)
    skip_bad_rows = options.on_bad_row == "skip"
    if options.input is None:
        from sentiment.line_prediction import predict_stream, print_predictions

        if options.text:
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


def _predictor(model: str | None) -> "Predictor":
    """The model, by torch, or by ONNX Runtime where it was exported to that."""
    from sentiment.onnx_prediction import OnnxClassifier, is_exported

    if model is not None and is_exported(model):
        return OnnxClassifier.from_pretrained(model)
    from sentiment.classifier import SentimentClassifier

    return SentimentClassifier.from_pretrained(model)


def export(arguments: Sequence[str]) -> None:
    """[--model DIR] --output DIR [--format onnx]: write a model that predicts without torch."""
    parser = _parser("export", "Writes a model for ONNX Runtime; `sentiment predict` reads it without torch.")
    parser.add_argument("--format", choices=["onnx"], default="onnx", help="of what is written (default: onnx)")
    parser.add_argument("--output", required=True, type=Path, metavar="DIR", help="or FILE.onnx, for the graph alone")
    options = parser.parse_args(arguments)

    from sentiment.classifier import SentimentClassifier
    from sentiment.onnx_export import export_onnx

    export_onnx(SentimentClassifier.from_pretrained(options.model), options.output)
    print(f"model: {options.output}")


def explain(arguments: Sequence[str]) -> None:
    """[--model DIR] [--json] [--html FILE] [TEXT]: what each word of one review changed, and each gate at it."""
    parser = _parser("explain", "Explains the answer to one review, given as an argument or on standard input.")
    parser.add_argument("text", nargs="?", metavar="TEXT", help="the review; default: standard input, whole")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page that works offline")
    options = parser.parse_args(arguments)
    text = options.text
    if text is None:
        try:
            text = sys.stdin.buffer.read().decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError(f"standard input is not UTF-8 at byte {error.start}; convert it first.") from error

    from sentiment.classifier import SentimentClassifier

    explanation = SentimentClassifier.from_pretrained(options.model).explain(text)
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


def deletion_test(arguments: Sequence[str]) -> None:
    """[--model DIR] --data SOURCE [--reviews 500] [--output FILE]: are explanations true, and what do they cost?"""
    parser = _parser("deletion-test", "Takes away the words that explain names, and compares with random words.")
    parser.add_argument("--data", required=True, metavar="SOURCE", help="hub id, directory or file of reviews")
    parser.add_argument("--split", default="test", help="split of SOURCE; a file is its own split (default: test)")
    parser.add_argument("--reviews", type=int, default=500, help="how many, drawn at random (default: 500)")
    parser.add_argument("--seed", type=int, default=0, help="of the reviews and words drawn (default: 0)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="where the figures go as JSON")
    options = parser.parse_args(arguments)
    if options.reviews < 1 or options.seed < 0:
        raise InputError("--reviews must be at least 1, and --seed at least 0.")

    import numpy as np

    from sentiment import deletion_test as room
    from sentiment.classifier import SentimentClassifier
    from sentiment.config import DataConfig
    from sentiment.data import load_reviews
    from sentiment.files import write_json

    classifier = SentimentClassifier.from_pretrained(options.model)
    texts = list(load_reviews(DataConfig(source=options.data), options.split, labelled=False)["text"])
    rows = np.random.default_rng(options.seed).permutation(len(texts))[: options.reviews]
    chosen = [texts[row] for row in rows]
    results = room.deletion_test(classifier, chosen, options.seed) | {"cost": room.explanation_cost(classifier, chosen)}
    print(room.render_results(results))
    if options.output is not None:
        write_json(options.output, results)


def gradient_flow(arguments: Sequence[str]) -> None:
    """CONFIG.yaml [--resume] [--dotted.key=value ...]: how far back the loss is felt, LSTM against plain tanh units."""
    from sentiment.config import TrainConfig
    from sentiment.gradient_flow import compare, render_table

    config, resume = _configured("gradient-flow", TrainConfig, arguments)
    print(render_table(compare(config, resume)))
    print(f"figure: {Path(config.run.output_dir) / 'gradient_flow.png'}")


def scalar_unit(arguments: Sequence[str]) -> None:
    """[--figure FILE]: train an LSTM unit of one number on two sequences, and show each of its steps."""
    parser = argparse.ArgumentParser("sentiment scalar-unit", description="Trains an LSTM unit of size 1.")
    parser.add_argument("--figure", type=Path, metavar="FILE", help="draw both memories: .png, .svg or .pdf")
    options = parser.parse_args(arguments)
    if options.figure is not None and options.figure.suffix not in (".png", ".svg", ".pdf"):
        raise InputError(f"--figure {options.figure}: give a name that ends in .png, .svg or .pdf.")

    from sentiment.scalar_unit import draw_course, render_course, train_scalar_unit

    unit, steps = train_scalar_unit()
    print(f"right to two decimals after {steps} steps of Adam\n\n{render_course(unit)}")
    if options.figure is not None:
        draw_course(unit, options.figure)


def _say_model(output_dir: str) -> None:
    if os.environ.get("RANK", "0") == "0":  # under torchrun each process comes by here
        print(f"model: {Path(output_dir) / 'model'}")


def _configured(command: str, config_class: Any, arguments: Sequence[str]) -> tuple[Any, bool]:
    """Configuration and --resume from `CONFIG.yaml [--resume] [--dotted.key=value ...]`."""
    from sentiment.config import load_config, parser_for

    if not arguments or "-h" in arguments or "--help" in arguments:
        usage = f"sentiment {command} CONFIG.yaml [--resume] [--dotted.key=value ...]"
        parser_for(config_class, usage=usage, description=config_class.__doc__).print_help()
        raise SystemExit(0 if arguments else 2)
    path, *rest = arguments
    if path.startswith("-"):
        raise InputError(f"{path}: the configuration file comes first: sentiment {command} CONFIG.yaml {path} ...")
    overrides = [argument for argument in rest if argument != "--resume"]
    return load_config(config_class, path, overrides), "--resume" in rest


def _parser(command: str, description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(f"sentiment {command}", description=description)
    parser.add_argument("--model", metavar="DIR", help="directory or hub id; imdb-small ships, too (default: imdb)")
    return parser


COMMANDS: dict[str, Callable[[Sequence[str]], None]] = {
    "train": train,
    "pretrain": pretrain,
    "distil": distil,
    "ensemble": ensemble,
    "evaluate": evaluate,
    "behaviour": behaviour,
    "length-limits": length_limits,
    "predict": predict,
    "export": export,
    "explain": explain,
    "deletion-test": deletion_test,
    "gradient-flow": gradient_flow,
    "scalar-unit": scalar_unit,
}

READ_TOGETHER = ("evaluate", "predict")
"""Commands whose reviews are shared among the processes that torchrun started; one of them does all the rest."""


def run(command: str, arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and leave with its exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # a name or text that the terminal cannot spell is no reason to fail
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        with reading_together() if command in READ_TOGETHER else nullcontext(True) as leads:
            if leads:
                COMMANDS[command](sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
    except (InputError, RunError) as error:
        print(f"sentiment {command}: {error}", file=sys.stderr)
        raise SystemExit(2 if isinstance(error, InputError) else 1) from None
    except Stopped as stopped:
        print(f"sentiment {command}: {stopped}", file=sys.stderr)
        raise SystemExit(stopped.exit_code) from None
    except BrokenPipeError:
        # whoever read our results has gone; Python would complain once more when it flushes at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(128 + signal.SIGPIPE) from None
    except OSError as error:
        print(f"sentiment {command}: {error.filename or 'the output'}: {error.strerror or error}.", file=sys.stderr)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        print(f"sentiment {command}: stopped before there was anything to save.", file=sys.stderr)
        raise SystemExit(130) from None
    raise SystemExit(0)


def main() -> NoReturn:
    """The installed command `sentiment`."""
    arguments = sys.argv[1:]
    if arguments and arguments[0] in COMMANDS:
        run(arguments[0], arguments[1:])
    wants_help = bool(arguments) and arguments[0] in ("-h", "--help")
    lines = ["usage: sentiment COMMAND ...", "", *(f"  {name:10} {f.__doc__}" for name, f in COMMANDS.items())]
    print("\n".join(lines), file=sys.stdout if wants_help else sys.stderr)
    raise SystemExit(0 if wants_help else 2)
