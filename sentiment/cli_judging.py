"""Commands that judge a model: on labelled reviews, short sentences, long reviews; and whether it explains truly."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict

from sentiment.cli_arguments import add_data_options, chosen_device, data_config, load_classifier, model_parser, path
from sentiment.errors import InputError
from sentiment.files import expanded


def evaluate(arguments: Sequence[str]) -> None:
    """[--model DIR] --data SOURCE [--split test] [--output DIR]: measure a model on labelled reviews."""
    parser = model_parser("evaluate", "Measures a model on labelled reviews; prints the figures.")
    add_data_options(parser, "hub id, directory or file of labelled reviews", split=True)
    parser.add_argument("--output", metavar="DIR", type=path, help="for metrics.json, predictions.parquet, report.html")
    parser.add_argument("--train-data", metavar="SOURCE", help="what baselines are fitted on; default: SOURCE's train")
    parser.add_argument("--no-baselines", action="store_true", help="do not fit the linear baselines")
    parser.add_argument("--compare", nargs="+", default=[], metavar="DIR", help="models, or their predictions.parquet")
    parser.add_argument("--pairs", type=path, metavar="FILE", help="original, edited, label_original, label_edited")
    parser.add_argument("--update-model", action="store_true", help="put the figures into the model's card, too")
    options = parser.parse_args(arguments)
    if options.update_model and (options.model is None or not expanded(options.model).is_dir()):
        raise InputError("--update-model writes into a model directory; name it with --model.")
    if options.no_baselines and options.train_data is not None:
        raise InputError("--train-data is what baselines are fitted on, and --no-baselines fits none; leave one out.")

    from sentiment.answer_cache import default_cache
    from sentiment.assessment import Question, assess, update_model
    from sentiment.files import write_json
    from sentiment.gathering import write_predictions
    from sentiment.report import write_report
    from sentiment.summary import summary

    question = Question(
        data=data_config(options),
        split=options.split,
        model=options.model,
        device=chosen_device(options.device),
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
        update_model(assessment, expanded(options.model))
        print(f"card: {expanded(options.model) / 'README.md'}")


def behaviour(arguments: Sequence[str]) -> None:
    """[--model DIR] [--train-data SOURCE] [--json]: what a model makes of negation, typos, swapped names and so on."""
    parser = model_parser("behaviour", "Asks a model about short sentences of known meaning; prints failure rates.")
    add_data_options(parser, "ask linear baselines, too, fitted on its train split", "--train-data")
    parser.add_argument("--json", action="store_true", help="print one JSON array")
    options = parser.parse_args(arguments)

    from sentiment.behaviour import table
    from sentiment.rivals import behaviour_of_all

    classifier = load_classifier(options)
    columns = behaviour_of_all(classifier, None if options.data is None else data_config(options))
    if options.json:
        print(json.dumps({name: [asdict(row) for row in rows] for name, rows in columns.items()}, ensure_ascii=False))
    else:
        print(table(columns))


def length_limits(arguments: Sequence[str]) -> None:
    """[--model DIR] --data SOURCE [--limits 256 512]: which part of long reviews to read, on the validation part."""
    parser = model_parser(
        "length-limits", "Measures what a length limit costs, and which part of a long review to read."
    )
    add_data_options(parser, "where train comes from; or a file, read whole", validation=True)
    parser.add_argument("--limits", nargs="+", type=_positive, default=[256, 512], metavar="N", help="most tokens read")
    options = parser.parse_args(arguments)

    from sentiment.length_limits import measure, table

    classifier = load_classifier(options)
    print(table(measure(classifier, data_config(options), options.limits)))


def short_texts(arguments: Sequence[str]) -> None:
    """[--model DIR] --data SOURCE: how a sentence or two are read, cut from reviews of the validation part."""
    parser = model_parser("short-texts", "Measures a model and n-grams on sentences cut from validation reviews.")
    add_data_options(parser, "where train comes from", validation=True)
    options = parser.parse_args(arguments)

    from sentiment.short_texts import measure, table

    classifier = load_classifier(options)
    print(table(measure(classifier, data_config(options))))


def deletion_test(arguments: Sequence[str]) -> None:
    """[--model DIR] --data SOURCE [--reviews 500] [--output FILE]: are explanations true, and what do they cost?"""
    parser = model_parser("deletion-test", "Takes away the words that explain names, and compares with random words.")
    add_data_options(parser, "hub id, directory or file of reviews; their labels are not read", split=True)
    parser.add_argument("--reviews", type=int, default=500, help="how many, drawn at random (default: 500)")
    parser.add_argument("--seed", type=int, default=0, help="of the reviews and words drawn (default: 0)")
    parser.add_argument("--output", type=path, metavar="FILE", help="where the figures go as JSON")
    options = parser.parse_args(arguments)
    if options.reviews < 1 or options.seed < 0:
        raise InputError("--reviews must be at least 1, and --seed at least 0.")

    import numpy as np

    from sentiment import deletion_test as room
    from sentiment.data import load_reviews
    from sentiment.files import write_json

    classifier = load_classifier(options)
    texts = list(load_reviews(data_config(options), options.split, labelled=False)["text"])
    rows = np.random.default_rng(options.seed).permutation(len(texts))[: options.reviews]
    chosen = [texts[row] for row in rows]
    results = room.deletion_test(classifier, chosen, options.seed) | {"cost": room.explanation_cost(classifier, chosen)}
    print(room.render_results(results))
    if options.output is not None:
        write_json(options.output, results)


def _positive(text: str) -> int:
    """A whole number of at least 1, for argparse."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of at least 1")
    return int(text)
