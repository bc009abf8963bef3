"""Predictions as columns of Arrow tables."""

import pyarrow as pa

from sentiment.inference.prediction import Predictions
from sentiment.tables.writer import added_names

FIELDS = pa.schema(
    {
        "label": pa.string(),
        "probability": pa.float64(),
        "score": pa.float64(),
        "tokens": pa.int64(),
        "unknown_tokens": pa.int64(),
        "truncated": pa.bool_(),
        "uncertain": pa.bool_(),
        "reason": pa.string(),
        "polarity": pa.float64(),
        "three_way": pa.string(),
    }
)
"""Names and types of what `Prediction.to_dict` has."""


def append_predictions(table: pa.Table, predictions: Predictions) -> pa.Table:
    """Rows with the fields of their predictions; `predicted_...` where the table has a column of that name."""
    columns = predictions.columns()
    for name, new_name in added_names(table.column_names, FIELDS.names).items():
        table = table.append_column(new_name, pa.array(columns[name], FIELDS.field(name).type))
    return table
