"""Why a review is read as it is: what each word changed, and what the gates did at it.

Two opinions on a word's contribution, both in logits of positive:
- integrated gradients (Sundararajan et al. 2017, by Captum), from word vectors of zero to the review's;
- leaving the word out, which needs no theory of the model.

The gates' figures come from `LSTMUnit`, the written-out unit, run over the same word vectors.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from captum.attr import IntegratedGradients
from torch import Tensor, nn

from sentiment.decision import probability
from sentiment.errors import InputError
from sentiment.inference import BATCH_TOKENS
from sentiment.lstm_unit import LSTMStep, LSTMUnit
from sentiment.model import SentimentRNN, pool
from sentiment.prediction_network import PredictionNetwork, prediction_network
from sentiment.text import UNKNOWN_ID, normalise, tokenise

if TYPE_CHECKING:
    from sentiment.classifier import SentimentClassifier
    from sentiment.prediction import Prediction

GRADIENT_TOKENS = 8192
"""Tokens whose states are held at a time for their gradient; it takes some 30 kB each in two layers of 512 units."""
PATH_POINTS = 16
"""Points of a piece of the path of integrated gradients, by Gauss-Legendre's rule."""
MOST_SPLITS = 16
"""Times that a piece is halved, where the logit turns too sharply for its points."""
COMPLETENESS = 0.01
"""Largest relative gap between the sum of contributions and logit(text) - logit(baseline)."""
SMALLEST_CHANGE = 0.1
"""Where the text changes the logit by less, the gap is taken relative to this, not to almost nothing."""
MOST_LEFT_OUT = 512
"""Times that something is left out; in a longer review neighbours go together, so the time per word is bounded."""


@dataclass(frozen=True)
class Trace:
    """What one layer did at each word; each [time, hidden] float32, in the order of reading."""

    long_remember_percent: np.ndarray
    potential_remember_percent: np.ndarray
    potential_memory: np.ndarray
    updated_long_memory: np.ndarray
    output_percent: np.ndarray
    updated_short_memory: np.ndarray

    @property
    def long_memory_change(self) -> np.ndarray:
        """[time], by how much the norm of the long-term memory (cell state) grew at each word."""
        return np.diff(np.linalg.norm(self.updated_long_memory, axis=1), prepend=0)


