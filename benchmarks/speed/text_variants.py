"""From raw text to logits: how the words are found, and by whom."""

import html
import re
import unicodedata
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import torch
from torchtext.data.utils import get_tokenizer

from benchmarks.harness.reviews import encode
from benchmarks.speed.prediction_variants import Variant
from sentiment.classifier import SentimentClassifier
from sentiment.data.batching import EncodedReviews
from sentiment.text import tokenizer

CHUNK = 512
"""Reviews that a process tokenizes at a time."""

_basic_english = get_tokenizer("basic_english")


def token_processes() -> ProcessPoolExecutor:
    """Processes that tokenize; spawned, since a process with threads is not to be forked."""
    return ProcessPoolExecutor(torch.get_num_threads(), mp_context=get_context("spawn"))


def from_text(
    classifier: SentimentClassifier, texts: Sequence[str], processes: ProcessPoolExecutor
) -> dict[str, Variant]:
    """All variants, by name."""
    patterns, rules = "words by torchtext's patterns", "words by this project's rules"

    def by_patterns() -> np.ndarray:
        encoded = (classifier.text.encode(tokens_by_patterns(text)) for text in texts)
        return classifier.logits(EncodedReviews(encoded))

    return {
        patterns: Variant(patterns, by_patterns),
        rules: Variant(patterns, lambda: classifier.logits(encode(classifier.text, texts))),
        "words found in other processes meanwhile": Variant(rules, lambda: _overlapped(classifier, texts, processes)),
    }


def tokens_by_patterns(text: str) -> list[str]:
    """What `tokenize(normalize(text))` gives, by torchtext's own regular expressions, one after the other."""
    text = tokenizer._TAG.sub(" ", html.unescape(text))
    text = tokenizer._INVISIBLE.sub("", tokenizer._CONTROL.sub(" ", text))
    text = unicodedata.normalize("NFKC", text.translate(tokenizer._QUOTES)).translate(tokenizer._QUOTES)
    text = re.sub(r"\s+", " ", re.sub(r"[‒–—―]|-{2,}", " - ", text)).strip()
    return _basic_english(re.sub(r"(?<=\w)n't\b", "nt", text, flags=re.IGNORECASE))


def _overlapped(classifier: SentimentClassifier, texts: Sequence[str], processes: ProcessPoolExecutor) -> np.ndarray:
    chunks = processes.map(_tokenized, [texts[start : start + CHUNK] for start in range(0, len(texts), CHUNK)])
    return np.concatenate([classifier.logits(EncodedReviews(map(classifier.text.encode, chunk))) for chunk in chunks])


def _tokenized(texts: Sequence[str]) -> list[list[str]]:
    return [tokenizer.tokenize(tokenizer.normalize(text)) for text in texts]
