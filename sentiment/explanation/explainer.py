"""Explain a prediction: what each word, phrase or sentence adds, and what the LSTM's gates did at each word.

What a part adds is measured in logits of positive; see `sentiment.explanation.attribution`. The gate values are those
of `LSTMUnit`, the unit written out step by step, on the same word vectors.
"""

from collections.abc import Iterable
from typing import Protocol

import numpy as np
import torch

from sentiment.data.batching import EncodedReviews
from sentiment.errors import InputError
from sentiment.explanation import parts
from sentiment.explanation.attribution import Attribution, attribute
from sentiment.explanation.explanation import Explanation
from sentiment.explanation.gates import LayerTrace, trace
from sentiment.explanation.parts import By, Span
from sentiment.explanation.phrases import Logits, find_phrases
from sentiment.inference.base import as_list
from sentiment.inference.postprocessing import Temperature, probability
from sentiment.inference.prediction import Prediction
from sentiment.inference.threads import one_thread
from sentiment.inference.torch_state import default_modes
from sentiment.io.progress import review_bar
from sentiment.models.inference_lstm import InferenceLSTM, Precision, inference_network
from sentiment.models.lstm import SentimentRNN
from sentiment.text.vocabulary import UNKNOWN_ID, TextEncoder


class ExplainableClassifier(Protocol):
    """What `explain` needs from a classifier; `SentimentClassifier` has it."""

    model: SentimentRNN
    text: TextEncoder
    device: torch.device
    precision: Precision
    temperature: Temperature
    name: str

    def predict(self, texts: list[str]) -> list[Prediction]:
        """Predict reviews."""

    def logits(self, reviews: EncodedReviews) -> np.ndarray:
        """Logit of the positive label for each review."""


def explain(classifier: ExplainableClassifier, text: str, by: By | None = None) -> Explanation:
    """Explain the prediction for one review.

    Args:
        classifier: the model.
        text: the review.
        by: what `Explanation.parts` are. None for "phrase", and for "sentence" in a review of more than 60 words.

    Raises:
        TypeError: if `text` is not a string.
        InputError: if the model is not a stack of one-layer LSTMs, the text has no words, or `by` has a wrong value.
    """
    if not isinstance(text, str):
        raise TypeError(f"a review is a string, not {type(text).__name__}.")
    if by is not None:
        parts.checked(by)
    model = classifier.model
    prediction = classifier.predict([text])[0]  # a list, since a loop over reviews gets a hint at lists
    if prediction.label is None:
        raise InputError(f"this review has {prediction.reason}, so there is nothing to explain.")
    tokens, offsets = classifier.text.tokenize_with_offsets(text)
    words, backward = list(classifier.text.tokens_read(tokens)), classifier.text.direction == "backward"
    offsets = classifier.text.tokens_read(offsets)
    ids = np.array(classifier.text.encode(tokens), np.int64)
    input_ids, logits = torch.tensor(ids, device=classifier.device), _logits(classifier)
    with one_thread(), default_modes(classifier.device):
        traces = trace(model, input_ids)
        network = inference_network(model, classifier.precision, classifier.device)
        with torch.inference_mode():
            if isinstance(network, InferenceLSTM) and network.dtype == torch.bfloat16:  # as in the prediction
                running_logits = network.running_logits(input_ids)
            else:
                running_logits = model.running_logits(traces[-1].updated_short_memory[None])[0]
        running = running_logits.cpu().numpy()
        contribution, method = attribute(model, input_ids, traces, logits)
    forward = slice(None, None, -1 if backward else 1)
    sentences = parts.sentences(text, offsets[forward])
    clauses = parts.clauses(text, words[forward], offsets[forward], sentences)
    if backward:
        phrases = _mirrored(find_phrases(logits, ids, _mirrored(clauses, len(words))), len(words))
    else:
        phrases = find_phrases(logits, ids, clauses)
    arrays = [LayerTrace(*(value.cpu().numpy() for value in layer)) for layer in traces]
    return Explanation(
        prediction=prediction,
        text=text,
        words=words,
        offsets=offsets,
        known=ids != UNKNOWN_ID,
        backward=backward,
        running_probability=probability(running, classifier.temperature.of(len(tokens))),
        kept_share=np.stack([layer.long_remember_percent.mean(1) for layer in arrays]),
        added_share=np.stack([layer.potential_remember_percent.mean(1) for layer in arrays]),
        exposed_share=np.stack([layer.output_percent.mean(1) for layer in arrays]),
        long_memory_change=np.stack([layer.long_memory_change for layer in arrays]),
        contribution=contribution,
        method=method,
        logit=float(running[-1]),
        phrases=phrases,
        by=by or ("sentence" if len(words) > parts.LONG else "phrase"),
        model=classifier.name,
        traces=arrays,
    )


def _mirrored(spans: list[Span], words: int) -> list[Span]:
    """Spans of a text that is read from its end, or back."""
    return [(words - end, words - start) for start, end in spans[::-1]]


def attribute_words(classifier: ExplainableClassifier, ids: np.ndarray) -> Attribution:
    """What each word adds to the logit, as `explain` computes it, for the ids of a text: [words] int64, at least one.

    Raises:
        InputError: if the model is not a stack of one-layer LSTMs.
    """
    input_ids = torch.tensor(ids, device=classifier.device)
    with one_thread(), default_modes(classifier.device):
        return attribute(classifier.model, input_ids, trace(classifier.model, input_ids), _logits(classifier))


def _logits(classifier: ExplainableClassifier) -> Logits:
    return lambda texts: classifier.logits(EncodedReviews(texts)).astype(np.float64)


def explain_many(
    classifier: ExplainableClassifier, texts: Iterable[str], by: By | None = None, show_progress: bool = False
) -> list[Explanation]:
    """Explain the predictions for many reviews, in their order; see `explain`.

    An error names the position of the review, from 0.
    """
    texts = as_list(texts)
    if by is not None:
        parts.checked(by)
    found = []
    with review_bar(len(texts), "explain", shown=show_progress) as bar:
        for place, text in enumerate(texts):
            try:
                found.append(explain(classifier, text, by))
            except (InputError, TypeError) as error:
                raise type(error)(f"review {place}: {error}") from error
            bar.update()
    return found
