"""What each word adds to the logit of a review.

Short texts get Shapley values, which say best which word decides a sentence. In whole reviews layer-wise relevance
propagation says it at least as well as any other method tried, and takes one pass instead of thousands
(docs/results.md, "Are the explanations true?").
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from torch import Tensor

from sentiment.explanation.phrases import Logits
from sentiment.explanation.relevance import relevance
from sentiment.explanation.shapley import shapley_values
from sentiment.models.lstm import SentimentRNN
from sentiment.models.lstm_cell import LSTMStep

SHORT = 40
"""Words up to which a text gets Shapley values; for more, too few orders of the words could be tried in a second."""
SHAPLEY_VALUES, RELEVANCE = "Shapley values", "layer-wise relevance propagation"
"""Values of `Attribution.method`."""


class Attribution(NamedTuple):
    """What each word adds, in logits of positive."""

    contribution: np.ndarray
    """[time] float64."""
    method: str
    """What computed it."""


def attribute(model: SentimentRNN, input_ids: Tensor, traces: Sequence[LSTMStep], logits: Logits) -> Attribution:
    """What each word adds: Shapley values in texts of up to `SHORT` words, relevance in longer ones.

    Args:
        model: the network.
        input_ids: [time] int64, at least one.
        traces: result of `trace` for these ids.
        logits: computes logits of texts.
    """
    if len(input_ids) > SHORT:
        return Attribution(relevance(model, input_ids, traces), RELEVANCE)
    ids = input_ids.cpu().numpy()
    return Attribution(shapley_values(lambda masks: logits([ids[mask] for mask in masks]), len(ids)), SHAPLEY_VALUES)
