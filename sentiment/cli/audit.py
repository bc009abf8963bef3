"""The command that finds labels which are probably wrong."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from sentiment.cli.options import add_data_options, data_config, load_classifier, loading, model_parser, path
from sentiment.errors import InputError

logger = logging.getLogger(__name__)

SHOWN = 20
"""Contradicted labels that are printed."""


def audit_labels(arguments: Sequence[str]) -> None:
    """Find labels that are probably wrong: --data SOURCE [--output FILE.csv] [--model DIR]."""
    about = (
        "Find reviews whose label is contradicted by models that were fitted on the other reviews, the most confident "
        "contradiction first. The reviews do not change."
    )
    examples = ["--data my_reviews.csv", "--data my_reviews --label-map good=positive,bad=negative --output audit.csv"]
    parser = model_parser("audit-labels", about, examples)
    add_data_options(parser, "labeled reviews: hub id, directory or file")
    group = parser.add_argument_group("which reviews")
    group.add_argument("--split", default="train", help="split of SOURCE, ignored if SOURCE is a file (default: train)")
    group.add_argument("--group-column", metavar="NAME", help="column of the group (default: group, if there is one)")
    group = parser.add_argument_group("output")
    help_text = "write the contradicted labels to FILE: .csv, .tsv, .json, .jsonl, .parquet, .xlsx (default: print 20)"
    group.add_argument("--output", type=path, metavar="FILE", help=help_text)
    group.add_argument("--overwrite", action="store_true", help="replace FILE if it exists")
    options = parser.parse_args(arguments)
    if options.overwrite and options.output is None:
        raise InputError("--overwrite is for --output FILE; add it.")

    data = replace(data_config(options), group_column=options.group_column)
    from sentiment.tables.outputs import check_output, output_format, write_table
    from sentiment.tables.sources import local_path

    if options.output is not None:
        output_format(options.output)
        check_output(options.output, data.source, [local_path(data.source)], options.overwrite)
    import numpy as np
    import pyarrow as pa
    import torch

    from sentiment.batch.stream import beginning, counted
    from sentiment.data.loading import load_reviews
    from sentiment.data.splitting import groups_of
    from sentiment.integrations.label_audit import audit_labels
    from sentiment.integrations.sklearn import SentimentEstimator

    with loading(options):  # first, so that a wrong model is refused before the work
        device = str(load_classifier(options).device)
    estimator = SentimentEstimator(options.model or "imdb", device)
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    logger.info("reading %s", data.source)
    reviews = load_reviews(data, options.split, places=True)
    places, rows = reviews["place"][:], np.asarray(reviews["row"])
    found = audit_labels(reviews["text"][:], reviews["label"][:], groups_of(reviews), estimator)
    contradicted = [
        {
            "row": int(rows[suspect.index]),
            "place": places[suspect.index],
            "label": ("negative", "positive")[suspect.label],
            "probability": suspect.probability,
            "text": suspect.text,
        }
        for suspect in found
    ]
    summary = f"{len(found)} of {counted(len(reviews), 'review')} with a label that the answers contradict"
    if options.output is not None:
        kinds = {"row": pa.int64(), "place": pa.string(), "label": pa.string(), "probability": pa.float64()}
        write_table(options.output, contradicted, pa.schema(kinds | {"text": pa.string()}))
        print(f"{options.output}: {summary}")
        return
    print(f"{summary}{': given label, probability of positive, place, text' if found else '.'}")
    for row in contradicted[:SHOWN]:
        print(f"{row['label']}  {row['probability']:.3f}  {row['place']}  {beginning(str(row['text']))}")
    if len(found) > SHOWN:
        logger.info("these are the first %d; --output FILE.csv writes all.", SHOWN)
