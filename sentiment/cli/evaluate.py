"""Commands that evaluate a model and its explanations."""

import json
import logging
import shlex
from collections.abc import Sequence
from dataclasses import asdict, replace

from sentiment.cli.options import (
    add_data_options,
    check_source,
    chosen_device,
    data_config,
    load_classifier,
    loading,
    model_parser,
    path,
    positive,
)
from sentiment.errors import InputError
from sentiment.io.files import expand_user
from sentiment.io.progress import step

logger = logging.getLogger(__name__)


def evaluate(arguments: Sequence[str]) -> None:
    """Evaluate a model on labeled reviews: --data SOURCE [--model DIR] [--split test] [--output DIR]."""
    examples = ["--data my_reviews.csv --output report", "--model imdb-small --data stanfordnlp/imdb --split test"]
    parser = model_parser("evaluate", "Evaluate a model on labeled reviews and print its metrics.", examples)
    add_data_options(parser, "labeled reviews: hub id, directory or file", split=True)
    group = parser.add_argument_group("comparisons")
    group.add_argument(
        "--train-data",
        metavar="SOURCE",
        help="training reviews for the baselines (default: the train split of --data)",
    )
    group.add_argument("--no-baselines", action="store_true", help="leave out the linear baselines")
    group.add_argument(
        "--quick", action="store_true", help="only what the reviews show: leave out baselines and behavior tests"
    )
    group.add_argument(
        "--compare",
        nargs="+",
        default=[],
        metavar="DIR",
        help="models, or their predictions.parquet, to compare with",
    )
    group.add_argument(
        "--pairs",
        type=path,
        metavar="FILE",
        help="contrast pairs: file with the columns original, edited, label_original and label_edited",
    )
    group = parser.add_argument_group("output")
    group.add_argument(
        "--output",
        metavar="DIR",
        type=path,
        help="write metrics.json, predictions.parquet, errors.csv and report.html to DIR",
    )
    group.add_argument(
        "--update-model", action="store_true", help="also write the metrics and the model card to the model directory"
    )
    options = parser.parse_args(arguments)
    if options.update_model and (options.model is None or not expand_user(options.model).is_dir()):
        raise InputError("--update-model writes to a model directory; give it with --model.")
    for flag, given in (("--quick", options.quick), ("--no-baselines", options.no_baselines)):
        if given and options.train_data is not None:
            raise InputError(f"--train-data is only for the baselines, which {flag} leaves out; give one of the two.")

    if options.output is not None and options.output.exists() and not options.output.is_dir():
        raise InputError(f"--output {options.output}: is a file; give a directory.")
    data = data_config(options)
    if options.train_data is not None:
        check_source(replace(data, source=options.train_data))
    with loading(options):
        from sentiment.evaluation import evaluator
        from sentiment.io.cache import cache_directory
        from sentiment.report.text import summary

    config = evaluator.EvaluationConfig(
        data=data,
        split=options.split,
        model=options.model,
        device=chosen_device(options.device),
        threads=options.threads,
        train_data=options.train_data,
        baselines=not (options.quick or options.no_baselines),
        checklist=not options.quick,
        compare=tuple(options.compare),
        pairs=options.pairs,
        cache=cache_directory(),
    )
    result = evaluator.evaluate(config)
    print(summary(result))
    if options.output is not None:
        with step("writing the report"):
            from sentiment.evaluation.predictions import write_predictions
            from sentiment.io.files import write_json
            from sentiment.report.error_examples import write_errors
            from sentiment.report.html import write_report

            write_predictions(result.predictions, options.output / "predictions.parquet")
            write_json(options.output / "metrics.json", result.metrics)
            write_errors(result.predictions, options.output / "errors.csv")
            write_report(result, options.output / "report.html", shlex.join(["sentiment", "evaluate", *arguments]))
        print(f"report: {options.output / 'report.html'}")
    if options.update_model:
        evaluator.update_model(result, expand_user(options.model))
        print(f"card: {expand_user(options.model) / 'README.md'}")


