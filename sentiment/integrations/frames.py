"""Predict the reviews of a data frame: pandas, Polars, or a table of pyarrow.

>>> import pandas as pd
>>> from sentiment.integrations.frames import score_frame
>>> score_frame(pd.DataFrame({"text": ["I loved every minute of it."]}))["label"][0]
'positive'
"""

from typing import Any, TypeVar

from sentiment.classifier import SentimentClassifier
from sentiment.errors import InputError, RunError
from sentiment.inference.arrow import FIELDS
from sentiment.inference.base import Predictor
from sentiment.tables.writer import added_names

Frame = TypeVar("Frame")
"""A pandas or Polars DataFrame, or a pyarrow table."""


def score_frame(frame: Frame, column: str = "text", classifier: Predictor | None = None) -> Frame:
    """Predict all reviews of a data frame.

    Args:
        frame: rows with a column of reviews; it is not changed.
        column: column of the reviews; a row with a missing value has the prediction of an empty text.
        classifier: the model; None for the shipped model "imdb".

    Returns:
        A frame of the same type and index with the fields of `Prediction` as further columns; `predicted_...` where
        the frame has a column of that name.

    Raises:
        TypeError: if `frame` is not such a frame, or a review is not a string.
        InputError: if there is no column of that name.
        RunError: if narwhals is not installed.
    """
    nw = _narwhals()
    try:
        rows = nw.from_native(frame, eager_only=True)
    except TypeError as error:
        kind = type(frame).__name__
        hint = "collect it first" if kind == "LazyFrame" else "give one of pandas or Polars, or a table of pyarrow"
        raise TypeError(f"a {kind} is not a data frame in memory; {hint}.") from error
    if column not in rows.columns:
        raise InputError(f"there is no column {column!r}; the columns are {', '.join(map(str, rows.columns))}.")
    texts = rows[column]
    # missing is None, NaN or NA, depending on library and type of the column
    given = ["" if missing else text for text, missing in zip(texts.to_list(), texts.is_null().to_list(), strict=True)]
    columns = (classifier or SentimentClassifier.from_pretrained()).predict_columns(given).columns()
    types = {"string": nw.String, "double": nw.Float64, "int64": nw.Int64, "bool": nw.Boolean}
    added = [
        nw.new_series(new_name, columns[name], types[str(FIELDS.field(name).type)](), backend=rows.implementation)
        for name, new_name in added_names(rows.columns, FIELDS.names).items()
    ]
    scored: Frame = rows.with_columns(*added).to_native()
    return scored


def _narwhals() -> Any:
    try:
        import narwhals.stable.v2 as narwhals
    except ImportError as error:
        raise RunError(
            "narwhals is not installed; in a checkout, install it with: pip install -c constraints.txt '.[frames]'"
        ) from error
    return narwhals
