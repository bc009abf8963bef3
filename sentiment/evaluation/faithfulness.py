"""Faithfulness of explanations: delete the words that add most, and see whether the prediction changes.

The deletion test (Samek et al. 2017; "comprehensiveness" in ERASER, DeYoung et al. 2020) deletes the tenth of the words
that contribute most to the predicted label. For comparison, it deletes as many random words.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import bootstrap

from sentiment.data.batching import EncodedReviews
from sentiment.errors import InputError
from sentiment.explanation.explainer import attribute_words
from sentiment.explanation.gates import lstm_layers
from sentiment.inference.postprocessing import is_positive, probability
from sentiment.io.progress import in_proportion, review_bar

if TYPE_CHECKING:
    from sentiment.classifier import SentimentClassifier

SHARE = 0.1
"""Share of the words to delete."""
RANDOM_DRAWS = 10
"""Random deletions per review."""
TIMED_WORDS = 250
"""Length in words of the review whose explanation is timed."""
Method = Callable[["SentimentClassifier", np.ndarray], np.ndarray]
"""Function from a model and the ids of a text [words] int64 to what each word adds [words], in logits of positive."""


def contributions(classifier: "SentimentClassifier", ids: np.ndarray) -> np.ndarray:
    """What each word adds according to `explain`."""
    return attribute_words(classifier, ids).contribution


METHODS: Mapping[str, Method] = {"explanation": contributions}
"""{name in the results: method}."""


def deletion_test(
    classifier: "SentimentClassifier", texts: Sequence[str], seed: int, methods: Mapping[str, Method] = METHODS
) -> dict[str, Any]:
    """Change of the probability without the words that each method names, and without random words.

    Args:
        classifier: the model.
        texts: reviews; those with fewer than two words are skipped.
        seed: for the random words.
        methods: {name: method} to test.

    Returns:
        Per method: `mean_move` (mean absolute change of the probability), `ratio` to that of random words with its
        bootstrap interval `ratio_95` over reviews (None for one review), `flipped` (share of reviews whose predicted
        label changes) and `seconds`. Under `random`: `mean_move` and `flipped`. `n`: number of reviews.

    Raises:
        InputError: if no review has two words, or the model is not a stack of LSTMs.
    """
    lstm_layers(classifier.model)
    encoded = [np.asarray(classifier.text.encode(classifier.text.tokenize(text)), np.int64) for text in texts]
    reviews = [ids for ids in encoded if len(ids) > 1]
    if not reviews:
        raise InputError("no review has two words or more; there is nothing to delete.")
    full = _probabilities(classifier, reviews, "predict", len(reviews))
    shorter = _without_random_words(reviews, np.random.default_rng(seed))
    random = _probabilities(classifier, shorter, "without random words", len(reviews))
    random = random.reshape(len(reviews), RANDOM_DRAWS)
    random_moves = np.abs(random - full[:, None]).mean(1)
    flips = (is_positive(random) != is_positive(full)[:, None]).mean()
    results: dict[str, Any] = {
        "n": len(reviews),
        "random": {"mean_move": float(random_moves.mean()), "flipped": float(flips)},
    }
    for method, attribute in methods.items():
        started, shorter = time.monotonic(), []
        with review_bar(len(reviews), method) as bar:
            for ids, positive in zip(reviews, is_positive(full), strict=True):
                shorter.append(_without_words_for_the_label(ids, attribute(classifier, ids), positive))
                bar.update()
        without = _probabilities(classifier, shorter, "without these words", len(reviews))
        moves = np.abs(without - full)
        results[method] = {
            "mean_move": float(moves.mean()),
            **_ratio(moves, random_moves, seed),
            "flipped": float((is_positive(without) != is_positive(full)).mean()),
            "seconds": time.monotonic() - started,
        }
    return results


def _without_words_for_the_label(ids: np.ndarray, contribution: np.ndarray, positive: bool) -> np.ndarray:
    strongest = np.argsort(-contribution if positive else contribution, kind="stable")
    return np.delete(ids, strongest[: _count(ids)])


def _without_random_words(reviews: Sequence[np.ndarray], generator: np.random.Generator) -> list[np.ndarray]:
    return [
        np.delete(ids, generator.choice(len(ids), _count(ids), replace=False))
        for ids in reviews
        for _ in range(RANDOM_DRAWS)
    ]


def _count(ids: np.ndarray) -> int:
    return max(1, round(SHARE * len(ids)))


def _probabilities(
    classifier: "SentimentClassifier", texts: Sequence[np.ndarray], doing: str, reviews: int
) -> np.ndarray:
    """Probability of positive of each text [n], of which equally many come from each of the reviews."""
    with review_bar(reviews, doing) as bar:
        count = in_proportion(bar.update, len(texts), reviews)
        encoded = EncodedReviews(map(np.ndarray.tolist, texts))
        logits = classifier.logits(encoded, on_batch=count)
    return probability(logits, classifier.temperature.of(encoded.lengths))


def _ratio(moves: np.ndarray, random_moves: np.ndarray, seed: int) -> dict[str, Any]:
    """Ratio of the means, with a 95% interval by paired bootstrap over reviews."""

    def ratio(a: np.ndarray, b: np.ndarray, axis: int = -1) -> np.ndarray:
        return np.mean(a, axis) / np.mean(b, axis)

    found: dict[str, Any] = {"ratio": float(ratio(moves, random_moves)), "ratio_95": None}
    if len(moves) > 1:
        interval = bootstrap(
            (moves, random_moves),
            ratio,
            paired=True,
            n_resamples=2000,
            method="percentile",
            rng=np.random.default_rng(seed),
        ).confidence_interval
        found["ratio_95"] = [float(interval.low), float(interval.high)]
    return found


def explanation_cost(classifier: "SentimentClassifier", texts: Sequence[str]) -> dict[str, Any]:
    """Seconds to predict and to explain the review with a length closest to `TIMED_WORDS`, and their ratio."""
    lengths = [len(classifier.text.tokenize(text)) for text in texts]
    text = texts[int(np.argmin(np.abs(np.array(lengths) - TIMED_WORDS)))]
    classifier.explain(text)
    predict = _median_seconds(lambda: classifier.predict(text), 15)
    explain = _median_seconds(lambda: classifier.explain(text), 3)
    words = classifier.predict(text).tokens
    return {"words": words, "predict_seconds": predict, "explain_seconds": explain, "multiple": explain / predict}


def _median_seconds(work: Callable[[], object], times: int) -> float:
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return float(np.median(seconds))


def render_results(results: dict[str, Any]) -> str:
    """The results as text."""
    lines = [f"{results['n']} reviews, {SHARE:.0%} of their words deleted"]
    lines.append(f"{'':22}{'change':>8}{'ratio':>8}{'95% interval':>16}{'flipped':>9}")
    for method in (name for name in results if name not in ("n", "random", "cost")):
        row = results[method]
        interval = "" if row["ratio_95"] is None else "{:.2f} to {:.2f}".format(*row["ratio_95"])
        lines.append(f"{method:22}{row['mean_move']:8.3f}{row['ratio']:8.2f}{interval:>16}{row['flipped']:9.1%}")
    lines.append(f"{'random words':22}{results['random']['mean_move']:8.3f}{'':24}{results['random']['flipped']:9.1%}")
    cost = results["cost"]
    lines.append(
        f"explain takes {cost['explain_seconds']:.2f} s for a review of {cost['words']} words, "
        f"{cost['multiple']:.0f} times as long as predict ({1000 * cost['predict_seconds']:.0f} ms)."
    )
    return "\n".join(lines)