def checklist(arguments: Sequence[str]) -> None:
    """Test a model on negation, typos, swapped names and more: [--model DIR] [--train-data SOURCE] [--json]."""
    about = "Test a model on short sentences with known labels (CheckList) and print failure rates."
    parser = model_parser("checklist", about, ["--model imdb-small", "--train-data my_reviews --json"])
    add_data_options(parser, "also test linear baselines, fitted on the train split of SOURCE", "--train-data")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    options = parser.parse_args(arguments)

    data = None if options.data is None else data_config(options)
    with loading(options):
        from sentiment.evaluation.checklist import table
        from sentiment.evaluation.comparison import evaluate_checklist

        classifier = load_classifier(options)
    columns = evaluate_checklist(classifier, data)
    if options.json:
        print(json.dumps({name: [asdict(row) for row in rows] for name, rows in columns.items()}, ensure_ascii=False))
    else:
        print(table(columns))


def truncation(arguments: Sequence[str]) -> None:
    """Measure the accuracy at several token limits: --data SOURCE [--model DIR] [--limits 256 512]."""
    about = "Measure the accuracy at several token limits, and which part of a long review to keep."
    examples = ["--data my_reviews.csv", "--model imdb-small --data stanfordnlp/imdb --limits 128 256 512"]
    parser = model_parser("truncation", about, examples)
    add_data_options(
        parser, "labeled reviews: validation part of a hub id or directory, or all reviews of a file", validation=True
    )
    parser.add_argument(
        "--limits",
        nargs="+",
        type=positive,
        default=[256, 512],
        metavar="N",
        help="token limits to compare (default: 256 512)",
    )
    options = parser.parse_args(arguments)

    data = data_config(options)
    with loading(options):
        from sentiment.evaluation.truncation import measure, table

        classifier = load_classifier(options)
    print(table(measure(classifier, data, options.limits)))


def short_text(arguments: Sequence[str]) -> None:
    """Evaluate a model on short excerpts of validation reviews: --data SOURCE [--model DIR]."""
    about = "Evaluate a model and an n-gram baseline on short excerpts of validation reviews."
    parser = model_parser("short-text", about, ["--data my_reviews", "--model imdb-small --data stanfordnlp/imdb"])
    about = "hub id, directory or file with a train split; its validation part is used"
    add_data_options(parser, about, validation=True)
    options = parser.parse_args(arguments)

    data = data_config(options)
    with loading(options):
        from sentiment.evaluation.short_text import measure, table

        classifier = load_classifier(options)
    print(table(measure(classifier, data)))


def faithfulness(arguments: Sequence[str]) -> None:
    """Test explanations by deleting words: --data SOURCE [--model DIR] [--reviews 500] [--output FILE]."""
    about = "Delete the words that explanations mark as important, and compare with deleting random words."
    examples = ["--data my_reviews.csv --reviews 100", "--data stanfordnlp/imdb --output faithfulness.json"]
    parser = model_parser("faithfulness", about, examples)
    add_data_options(parser, "reviews: hub id, directory or file; labels are not needed", split=True)
    parser.add_argument("--reviews", type=int, default=500, help="number of reviews, drawn at random (default: 500)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the random reviews and words (default: 0)")
    parser.add_argument("--output", type=path, metavar="FILE", help="write the results to FILE as JSON")
    options = parser.parse_args(arguments)
    if options.reviews < 1 or options.seed < 0:
        raise InputError("--reviews must be at least 1, and --seed at least 0.")

    data = data_config(options)
    with loading(options):
        import numpy as np

        from sentiment.data.loading import load_reviews
        from sentiment.evaluation.faithfulness import deletion_test, explanation_cost, render_results
        from sentiment.io.files import write_json

        classifier = load_classifier(options)
    with step(f"reading {options.data}"):
        texts = list(load_reviews(data, options.split, labeled=False)["text"])
    rows = np.random.default_rng(options.seed).permutation(len(texts))[: options.reviews]
    drawn = [texts[row] for row in rows]
    labels = [prediction.label for prediction in classifier.predict(drawn, show_progress=True)]
    chosen = [text for text, label in zip(drawn, labels, strict=True) if label is not None]
    if not chosen:
        raise InputError(f"{options.data}: the chosen reviews have no words, so there is nothing to explain.")
    if len(chosen) < len(drawn):
        logger.warning("%s: %d reviews without words are left out.", options.data, len(drawn) - len(chosen))
    results = deletion_test(classifier, chosen, options.seed)
    with step("timing explanations"):
        results["cost"] = explanation_cost(classifier, chosen)
    print(render_results(results))
    if options.output is not None:
        write_json(options.output, results)