@dataclass(frozen=True)
class Explanation:
    """What the model made of each word it read. Arrays are in the order of reading, which may be backward."""

    prediction: "Prediction"
    words: list[str]
    """The words that were read, as the model knows them."""
    known: np.ndarray
    """[time] bool, whether the word is in the vocabulary."""
    backward: bool
    """Whether the model reads from the last word to the first."""
    running_probability: np.ndarray
    """[time], probability of positive after each word; the last is `prediction.probability`."""
    kept_share: np.ndarray
    """[layers, time], mean of the forget gate over the units: share of the long-term memory that was kept."""
    added_share: np.ndarray
    """[layers, time], mean of the input gate: share of the potential memory that was added."""
    exposed_share: np.ndarray
    """[layers, time], mean of the output gate: share of the long-term memory that became the output."""
    long_memory_change: np.ndarray
    """[layers, time], by how much the norm of the cell state grew."""
    contribution: np.ndarray
    """[time], integrated gradients: logits that the word added."""
    left_out: np.ndarray
    """[time], logit(text) - logit(text without the word)."""
    left_out_together: int
    """Neighbours left out at a time and given equal parts; 1 up to `MOST_LEFT_OUT` words."""
    logit: float
    """Of the text."""
    baseline_logit: float
    """Of as many word vectors of zero."""
    traces: list[Trace]
    """Per layer, every gate and memory of every unit."""

    @property
    def completeness_gap(self) -> float:
        """Relative gap between the sum of contributions and logit - baseline_logit; at most `COMPLETENESS` when met."""
        return relative_gap(self.contribution, self.logit - self.baseline_logit)

    @property
    def in_text_order(self) -> np.ndarray:
        """[time] int, positions of the arrays in the order in which the words stand in the text."""
        order = np.arange(len(self.words))
        return order[::-1] if self.backward else order

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON; words in the order of reading, without the traces."""
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


def explain(classifier: "SentimentClassifier", text: str) -> Explanation:
    """Explain the answer to one review.

    Raises:
        TypeError: if `text` is not a string.
        InputError: if the model is not a stack of LSTMs.
    """
    if not isinstance(text, str):
        raise TypeError(f"a review is a string, not {type(text).__name__}.")
    model = classifier.model
    layers = lstm_layers(model)
    prediction = classifier.predict(text)
    tokens = tokenise(normalise(text))
    input_ids = torch.tensor(classifier.text.encode(tokens), dtype=torch.int64, device=classifier.device)
    if len(input_ids):
        traces = trace(model, input_ids)
        network = prediction_network(model, classifier.precision, classifier.device)
        with torch.inference_mode():
            if isinstance(network, PredictionNetwork):
                running_logits = network.running_logits(input_ids)
            else:
                running_logits = model.running_logits(traces[-1].updated_short_memory[None])[0]
        running = probability(running_logits.cpu().numpy(), classifier.temperature)
        contribution, logit, baseline_logit = integrated_gradients(model, input_ids)
        left_out, together = leave_one_out(model, input_ids)
    else:
        traces = [LSTMStep(*[torch.zeros(0, layer.hidden_size)] * 6) for layer in layers]
        running = contribution = left_out = np.zeros(0)
        with torch.inference_mode():
            logit = baseline_logit = float(model(input_ids.new_ones(1, 1), input_ids.new_zeros(1)))
        together = 1
    arrays = [Trace(*(value.cpu().numpy() for value in layer)) for layer in traces]
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


def lstm_layers(model: SentimentRNN) -> list[nn.LSTM]:
    """The encoder's layers, bottom to top.

    Raises:
        InputError: naming the layer that is no one-layer `nn.LSTM` read forward.
    """
    for depth, layer in enumerate(model.encoder.layers):
        if not isinstance(layer, nn.LSTM) or layer.num_layers != 1 or layer.bidirectional or layer.proj_size:
            raise InputError(
                f"explain needs a stack of one-layer LSTMs; layer {depth} of this {type(model).__name__} is {layer}."
            )
    return list(model.encoder.layers)  # type: ignore[arg-type]  # checked above


@torch.inference_mode()
def trace(model: SentimentRNN, input_ids: Tensor) -> list[LSTMStep]:
    """Every gate and memory of every layer: [time] int64, at least one → per layer fields of [time, hidden]."""
    model.eval()
    values, steps = model.encoder.embed(input_ids), []
    for layer in lstm_layers(model):
        steps.append(LSTMUnit.from_lstm(layer)(values))
        values = steps[-1].updated_short_memory
    return steps


def integrated_gradients(
    model: SentimentRNN, input_ids: Tensor, most_splits: int = MOST_SPLITS
) -> tuple[np.ndarray, float, float]:
    """Contribution of each word to the logit: the gradient's mean on the way from zero vectors, times the vector.

    The way is one straight line, and contributions along its pieces add up. So the piece whose contributions miss its
    change of the logit most is halved, until the whole is complete.

    Args:
        model: the network.
        input_ids: [time] int64, at least one.
        most_splits: pieces halved at most; 0 for a quick estimate.

    Returns:
        Contributions [time] float64, logit of the text, logit of the baseline (zero vectors of the same number).
    """
    model.eval()
    embedded = model.encoder.embed(input_ids[None]).detach()
    lengths = torch.tensor([len(input_ids)], device=input_ids.device)

    def logits(vectors: Tensor) -> Tensor:
        return model.classify(vectors, lengths.expand(len(vectors)))

    def piece(start: float, end: float) -> _Piece:
        with torch.no_grad():
            before, after = logits(torch.cat([start * embedded, end * embedded])).tolist()
        attributions = IntegratedGradients(logits).attribute(
            end * embedded,
            start * embedded,
            n_steps=PATH_POINTS,
            internal_batch_size=max(1, GRADIENT_TOKENS // len(input_ids)),
        )
        return _Piece(start, end, before, after, attributions[0].double().sum(1).cpu().numpy())

    # cuDNN computes no gradient of an LSTM in evaluation mode
    with torch.backends.cudnn.flags(enabled=False):
        pieces = [piece(0.0, 1.0)]
        baseline_logit, text_logit = pieces[0].before, pieces[0].after
        allowed = COMPLETENESS * max(abs(text_logit - baseline_logit), SMALLEST_CHANGE)
        for _ in range(most_splits):
            if sum(part.gap for part in pieces) <= allowed:
                break
            worst = max(pieces, key=lambda part: part.gap)
            middle = (worst.start + worst.end) / 2
            pieces.remove(worst)
            pieces += [piece(worst.start, middle), piece(middle, worst.end)]
    return sum((part.contribution for part in pieces), np.zeros(len(input_ids))), text_logit, baseline_logit


@dataclass(frozen=True, eq=False)
class _Piece:
    """A part of the straight line from zero vectors (0) to the text's (1)."""

    start: float
    end: float
    before: float
    after: float
    contribution: np.ndarray

    @property
    def gap(self) -> float:
        """Logits by which the contributions miss the piece's change."""
        return abs(float(self.contribution.sum()) - (self.after - self.before))


