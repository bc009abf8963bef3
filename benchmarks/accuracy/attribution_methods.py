"""Methods that say what each word adds to a logit: that of the package, and the candidates that it was chosen from."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from captum.attr import InputXGradient, IntegratedGradients
from torch import Tensor

from benchmarks.accuracy.contextual_decomposition import contextual_decomposition
from sentiment.data.batching import EncodedReviews
from sentiment.evaluation.faithfulness import contributions
from sentiment.explanation.gates import trace
from sentiment.explanation.relevance import relevance
from sentiment.explanation.shapley import shapley_values
from sentiment.models.lstm import SentimentRNN
from sentiment.text.vocabulary import UNKNOWN_ID

POINTS = 24
"""Points of the path of integrated gradients."""

Method = Callable[[Any, np.ndarray], np.ndarray]
"""Function from a classifier, or a `Reader`, and ids [words] int64 to what each word adds [words]."""


class Reader:
    """What the methods need of a classifier, computed by torch alone, so that weights may change between two calls."""

    def __init__(self, model: SentimentRNN) -> None:
        self.model, self.device = model, torch.device("cpu")

    @torch.inference_mode()
    def logits(self, reviews: EncodedReviews) -> np.ndarray:
        """Logit of each text: [texts] float32."""
        found = np.empty(len(reviews), np.float32)
        rows = np.argsort(reviews.lengths, kind="stable")
        for start in range(0, len(rows), 256):
            batch = reviews.batch(rows[start : start + 256])
            found[rows[start : start + 256]] = self.model(batch.input_ids, batch.lengths).numpy()
        return found


def methods(mean_vector: Tensor, unknown_vector: Tensor, sentence_ends: Sequence[int]) -> dict[str, Method]:
    """The methods by name.

    Args:
        mean_vector: mean of the word vectors, each as often as its word is in the training texts.
        unknown_vector: word vector of unknown words.
        sentence_ends: ids of the marks that end a sentence.
    """
    zero = torch.zeros_like(mean_vector)
    baselines = {"zero": [zero], "the mean word": [mean_vector], "the unknown word": [unknown_vector]}
    baselines["all three, mean"] = [zero, mean_vector, unknown_vector]
    return {
        "explain": contributions,
        "layer-wise relevance propagation": _relevance,
        "Shapley values within each sentence": partial(_shapley_values, sentence_ends),
        **{
            f"integrated gradients from {name}": partial(_integrated_gradients, found)
            for name, found in baselines.items()
        },
        "gradient times input": _gradient_times_input,
        "leaving out the word": partial(_left_out, 0),
        "leaving out the word and its two neighbors": partial(_left_out, 1),
        "the unknown word in its place": _replaced,
        "the word alone": _alone,
        "step of the running logit": _steps,
        "contextual decomposition": _contextual_decomposition,
    }


def _relevance(reader: Reader, ids: np.ndarray) -> np.ndarray:
    input_ids = torch.as_tensor(ids)
    return relevance(reader.model, input_ids, trace(reader.model, input_ids))


def _contextual_decomposition(reader: Reader, ids: np.ndarray) -> np.ndarray:
    return contextual_decomposition(reader.model, torch.as_tensor(ids))


def _logits(reader: Reader, texts: Sequence[np.ndarray]) -> np.ndarray:
    return reader.logits(EncodedReviews(texts)).astype(np.float64)


def _shapley_values(sentence_ends: Sequence[int], reader: Reader, ids: np.ndarray) -> np.ndarray:
    """Of each word in its sentence, as if the sentence were the whole text."""
    ends = np.flatnonzero(np.isin(ids[:-1], sentence_ends) & ~np.isin(ids[1:], sentence_ends)) + 1
    found = []
    for sentence in np.split(ids, ends):

        def value(masks: np.ndarray, sentence: np.ndarray = sentence) -> np.ndarray:
            return _logits(reader, [sentence[mask] for mask in masks])

        found.append(shapley_values(value, len(sentence)))
    return np.concatenate(found)


def _classify(reader: Reader) -> Callable[[Tensor], Tensor]:
    """Function from word vectors [batch, words, embedding_dim] to logits [batch]."""
    return lambda vectors: reader.model.classify(vectors, torch.full((len(vectors),), vectors.shape[1]))


def _embedded(reader: Reader, ids: np.ndarray) -> Tensor:
    return reader.model.encoder.embed(torch.as_tensor(ids)[None]).detach()


def _integrated_gradients(baselines: Sequence[Tensor], reader: Reader, ids: np.ndarray) -> np.ndarray:
    method, embedded = IntegratedGradients(_classify(reader)), _embedded(reader, ids)
    found = [
        method.attribute(embedded, baseline.expand_as(embedded), n_steps=POINTS, internal_batch_size=8)
        for baseline in baselines
    ]
    return torch.stack(found).mean(0)[0].sum(1).numpy()


def _gradient_times_input(reader: Reader, ids: np.ndarray) -> np.ndarray:
    vectors = _embedded(reader, ids).requires_grad_()
    return InputXGradient(_classify(reader)).attribute(vectors)[0].sum(1).detach().numpy()


def _left_out(neighbors: int, reader: Reader, ids: np.ndarray) -> np.ndarray:
    spans = [np.arange(max(0, word - neighbors), min(len(ids), word + neighbors + 1)) for word in range(len(ids))]
    found = _logits(reader, [ids, *(np.delete(ids, span) for span in spans)])
    return found[0] - found[1:]


def _replaced(reader: Reader, ids: np.ndarray) -> np.ndarray:
    texts = np.tile(ids, (len(ids) + 1, 1))
    texts[np.arange(1, len(ids) + 1), np.arange(len(ids))] = UNKNOWN_ID
    found = _logits(reader, list(texts))
    return found[0] - found[1:]


def _alone(reader: Reader, ids: np.ndarray) -> np.ndarray:
    found = _logits(reader, [ids[:0], *ids[:, None]])
    return found[1:] - found[0]


@torch.inference_mode()
def _steps(reader: Reader, ids: np.ndarray) -> np.ndarray:
    outputs, _ = reader.model.encoder(torch.as_tensor(ids)[None])
    running = reader.model.running_logits(outputs)[0].double().numpy()
    return np.diff(running, prepend=_logits(reader, [ids[:0]]))
