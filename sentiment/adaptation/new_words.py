"""Word vectors for words that a model does not know: begun from the words with the most similar spelling.

Spelling, and not contexts as in other work, since a new word has only a few contexts in so few reviews.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import torch
from sklearn.feature_extraction.text import TfidfVectorizer

from sentiment.models.surgery import EMBEDDING, with_words
from sentiment.persistence.checkpoint import Checkpoint
from sentiment.text.vocabulary import SPECIALS, Vocabulary

MIN_COUNT = 3
"""Times that a new word must be in the reviews."""
NEIGHBORS = 10
"""Known words whose vectors are averaged."""
BLOCK = 1000
"""New words that are compared with all known ones at a time."""
LETTERS = (3, 5)
"""Letters of the pieces by which spelling is compared, ends of words included (Bojanowski et al. 2017)."""


def unknown_words(vocabulary: Vocabulary, reviews: Iterable[Sequence[str]]) -> dict[str, int]:
    """{word: times} of the words that are often in tokenized reviews and not in a vocabulary."""
    counts = Counter(token for tokens in reviews for token in tokens if token not in vocabulary)
    return {word: count for word, count in counts.items() if count >= MIN_COUNT and any(map(str.isalpha, word))}


def with_new_words(checkpoint: Checkpoint, counts: dict[str, int]) -> Checkpoint:
    """The model with further words in its vocabulary.

    Args:
        checkpoint: the model.
        counts: {new word: times that it is in the reviews}.
    """
    if not counts:
        return checkpoint
    vocabulary = checkpoint.text.vocabulary
    known = {word: row for row, word in enumerate(vocabulary.words)}
    vectors = checkpoint.weights[EMBEDDING].float().cpu()
    begun = dict(zip(counts, _from_spelling(list(counts), vocabulary, vectors.numpy()), strict=True))
    merged = vocabulary.counts | counts
    grown = Vocabulary.restored({word: merged[word] for word in sorted(merged, key=lambda word: (-merged[word], word))})
    rows = [vectors[known[word]] if word in known else torch.from_numpy(begun[word]) for word in grown.words]
    weights, settings = with_words(checkpoint.weights, checkpoint.model_settings, torch.stack(rows))
    return replace(
        checkpoint, weights=weights, model_settings=settings, text=replace(checkpoint.text, vocabulary=grown)
    )


def _from_spelling(words: list[str], vocabulary: Vocabulary, vectors: np.ndarray) -> np.ndarray:
    """Vectors [words, embedding_dim]: means of known words, weighted by the square of how similar they are spelled."""
    known = list(vocabulary.words[len(SPECIALS) :])
    pieces = TfidfVectorizer(analyzer="char_wb", ngram_range=LETTERS, sublinear_tf=True)
    table, found = pieces.fit_transform(known).T, []
    for start in range(0, len(words), BLOCK):
        similar = (pieces.transform(words[start : start + BLOCK]) @ table).toarray() ** 2
        nearest = np.argsort(-similar, axis=1, kind="stable")[:, :NEIGHBORS]
        weights = np.take_along_axis(similar, nearest, axis=1)
        weights += 1e-9  # of a word that is like none, all count the same
        weights /= weights.sum(axis=1, keepdims=True)
        found.append(np.einsum("wn,wnd->wd", weights, vectors[len(SPECIALS) :][nearest]).astype(np.float32))
    return np.concatenate(found)
