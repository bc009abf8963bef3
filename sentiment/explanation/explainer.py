"""Explain a prediction: what each word contributed, and what the LSTM's gates did at it.

A word's contribution is measured in logits of positive, by two methods:
- integrated gradients (Sundararajan et al. 2017), from zero word vectors to the review's;
- leave-one-out: the change of the logit without the word.

The gate values are those of `LSTMUnit`, the unit written out step by step, on the same word vectors.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch

from sentiment.errors import InputError
from sentiment.explanation.attribution import integrated_gradients, leave_one_out, relative_gap
from sentiment.explanation.gates import LayerTrace, trace
from sentiment.inference.engine import thread_pool
from sentiment.inference.postprocessing import Temperature, probability
from sentiment.inference.prediction import Prediction
from sentiment.inference.threads import one_thread
from sentiment.inference.torch_network import cpu_threads
from sentiment.inference.torch_state import default_modes
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
    threads: int | None

    def predict(self, texts: str) -> Prediction:
        """Predict one review."""


@dataclass(frozen=True, repr=False)
class Explanation:
    """One prediction, explained word by word. Arrays follow the reading order, which may be backward."""

    prediction: Prediction
    words: list[str]
    """The words that the model read, after normalization."""
    known: np.ndarray
    """[time] bool: whether the word is in the vocabulary."""
    backward: bool
    """Whether the model reads from the last word to the first."""
    running_probability: np.ndarray
    """[time], 0 to 1: probability of positive after each word; the last one is `prediction.probability`."""
    kept_share: np.ndarray
    """[layers, time], 0 to 1: mean forget gate, the share of the long-term memory that was kept."""
    added_share: np.ndarray
    """[layers, time], 0 to 1: mean input gate, the share of the potential memory that was added."""
    exposed_share: np.ndarray
    """[layers, time], 0 to 1: mean output gate, the share of the long-term memory that became the output."""
    long_memory_change: np.ndarray
    """[layers, time]: change of the norm of the cell state."""
    contribution: np.ndarray
    """[time]: logits of positive that the word added, by integrated gradients."""
    left_out: np.ndarray
    """[time]: logit(text) - logit(text without the word)."""
    left_out_together: int
    """Neighboring words left out at a time, each with an equal share; 1 in texts of up to `MOST_LEFT_OUT` words."""
    logit: float
    """Logit of the text."""
    baseline_logit: float
    """Logit of as many zero word vectors."""
    traces: list[LayerTrace]
    """Per layer: all gates and memories of all units."""

    @property
    def completeness_gap(self) -> float:
        """Relative gap between the sum of contributions and logit - baseline_logit; the goal is `COMPLETENESS`."""
        return relative_gap(self.contribution, self.logit - self.baseline_logit)

    @property
    def in_text_order(self) -> np.ndarray:
        """[time] int: indices that put the arrays into the order of the text."""
        order = np.arange(len(self.words))
        return order[::-1] if self.backward else order

    def __str__(self) -> str:
        """The explanation as `sentiment explain` prints it, without colors."""
        from sentiment.explanation.terminal import render_terminal

        return render_terminal(self, color=False, width=80)

    def __repr__(self) -> str:
        return f"Explanation({self.prediction!r}, {len(self.words)} words; print it for the table)"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, words in reading order; without the traces."""
        layers = range(len(self.kept_share))
        return {
            **self.prediction.to_dict(),
            "reads_backward": self.backward,
            "logit": self.logit,
            "baseline_logit": self.baseline_logit,
            "completeness_gap": self.completeness_gap,
            "left_out_together": self.left_out_together,
            "words": [
                {
                    "word": word,
                    "known": bool(self.known[t]),
                    "running_probability": float(self.running_probability[t]),
                    "contribution": float(self.contribution[t]),
                    "left_out": float(self.left_out[t]),
                    "layers": [
                        {
                            "kept_share": float(self.kept_share[layer, t]),
                            "added_share": float(self.added_share[layer, t]),
                            "exposed_share": float(self.exposed_share[layer, t]),
                            "long_memory_change": float(self.long_memory_change[layer, t]),
                        }
                        for layer in layers
                    ],
                }
                for t, word in enumerate(self.words)
            ],
        }


def explain(classifier: ExplainableClassifier, text: str) -> Explanation:
    """Explain the prediction for one review.

    Raises:
        TypeError: if `text` is not a string.
        InputError: if the model is not a stack of one-layer LSTMs, or the text has no words.
    """
    if not isinstance(text, str):
        raise TypeError(f"a review is a string, not {type(text).__name__}.")
    model = classifier.model
    prediction = classifier.predict(text)
    if prediction.label is None:
        raise InputError(f"this review has {prediction.reason}, so there is nothing to explain.")
    tokens = classifier.text.tokenize(text)
    input_ids = torch.tensor(classifier.text.encode(tokens), dtype=torch.int64, device=classifier.device)
    parallel = classifier.device.type == "cpu" and cpu_threads(classifier.threads) > 1
    with one_thread(), default_modes(classifier.device):
        traces = trace(model, input_ids)
        # the largest piece of work, beside all others; two threads on its small steps would wait for each other
        later = thread_pool(2).submit(_by_one_thread, leave_one_out, model, input_ids, traces) if parallel else None
        network = inference_network(model, classifier.precision, classifier.device)
        with torch.inference_mode():
            if isinstance(network, InferenceLSTM):
                running_logits = network.running_logits(input_ids)
            else:
                running_logits = model.running_logits(traces[-1].updated_short_memory[None])[0]
        running = probability(running_logits.cpu().numpy(), classifier.temperature.of(len(tokens)))
        contribution, logit, baseline_logit = integrated_gradients(model, input_ids)
        left_out, together = later.result() if later else leave_one_out(model, input_ids, traces)
    arrays = [LayerTrace(*(value.cpu().numpy() for value in layer)) for layer in traces]
    return Explanation(
        prediction=prediction,
        words=list(classifier.text.tokens_read(tokens)),
        known=(input_ids != UNKNOWN_ID).cpu().numpy(),
        backward=classifier.text.direction == "backward",
        running_probability=running,
        kept_share=np.stack([layer.long_remember_percent.mean(1) for layer in arrays]),
        added_share=np.stack([layer.potential_remember_percent.mean(1) for layer in arrays]),
        exposed_share=np.stack([layer.output_percent.mean(1) for layer in arrays]),
        long_memory_change=np.stack([layer.long_memory_change for layer in arrays]),
        contribution=contribution,
        left_out=left_out,
        left_out_together=together,
        logit=logit,
        baseline_logit=baseline_logit,
        traces=arrays,
    )


def _by_one_thread(function: Callable[..., tuple[np.ndarray, int]], *arguments: Any) -> tuple[np.ndarray, int]:
    torch.set_num_threads(1)  # each thread has its own setting
    return function(*arguments)