def relative_gap(contribution: np.ndarray, change: float) -> float:
    """How far contributions [time] are from their sum, the change of the logit; relative to that change."""
    return abs(float(contribution.sum()) - change) / max(abs(change), SMALLEST_CHANGE)


@torch.inference_mode()
def leave_one_out(model: SentimentRNN, input_ids: Tensor) -> tuple[np.ndarray, int]:
    """What the logit loses with each word.

    The memory before the first word left out is computed once and shared, which halves the work.

    Args:
        model: the network.
        input_ids: [time] int64, at least one.

    Returns:
        logit(text) - logit(text without the word), [time] float64; and how many neighbours were left out together
        (1 up to `MOST_LEFT_OUT` words), each given an equal part.
    """
    model.eval()
    time = len(input_ids)
    together = -(-time // MOST_LEFT_OUT)
    embedded = model.encoder.embed(input_ids[None])
    outputs, state = embedded.new_zeros(1, 0, lstm_layers(model)[-1].hidden_size), None
    logits: list[Tensor] = []
    start = 0
    while start < time:
        rest = time - start
        parts = min(max(1, BATCH_TOKENS // time), -(-rest // together))
        end = min(time, start + parts * together)
        groups = torch.arange(parts, device=input_ids.device)[:, None]
        stays = torch.arange(rest, device=input_ids.device) // together != groups  # [parts, rest]
        # stable, so that what stays moves left in its order and what is left out becomes padding on the right
        order = stays.int().argsort(dim=1, descending=True, stable=True)
        shared = None if state is None else [(h.repeat(1, parts, 1), c.repeat(1, parts, 1)) for h, c in state]
        later, _ = model.encoder.encode(embedded[0, start:][order], shared)
        all_outputs = torch.cat([outputs.expand(parts, -1, -1), later], 1)
        logits.append(model.head(pool(all_outputs, start + stays.sum(1), model.pooling)).squeeze(1))
        read, state = model.encoder.encode(embedded[:, start:end], state)
        outputs = torch.cat([outputs, read], 1)
        start = end
    whole = model.head(pool(outputs, torch.tensor([time], device=input_ids.device), model.pooling)).squeeze(1)
    lost = (whole - torch.cat(logits)).double().cpu().numpy()
    sizes = np.bincount(np.arange(time) // together)
    return np.repeat(lost / sizes, sizes), together
