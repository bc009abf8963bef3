"""Phrases: neighboring words that act together, such as "isn't good", "not bad at all" or "couldn't stop".

Two words interact if the effect of both is not the sum of their effects (Grabisch & Roubens 1999, the interaction index
of game theory): logit(both) - logit(one) - logit(other) + logit(neither). It is measured where nothing else is read,
and among the words around them; what counts is the mean.
"""

from collections.abc import Callable, Sequence

import numpy as np

from sentiment.explanation.parts import Span

Logits = Callable[[Sequence[np.ndarray]], np.ndarray]
"""Function from texts, each of them ids [words], to their logits [texts]."""

REACH = 4
"""Largest distance of two words that can act together."""
AROUND = 4
"""Words to each side among which they are measured."""
MOST_PAIRS, WORDS_PER_PAIR = 64, 8
"""Pairs that are measured among their neighbors: those that interact most where nothing else is read. In a long review
one for so many words."""
NOTABLE = 0.5
"""Effect that one of two words must have by itself, in logits; others hardly ever interact."""
LARGE = 2.0
"""Interaction from which words act together, in logits."""
LARGE_SHARE = 0.4
"""The same as a share of the larger effect of the two words."""
LONGEST = 6
"""Words of a phrase."""


def find_phrases(logits: Logits, ids: np.ndarray, clauses: Sequence[Span]) -> list[Span]:
    """The phrases of a text, in order; each lies in one clause.

    Args:
        logits: the network.
        ids: [words].
        clauses: runs of words without punctuation, in order.
    """
    in_reach = [
        (first, second)
        for start, end in clauses
        for first in range(start, end)
        for second in range(first + 1, min(end, first + REACH + 1))
    ]
    pairs = np.array(in_reach, int).reshape(-1, 2)
    different, places = np.unique(ids, return_inverse=True)
    nothing, *each = logits([ids[:0], *different[:, None]])
    effects = (np.array(each) - nothing)[places][pairs]
    notable = np.abs(effects).max(1, initial=0) >= NOTABLE
    pairs, effects = pairs[notable], effects[notable]
    if not len(pairs):
        return []
    alone = logits([*ids[pairs]]) - nothing - effects.sum(1)
    # words that say the same need not say it twice: together they have less effect than the sum, but in its direction
    same = (effects.prod(1) > 0) & (effects[:, 0] * alone < 0) & (effects[:, 0] * (effects.sum(1) + alone) > 0)
    chosen = np.flatnonzero(~same)
    chosen = chosen[np.argsort(-np.abs(alone[chosen]), kind="stable")[: max(MOST_PAIRS, len(ids) // WORDS_PER_PAIR)]]
    strength = np.abs(alone[chosen] + _among_neighbors(logits, ids, pairs[chosen], clauses)) / 2
    large = strength >= np.maximum(LARGE, LARGE_SHARE * np.abs(effects[chosen]).max(1))
    order = np.argsort(-strength, kind="stable")
    return _joined([(int(first), int(second) + 1) for first, second in pairs[chosen[order[large[order]]]]])


def _among_neighbors(logits: Logits, ids: np.ndarray, pairs: np.ndarray, clauses: Sequence[Span]) -> np.ndarray:
    """Interaction of each pair [n] among the words around it in its clause."""
    texts = []
    for first, second in pairs:
        start, end = next(span for span in clauses if span[0] <= first < span[1])
        before, between = ids[max(start, first - AROUND) : first], ids[first + 1 : second]
        after = ids[second + 1 : min(end, second + AROUND + 1)]
        for one in (ids[first : first + 1], ids[:0]):
            for other in (ids[second : second + 1], ids[:0]):
                texts.append(np.concatenate([before, one, between, other, after]))
    both, first, second, neither = logits(texts).reshape(-1, 4).T
    return both - first - second + neither


def _joined(spans: Sequence[Span]) -> list[Span]:
    """Spans that overlap become one, strongest first, up to `LONGEST` words; one that would be longer is left out."""
    found: list[Span] = []
    for start, end in spans:
        touching = [span for span in found if span[0] < end and start < span[1]]
        joined = min([start, *(span[0] for span in touching)]), max([end, *(span[1] for span in touching)])
        if joined[1] - joined[0] <= LONGEST:
            found = [span for span in found if span not in touching] + [joined]
    return sorted(found)
