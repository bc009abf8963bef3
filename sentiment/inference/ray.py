"""Predict the reviews of a Ray dataset: one line in a pipeline of Ray Data.

>>> import ray
>>> from sentiment import SentimentClassifier
>>> from sentiment.inference.ray import score
>>> reviews = ray.data.from_items([{"text": "I loved every minute of it."}])
>>> score(reviews, SentimentClassifier.from_pretrained()).take(1)[0]["label"]
'positive'
"""

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sentiment.errors import InputError
from sentiment.inference.arrow import append_predictions
from sentiment.inference.base import Predictor

if TYPE_CHECKING:
    from ray.data import Dataset

BATCH_ROWS = 1024
"""Reviews per call of an actor. They are divided into batches of equally many tokens, so long reviews take no more
memory."""
MOST_ACTORS = 1_000_000
"""Maximum number of actors: as many as the cluster has room for."""


class Scorer:
    """Predicts batches of rows: a class for `Dataset.map_batches` with `batch_format="pyarrow"`.

    Args:
        classifier: the model; Ray sends it to the nodes, so they need no copy of its files.
        text_column: column of the reviews; a row with null has the prediction of an empty text.
        device: device to compute on.
    """

    def __init__(self, classifier: Predictor, text_column: str = "text", device: str = "cpu") -> None:
        self.classifier, self.text_column = classifier.to(device), text_column

    def __call__(self, batch: pa.Table) -> pa.Table:
        """The rows with the fields of `Prediction` as further columns.

        Raises:
            InputError: if there is no column of that name.
            TypeError: if a review is not a string.
        """
        if self.text_column not in batch.column_names:
            names = ", ".join(batch.column_names)
            raise InputError(f"there is no column {self.text_column!r}; the columns are {names}.")
        texts = ["" if text is None else text for text in batch[self.text_column].to_pylist()]
        return append_predictions(batch, self.classifier.predict_columns(texts))


def score(
    dataset: "Dataset", classifier: Predictor, text_column: str = "text", *, num_gpus: float = 0, **options: Any
) -> "Dataset":
    """Predict all reviews of a dataset, by one actor per CPU, or per GPU, each of which holds the model.

    Args:
        dataset: rows with a column of reviews.
        classifier: the model; Ray sends it to the nodes, so they need no copy of its files.
        text_column: column of the reviews; a row with null has the prediction of an empty text.
        num_gpus: GPUs per actor; 0 computes on the CPU.
        options: further arguments of `Dataset.map_batches`, such as `concurrency=(2, 16)` for 2 to 16 actors.

    Returns:
        The rows with the fields of `Prediction` as further columns.
    """
    import ray

    arguments = (classifier, text_column, "cuda" if num_gpus else "cpu")
    settings: dict[str, Any] = {
        "concurrency": (1, MOST_ACTORS),
        "batch_size": BATCH_ROWS,
        "num_cpus": 1,
        "num_gpus": num_gpus,
    }
    if ray.cluster_resources().get("CPU", 0) < 2:  # what reads the dataset would wait for the only CPU forever
        settings |= {"concurrency": 1, "num_cpus": 0}
    return dataset.map_batches(Scorer, fn_constructor_args=arguments, batch_format="pyarrow", **(settings | options))
