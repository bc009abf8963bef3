"""How much each word contributes to the logit of positive, by two methods."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from itertools import pairwise
from threading import Lock

import numpy as np
import torch
from torch import Tensor, nn

from sentiment.explanation.gates import before, lstm_layers, trace
from sentiment.models.lstm import SentimentRNN, cumulative_sum
from sentiment.models.lstm_cell import LSTMStep

GRADIENT_TOKENS = 8192
"""Tokens per gradient computation; each takes about 30 kB of memory in two layers of 512 units."""
MOST_POINTS = 8
"""Points of the path per gradient computation: with 9, oneDNN takes half as long again as with 8."""
SEGMENTS = 6
"""Segments of the integration path before any is halved."""
MOST_SPLITS = 128
"""How many segments may be halved; many are where the logit changes sharply along the path."""
COMPLETENESS = 0.01
"""Largest accepted relative gap between the sum of the contributions and logit(text) - logit(baseline)."""
SMALLEST_CHANGE = 0.1
"""Smallest change of the logit that a gap is divided by, so that it is never divided by almost zero."""
MOST_LEFT_OUT = 512
"""Leave-one-out predictions per review; in a longer review, neighboring words are left out together."""

Segment = tuple[float, float]
"""Start and end of a part of the path from zero vectors (0) to the text's vectors (1)."""

_CUDNN_LOCK = Lock()


