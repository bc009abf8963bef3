"""What an explanation says: what each word, phrase or sentence adds, and what the LSTM's gates did at each word."""

import re
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sentiment.errors import InputError
from sentiment.explanation import parts
from sentiment.explanation.gates import LayerTrace
from sentiment.explanation.parts import By, Span
from sentiment.inference.prediction import Prediction

if TYPE_CHECKING:
    import pandas as pd
    import shap

MOST_OPENING = 80
"""Characters before a sentence in which its opening marks are looked for."""
_OPENING = re.compile(r"""(?:["'“‘«(\[*_]|&quot;|<\w+>)*\Z""")
_CLOSING = re.compile(r"""(?:["'”’»)\]*_]|&quot;|</\w+>)*""")


@dataclass(frozen=True)
class Part:
    """A word, phrase or sentence of a review."""

    text: str
    """As it was typed."""
    start: int
    """Place of its first character in the review, from 0."""
    end: int
    """Place after its last character."""
    contribution: float
    """Logits of positive that it adds."""
    probability: float
    """Probability of positive after it, 0 to 1."""
    words: Span
    """Its tokens, in the order of the text: the first, and the one after the last."""
    phrase: bool
    """Whether it is several words that act together."""


@dataclass(frozen=True, repr=False)
class Explanation:
    """One prediction, explained. Arrays follow the reading order, which may be backward; `parts` follow the text."""

    prediction: Prediction
    text: str
    """The review, as it was typed."""
    words: list[str]
    """The words that the model read, after normalization."""
    offsets: np.ndarray
    """[time, 2] int64: where each word stands in `text`, start and end. Of several words that stand for one sign, such
    as the four of "★★★★☆", all but the first are empty."""
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
    """[time]: logits of positive that the word adds."""
    method: str
    """What computed the contributions: "Shapley values" or, of more than 40 words, "layer-wise relevance
    propagation"."""
    logit: float
    """Logit of the text."""
    phrases: list[Span]
    """Neighboring words that act together: spans of words, in the order of the text."""
    by: By
    """What `parts` are."""
    model: str
    """Name of the model."""
    traces: list[LayerTrace]
    """Per layer: all gates and memories of all units."""

    @property
    def base_logit(self) -> float:
        """The part of the logit that no word adds: `logit` minus the sum of the contributions.

        With Shapley values it is the logit of a text without words. With relevance it is what the biases of the network
        add.
        """
        return self.logit - float(self.contribution.sum())

    @property
    def in_text_order(self) -> np.ndarray:
        """[time] int: indices that put the arrays into the order of the text."""
        order = np.arange(len(self.words))
        return order[::-1] if self.backward else order

    @cached_property
    def parts(self) -> list[Part]:
        """The words, phrases and other words, or sentences, in the order of the text.

        Their contributions are sums over their words.
        """
        order = self.in_text_order
        offsets, contribution = self.offsets[order], self.contribution[order]
        after = self.running_probability[order]
        found: list[Part] = []
        for first, last in self.spans:
            start, end = int(offsets[first, 0]), int(offsets[last - 1, 1])
            if self.by == "sentence":  # with what opens and closes it and is not read, such as quotation marks
                earliest = max(found[-1].end if found else 0, start - MOST_OPENING)
                opening = _OPENING.search(self.text, earliest, start)
                closing = _CLOSING.match(self.text, end)
                assert opening is not None and closing is not None  # they match nothing, too
                start, end = opening.start(), closing.end()
            added = float(contribution[first:last].sum())
            read_last = float(after[first if self.backward else last - 1])
            is_phrase = self.by == "phrase" and any(span[0] < last and first < span[1] for span in self.phrases)
            found.append(Part(self.text[start:end], start, end, added, read_last, (first, last), is_phrase))
        return found

    @property
    def stretches(self) -> list[Span]:
        """From each part to the next, in characters: together they are the whole text."""
        return list(pairwise([0, *(part.start for part in self.parts[1:]), len(self.text)]))

    @property
    def largest(self) -> float:
        """The largest that a part adds in either direction, in logits; 1 if none adds anything."""
        return max((abs(part.contribution) for part in self.parts), default=0) or 1

    @cached_property
    def typed_words(self) -> list[Span]:
        """The tokens of each word as it was typed, in the order of the text."""
        return parts.words(self.text, self.offsets[self.in_text_order])

    @property
    def spans(self) -> list[Span]:
        """The tokens of each part, in the order of the text."""
        if self.by == "sentence":
            return parts.sentences(self.text, self.offsets[self.in_text_order])
        return parts.with_phrases(self.typed_words, self.phrases) if self.by == "phrase" else self.typed_words

    def divided(self, by: By) -> "Explanation":
        """The same explanation with other `parts`.

        Raises:
            InputError: if there is no such kind of part.
        """
        return replace(self, by=parts.checked(by))

    def __str__(self) -> str:
        """The explanation as `sentiment explain` prints it, without colors."""
        from sentiment.explanation.terminal import render_terminal

        return render_terminal(self, color=False, width=80)

    def __repr__(self) -> str:
        return f"Explanation({self.prediction!r}, {len(self.words)} words; print it for the table)"

    def _repr_html_(self) -> str:
        """What a notebook shows: the answer, and the review with its words shaded."""
        from sentiment.explanation.html import render_fragment

        return render_fragment(self)

    def save_html(self, path: str | Path) -> None:
        """Write a page that needs no network and no other file.

        Raises:
            RunError: if the file cannot be written.
        """
        from sentiment.explanation.html import write_page

        write_page(self, Path(path))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: words in reading order, parts in the order of the text; without the traces."""
        layers = range(len(self.kept_share))
        return {
            **self.prediction.to_dict(),
            "text": self.text,
            "model": self.model,
            "method": self.method,
            "reads_backward": self.backward,
            "logit": self.logit,
            "base_logit": self.base_logit,
            "by": self.by,
            "parts": [{**vars(part), "words": list(part.words)} for part in self.parts],
            "words": [
                {
                    "word": word,
                    "start": int(self.offsets[t, 0]),
                    "end": int(self.offsets[t, 1]),
                    "known": bool(self.known[t]),
                    "running_probability": float(self.running_probability[t]),
                    "contribution": float(self.contribution[t]),
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

    def to_pandas(self, by: By = "word") -> "pd.DataFrame":
        """A data frame with one row per word, phrase or sentence: text, start, end, contribution and probability.

        Raises:
            InputError: if pandas is not installed, or `by` has a wrong value.
        """
        try:
            import pandas as pd
        except ModuleNotFoundError as error:
            raise InputError("to_pandas needs the package pandas; install it with: pip install pandas") from error
        columns = ["text", "start", "end", "contribution", "probability"]
        return pd.DataFrame(
            [[getattr(part, column) for column in columns] for part in self.divided(by).parts], columns=columns
        )

    def to_shap(self) -> "shap.Explanation":
        """What `shap.plots.text` reads: the parts with the spaces behind them, their contributions, and the base value.

        Raises:
            InputError: if the package shap is not installed.
        """
        try:
            import shap
        except ModuleNotFoundError as error:
            raise InputError("to_shap needs the package shap; install it with: pip install shap") from error
        texts = [self.text[start:end] for start, end in self.stretches]
        return shap.Explanation(
            values=np.array([part.contribution for part in self.parts]),
            base_values=self.base_logit,
            data=np.array(texts, dtype=object),
        )
