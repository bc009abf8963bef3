"""From raw text to logits: how the words are found, and by whom."""

import functools
import html
import re
import unicodedata
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from typing import TYPE_CHECKING

import numpy as np
import torch
from torchtext.data.utils import get_tokenizer

from benchmarks.harness.reviews import encode
from benchmarks.speed.runtime_variants import Variant
from sentiment.classifier import SentimentClassifier
from sentiment.data.batching import EncodedReviews
from sentiment.text import characters, markup, tokenizer
from sentiment.text.normalization import FIRST_STEPS, normalize
from sentiment.text.vocabulary import UNKNOWN, Vocabulary

if TYPE_CHECKING:
    from tokenizers import Tokenizer

CHUNK = 512
"""Reviews that a process tokenizes at a time."""

_basic_english = get_tokenizer("basic_english")
_QUOTES = str.maketrans(characters._QUOTES)


def token_processes() -> ProcessPoolExecutor:
    """Processes that tokenize; spawned, since a process with threads is not to be forked."""
    return ProcessPoolExecutor(torch.get_num_threads(), mp_context=get_context("spawn"))


def from_text(
    classifier: SentimentClassifier, texts: Sequence[str], processes: ProcessPoolExecutor
) -> dict[str, Variant]:
    """All variants, by name; all with the first steps of normalization, which the patterns know."""
    patterns, rules = "words by torchtext's patterns", "words by this project's rules"
    library = functools.cache(lambda: _library_tokenizer(classifier.text.vocabulary))

    def by_patterns() -> np.ndarray:
        encoded = (classifier.text.encode(tokens_by_patterns(text)) for text in texts)
        return classifier.logits(EncodedReviews(encoded))

    def by_library() -> np.ndarray:
        encoded = library().encode_batch_fast([normalize(text, FIRST_STEPS) for text in texts])
        return classifier.logits(EncodedReviews(one.ids[-classifier.text.max_length :] for one in encoded))

    return {
        patterns: Variant(patterns, by_patterns),
        "words by Hugging Face tokenizers, all cores": Variant(patterns, by_library),
        rules: Variant(patterns, lambda: classifier.logits(encode(replace(classifier.text, steps=FIRST_STEPS), texts))),
        "words found in other processes meanwhile": Variant(rules, lambda: _overlapped(classifier, texts, processes)),
    }


def _library_tokenizer(vocabulary: Vocabulary) -> "Tokenizer":
    """torchtext's rules as a normalizer of Hugging Face tokenizers, for normalized text in ASCII."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

    ids = {word: index for index, word in enumerate(vocabulary.words)}
    built = Tokenizer(models.WordLevel(ids, unk_token=UNKNOWN))
    replaced = [normalizers.Replace(old, new) for old, new in tokenizer._REPLACEMENTS]
    negated = normalizers.Replace(Regex(r"(?<=\w)n't\b"), "nt")
    built.normalizer = normalizers.Sequence([normalizers.Lowercase(), negated, *replaced])
    built.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return built


def tokens_by_patterns(text: str) -> list[str]:
    """What `tokenize(normalize(text, FIRST_STEPS))` gives, by torchtext's regular expressions, one after the other."""
    text = markup._TAG.sub(" ", html.unescape(text))
    text = characters._INVISIBLE.sub("", characters._CONTROL.sub(" ", text))
    text = unicodedata.normalize("NFKC", text.translate(_QUOTES)).translate(_QUOTES)
    text = re.sub(r"\s+", " ", re.sub(r"[‒–—―]|-{2,}", " - ", text)).strip()
    return _basic_english(re.sub(r"(?<=\w)n't\b", "nt", text, flags=re.IGNORECASE))


def _overlapped(classifier: SentimentClassifier, texts: Sequence[str], processes: ProcessPoolExecutor) -> np.ndarray:
    chunks = processes.map(_tokenized, [texts[start : start + CHUNK] for start in range(0, len(texts), CHUNK)])
    return np.concatenate([classifier.logits(EncodedReviews(map(classifier.text.encode, chunk))) for chunk in chunks])


def _tokenized(texts: Sequence[str]) -> list[list[str]]:
    return [tokenizer.tokenize(normalize(text, FIRST_STEPS)) for text in texts]
