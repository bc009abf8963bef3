"""How much each word contributes to the logit of positive, by two methods."""

from dataclasses import dataclass

import numpy as np
import torch
from captum.attr import IntegratedGradients
from torch import Tensor

from sentiment.explanation.gates import lstm_layers
from sentiment.inference.engine import BATCH_TOKENS
from sentiment.models.lstm import SentimentRNN, pool

GRADIENT_TOKENS = 8192
"""Tokens per gradient computation; each takes about 30 kB of memory in two layers of 512 units."""
PATH_POINTS = 16
"""Points per segment of the integration path (Gauss-Legendre rule)."""
MOST_SPLITS = 16
"""How many times a segment may be halved; needed where the logit changes sharply along the path."""
COMPLETENESS = 0.01
"""Largest accepted relative gap between the sum of the contributions and logit(text) - logit(baseline)."""
SMALLEST_CHANGE = 0.1
"""Smallest change of the logit that a gap is divided by, so that it is never divided by almost zero."""
MOST_LEFT_OUT = 512
"""Leave-one-out predictions per review; in a longer review, neighboring words are left out together."""


def integrated_gradients(
    model: SentimentRNN, input_ids: Tensor, most_splits: int = MOST_SPLITS
) -> tuple[np.ndarray, float, float]:
    """Contribution of each word to the logit, by integrated gradients (Sundararajan et al. 2017).

    The path is a straight line from zero vectors to the word vectors. A contribution is the mean gradient along the
    path times the vector. The contributions of its segments add up, so the segment with the largest error is halved
    until the sum is accurate enough.

    Args:
        model: the network.
        input_ids: [time] int64, at least one.
        most_splits: how many times a segment may be halved; 0 gives a quick estimate.

    Returns:
        Contributions [time] float64, logit of the text, logit of the baseline (as many zero vectors).
    """
    model.eval()
    embedded = model.encoder.embed(input_ids[None]).detach()
    lengths = torch.tensor([len(input_ids)], device=input_ids.device)

    def logits(vectors: Tensor) -> Tensor:
        return model.classify(vectors, lengths.expand(len(vectors)))

    def segment(start: float, end: float) -> _Segment:
        with torch.no_grad():
            before, after = logits(torch.cat([start * embedded, end * embedded])).tolist()
        attributions = IntegratedGradients(logits).attribute(
            end * embedded,
            start * embedded,
            n_steps=PATH_POINTS,
            internal_batch_size=max(1, GRADIENT_TOKENS // len(input_ids)),
        )
        return _Segment(start, end, before, after, attributions[0].double().sum(1).cpu().numpy())

    # cuDNN computes no gradient of an LSTM in evaluation mode
    with torch.backends.cudnn.flags(enabled=False):
        segments = [segment(0.0, 1.0)]
        baseline_logit, text_logit = segments[0].before, segments[0].after
        allowed = COMPLETENESS * max(abs(text_logit - baseline_logit), SMALLEST_CHANGE)
        for _ in range(most_splits):
            if sum(part.gap for part in segments) <= allowed:
                break
            worst = max(segments, key=lambda part: part.gap)
            middle = (worst.start + worst.end) / 2
            segments.remove(worst)
            segments += [segment(worst.start, middle), segment(middle, worst.end)]
    return sum((part.contribution for part in segments), np.zeros(len(input_ids))), text_logit, baseline_logit


@dataclass(frozen=True, eq=False)
class _Segment:
    """Part of the path from zero vectors (0) to the text's vectors (1); `before` and `after` are logits at its ends."""

    start: float
    end: float
    before: float
    after: float
    contribution: np.ndarray

    @property
    def gap(self) -> float:
        """Difference between the sum of the contributions and the change of the logit, in logits."""
        return abs(float(self.contribution.sum()) - (self.after - self.before))


def relative_gap(contribution: np.ndarray, change: float) -> float:
    """Difference between the sum of contributions [time] and the change of the logit, relative to that change."""
    return abs(float(contribution.sum()) - change) / max(abs(change), SMALLEST_CHANGE)


@torch.inference_mode()
def leave_one_out(model: SentimentRNN, input_ids: Tensor) -> tuple[np.ndarray, int]:
    """How much the logit falls when each word is left out.

    The LSTM states before the first word left out are computed once and shared, which halves the work.

    Args:
        model: the network.
        input_ids: [time] int64, at least one.

    Returns:
        logit(text) - logit(text without the word), [time] float64; and how many neighboring words were left out
        together (1 in texts of up to `MOST_LEFT_OUT` words), each with an equal share.
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
        kept = torch.arange(rest, device=input_ids.device) // together != groups  # [parts, rest]
        # a stable sort moves the kept words left in their order; the words left out become padding on the right
        order = kept.int().argsort(dim=1, descending=True, stable=True)
        shared = None if state is None else [(h.repeat(1, parts, 1), c.repeat(1, parts, 1)) for h, c in state]
        later, _ = model.encoder.encode(embedded[0, start:][order], shared)
        all_outputs = torch.cat([outputs.expand(parts, -1, -1), later], 1)
        logits.append(model.head(pool(all_outputs, start + kept.sum(1), model.pooling)).squeeze(1))
        read, state = model.encoder.encode(embedded[:, start:end], state)
        outputs = torch.cat([outputs, read], 1)
        start = end
    full = model.head(pool(outputs, torch.tensor([time], device=input_ids.device), model.pooling)).squeeze(1)
    drops = (full - torch.cat(logits)).double().cpu().numpy()
    sizes = np.bincount(np.arange(time) // together)
    return np.repeat(drops / sizes, sizes), together