@torch.inference_mode(False)  # torch computes no gradients in the caller's inference mode
def integrated_gradients(
    model: SentimentRNN, input_ids: Tensor, most_splits: int = MOST_SPLITS
) -> tuple[np.ndarray, float, float]:
    """Contribution of each word to the logit, by integrated gradients (Sundararajan et al. 2017).

    The path is a straight line from zero vectors to the word vectors. A contribution is the mean gradient along the
    path times the vector, integrated by Simpson's rule. The contributions of its segments add up, and each should sum
    to the change of the logit in its segment. So the segments with the largest gaps are halved until the sum is
    accurate enough. Neighbors and halves share points, and each point is computed once.

    Args:
        model: the network.
        input_ids: [time] int64, at least one.
        most_splits: how many segments may be halved; 0 gives a quick estimate.

    Returns:
        Contributions [time] float64, logit of the text, logit of the baseline (as many zero vectors).
    """
    model.eval()
    with torch.no_grad():  # also since ids made in inference mode must not be part of a gradient
        embedded = model.encoder.embed(input_ids[None])
    logits: dict[float, float] = {}
    slopes: dict[float, np.ndarray] = {}
    """{point of the path: change of the logit per unit of the path that each word causes [time]}"""

    def contribution(segment: Segment) -> np.ndarray:
        start, end = segment
        return (end - start) / 6 * (slopes[start] + 4 * slopes[_middle(segment)] + slopes[end])

    def gap(segment: Segment) -> float:
        return abs(float(contribution(segment).sum()) - (logits[segment[1]] - logits[segment[0]]))

    at_once = max(1, min(MOST_POINTS, GRADIENT_TOKENS // len(input_ids)))
    segments = list(pairwise(np.linspace(0, 1, SEGMENTS + 1).tolist()))
    while True:
        points = sorted({point for part in segments for point in (*part, _middle(part))} - logits.keys())
        for start in range(0, len(points), at_once):
            some = points[start : start + at_once]
            found, changes = _slopes(model, embedded, some)
            logits.update(zip(some, found, strict=True))
            slopes.update(zip(some, changes, strict=True))
        allowed = COMPLETENESS * max(abs(logits[1] - logits[0]), SMALLEST_CHANGE)
        segments.sort(key=gap)
        gaps = np.cumsum([gap(part) for part in segments])
        if gaps[-1] <= allowed or most_splits == 0:
            return sum(map(contribution, segments), np.zeros(len(input_ids))), logits[1], logits[0]
        # the halves will have gaps, too, so those of the segments that stay leave them a quarter of what is allowed
        kept = max(int((gaps <= 0.75 * allowed).sum()), len(segments) - most_splits)
        most_splits -= len(segments) - kept
        halves = [half for part in segments[kept:] for half in pairwise((part[0], _middle(part), part[1]))]
        segments[kept:] = halves


def _middle(segment: Segment) -> float:
    return (segment[0] + segment[1]) / 2


def _slopes(model: SentimentRNN, embedded: Tensor, points: list[float]) -> tuple[list[float], np.ndarray]:
    """Logits at points of the path [points], and the change that each word causes there [points, time] float64."""
    scales = torch.tensor(points, dtype=embedded.dtype, device=embedded.device)[:, None, None]
    lengths = torch.full((len(points),), embedded.shape[1], device=embedded.device)
    with torch.enable_grad(), _without_cudnn() if embedded.is_cuda else nullcontext():
        vectors = (scales * embedded).requires_grad_()
        logits = model.classify(vectors, lengths)
        (gradients,) = torch.autograd.grad(logits.sum(), vectors)
    return logits.tolist(), (gradients * embedded).sum(2).double().cpu().numpy()


@contextmanager
def _without_cudnn() -> Iterator[None]:
    """Context manager without cuDNN, which computes no gradient of an LSTM in evaluation mode.

    All threads share this setting. A thread that entered while another is inside would leave cuDNN off, hence the lock.
    """
    with _CUDNN_LOCK, torch.backends.cudnn.flags(enabled=False):
        yield


def relative_gap(contribution: np.ndarray, change: float) -> float:
    """Difference between the sum of contributions [time] and the change of the logit, relative to that change."""
    return abs(float(contribution.sum()) - change) / max(abs(change), SMALLEST_CHANGE)


@torch.inference_mode()
def leave_one_out(
    model: SentimentRNN, input_ids: Tensor, traces: list[LSTMStep] | None = None
) -> tuple[np.ndarray, int]:
    """How much the logit falls when each word is left out.

    Up to the word left out, a text has the memories of the whole text. From there on all texts read side by side, each
    its own next word. So there is no padding, and the first layer's products with the words are computed once.

    Args:
        model: the network.
        input_ids: [time] int64, at least one.
        traces: result of `trace`, if known.

    Returns:
        logit(text) - logit(text without the word), [time] float64; and how many neighboring words were left out
        together (1 in texts of up to `MOST_LEFT_OUT` words), each with an equal share.
    """
    model.eval()
    time = len(input_ids)
    together = -(-time // MOST_LEFT_OUT)
    traces = traces or trace(model, input_ids)
    outputs = traces[-1].updated_short_memory
    # one row per text; the last texts are the first to reach their end
    short = [before(layer.updated_short_memory)[::together] for layer in traces]
    long = [before(layer.updated_long_memory)[::together] for layer in traces]
    largest = before(outputs.cummax(0).values, -torch.inf)[::together]
    total = before(cumulative_sum(outputs, 0))[::together]
    weights = [_weights_for_one_sigmoid(layer) for layer in lstm_layers(model)]
    word_products = torch.addmm(weights[0][2], model.encoder.embed(input_ids), weights[0][0])
    buffer = torch.empty_like(word_products[: len(total)])
    for offset in range(together, time):
        products = word_products[offset::together]
        reading = len(products)
        gates = buffer[:reading]
        added, kept, half_potential, exposed = gates.chunk(4, 1)
        for depth, (input_weight, short_weight, bias) in enumerate(weights):
            if depth:
                products = torch.addmm(bias, short[depth - 1][:reading], input_weight, out=gates)
            output, memory = short[depth][:reading], long[depth][:reading]
            torch.addmm(products, output, short_weight, out=gates).sigmoid_()
            memory.mul_(kept).addcmul_(added, half_potential, value=2).sub_(added)
            torch.mul(memory, 2, out=output).sigmoid_().mul_(2).sub_(1).mul_(exposed)
        torch.maximum(largest[:reading], short[-1][:reading], out=largest[:reading])
        total[:reading] += short[-1][:reading]
    sizes = np.bincount(np.arange(time) // together)
    lengths = torch.tensor(time - sizes, device=total.device)[:, None]
    features = [short[-1]]
    if model.pooling == "last_max_mean":
        features += [largest, total / lengths.clamp(min=1)]
    without = model.head(torch.where(lengths > 0, torch.cat(features, 1), 0)).squeeze(1)
    drops = model.running_logits(outputs[None])[0, -1] - without
    return np.repeat(drops.double().cpu().numpy() / sizes, sizes), together


def _weights_for_one_sigmoid(layer: nn.LSTM) -> tuple[Tensor, Tensor, Tensor]:
    """Input weights [input, 4 hidden], recurrent weights [hidden, 4 hidden] and bias [4 hidden] of a layer.

    Those of the candidate are doubled: since tanh(x) = 2 sigmoid(2x) - 1, one sigmoid then computes all gates. torch's
    tanh takes three times as long as its sigmoid.
    """
    input_weight, short_weight, *biases = layer.all_weights[0]
    scale = torch.ones_like(input_weight[:, 0])
    scale.chunk(4)[2].fill_(2)  # torch stacks the gates in the order input, forget, candidate, output
    return input_weight.T * scale, short_weight.T * scale, sum(biases, torch.zeros_like(scale)) * scale
