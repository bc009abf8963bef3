"""Counterfactual examples made by machine: copies of texts in which a few deciding words are changed.

A network that has read only whole reviews keeps to their general tone and overlooks the few words that decide. Copies
in which those words say the opposite teach it to look at them (Wang & Culotta 2021; in Kaushik et al. 2020, people made
the changes). Which words decide, the teachers say: those that they call clearly positive or negative alone. Which other
word fits in their place, word vectors and counts of neighboring words say. Nobody knows the label of a copy; the
teachers predict it.
"""

import functools
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
import yaml

from sentiment.text.tokenizer import tokenize

PHRASES = Path(__file__).with_name("phrases.yaml")
ALONE = "It is {}."
"""The sentence in which teachers judge a word."""
DECIDING = 1.2
"""A word decides if every teacher's logit for it is at least this, or at most minus this, apart from the median."""
RARE = 20
"""Words that are in fewer reviews are left alone: they have no good vector."""
LIKE = 0.45
"""Minimum cosine similarity of a word and its substitute, apart from how positive they are."""
SUBSTITUTES = 12
"""Maximum number of substitutes of a word."""
FEWEST, MOST = 1, 8
"""Fewest and most changes in a review."""
NEGATED = 0.35
"""Share of the changes that put in or take out a negation, where that is possible."""
REACH = 4
"""Words between a negation and the word that it turns, at most."""

_WORD = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)?")
_RATING = re.compile(r"\b(\d{1,2})(?= out of 10\b)")
_VERB = r"is|was|are|were|does|did|do|has|have|had|could|would|should"
_NEGATION = re.compile(rf"(?i)\b({_VERB}|ca|wo)(?:n't|n’t| not)\b|\b(not|never|hardly|no longer) (?=\w)")
_VERBS = re.compile(r"(?i)\b(is|was|are|were|could|would|should)\b(?! not\b|n't|n’t| never\b)")
_SENTENCE_END = re.compile(r"[.!?;:]")
_ARTICLE = re.compile(r"\b([Aa])n?(\s+)$")


def common_words(documents: Iterable[str]) -> list[str]:
    """Words of at least three letters in at least `RARE` of the documents, which are tokens joined by spaces."""
    counts = Counter(word for document in documents for word in set(document.split()))
    return sorted(word for word, count in counts.items() if count >= RARE and word.isalpha() and len(word) > 2)


def word_weights(words: Sequence[str], logits: Sequence[np.ndarray]) -> dict[str, float]:
    """The words that decide, and how positive they are: the first teacher's logit for each alone, less the median.

    Args:
        words: words.
        logits: of each teacher, its logits for the words in `ALONE` [len(words)].
    """
    centered = np.stack([each - np.median(each) for each in logits])
    least, most = centered.min(axis=0), centered.max(axis=0)
    decides = np.logical_or(least >= DECIDING, most <= -DECIDING)
    return {word: float(logit) for word, logit, yes in zip(words, centered[0], decides, strict=True) if yes}


class Substitutes:
    """The words that decide, and words of the opposite sense that fit in their place.

    Args:
        weights: the words that decide, and how positive each one is (`word_weights`).
        vectors: the vector of each word.
        documents: reviews whose neighboring words are counted, tokens joined by spaces.
    """

    def __init__(
        self, weights: Mapping[str, float], vectors: Mapping[str, np.ndarray], documents: Iterable[str]
    ) -> None:
        words = [word for word in weights if word in vectors]
        signs = np.sign([weights[word] for word in words])
        likeness = _likeness(np.stack([vectors[word] for word in words]), signs)
        self.weights = {}
        self.opposites: dict[str, tuple[list[str], np.ndarray]] = {}
        for row, word in enumerate(words):
            best = [int(i) for i in np.argsort(-likeness[row])[:SUBSTITUTES] if likeness[row, i] >= LIKE]
            if best:
                self.weights[word] = weights[word]
                self.opposites[word] = ([words[i] for i in best], likeness[row, best])
        self.neighbors: Counter[tuple[str, str]] = Counter()
        for document in documents:
            tokens = document.split()
            self.neighbors.update(
                pair for pair in pairwise(tokens) if pair[0] in self.weights or pair[1] in self.weights
            )

    def choose(self, word: str, before: str, after: str, random: Random) -> str:
        """Draw a word of the opposite sense for the place of a deciding word, between two other words."""
        words, likeness = self.opposites[word]
        seen = [self.neighbors[before, other] * self.neighbors[other, after] for other in words]
        scores = 8 * likeness + 0.5 * np.log1p(seen)
        return random.choices(words, np.exp(scores - scores.max()).tolist())[0]


def _likeness(vectors: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """Cosine similarity of words [n, n], without what tells positive from negative words; -1 for words of one sign."""
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    axis = vectors[signs > 0].mean(axis=0) - vectors[signs < 0].mean(axis=0)
    axis /= np.linalg.norm(axis)
    vectors = vectors - np.outer(vectors @ axis, axis)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    likeness: np.ndarray = np.where(np.equal.outer(signs, signs), -1.0, vectors @ vectors.T)
    return likeness


PHRASE = 5.0
"""Weight of a phrase and of a rating, about that of the words that decide most."""
LONGEST = 190
"""Longest review that is copied, in words: a few changes turn a short one."""
COPIES = 2
"""Copies of a review; a sentence has one."""


def short_reviews(texts: Sequence[str], count: int) -> list[str]:
    """The first `count` texts of at most `LONGEST` words."""
    return list(itertools.islice((text for text in texts if len(text.split()) <= LONGEST), count))


def copies(texts: Sequence[str], logits: np.ndarray, each: int, substitutes: Substitutes, seed: int) -> list[str]:
    """Counterfactual copies of texts, without those that turn out equal; equal arguments give equal copies.

    Args:
        texts: normalized texts.
        logits: [len(texts)], above 0 for a positive text.
        each: number of copies of each text.
        substitutes: the words that decide.
        seed: seed of the changes.
    """
    random = Random(seed)
    made: list[str] = []
    for text, logit in zip(texts, logits, strict=True):
        drawn = [counterfactual(text, bool(logit > 0), substitutes, random) for _ in range(each)]
        made += dict.fromkeys(copy for copy in drawn if copy is not None and copy != text)
    return made


@dataclass(frozen=True)
class _Change:
    """A span of a text and what stands there in the copy."""

    start: int
    stop: int
    text: str
    weight: float


def counterfactual(text: str, positive: bool, substitutes: Substitutes, random: Random) -> str | None:
    """A copy of a normalized text with one to `MOST` changes, each meant to turn its label.

    Args:
        text: a review or a sentence, normalized.
        positive: its label: words that agree with it are changed.
        substitutes: the words that decide, and their substitutes.
        random: draws the changes.

    Returns:
        The copy; None if nothing can be changed.
    """
    changes = _changes(text, positive, substitutes, random)
    if not changes:
        return None
    wanted = random.randint(FEWEST, min(MOST, len(changes)))
    # mostly the words that decide most, in a different choice for each copy
    changes.sort(key=lambda change: -change.weight * random.uniform(0.5, 1.0))
    for change in sorted(changes[:wanted], key=lambda change: -change.start):
        text = _with_article(text[: change.start], change.text) + change.text + text[change.stop :]
    return text


def _with_article(before: str, word: str) -> str:
    """What stands before a word; an article that ends it is "an" if the word begins with a vowel, else "a"."""
    vowel = word[:1].lower() in set("aeiou")
    return _ARTICLE.sub(lambda article: article[1] + ("n" if vowel else "") + article[2], before)


def _changes(text: str, positive: bool, substitutes: Substitutes, random: Random) -> list[_Change]:
    """What can be changed in a text; the changes do not overlap."""
    found = _phrases_and_ratings(text, positive)
    taken = {place for change in found for place in range(change.start, change.stop)}
    words = list(_WORD.finditer(text))
    tokens = ["".join(tokenize(word[0])[:1]) for word in words]
    for at, (word, token) in enumerate(zip(words, tokens, strict=True)):
        weight = substitutes.weights.get(token)
        if weight is None or word.start() in taken:
            continue
        start = _clause_start(text, words, at)
        negations = list(_NEGATION.finditer(text, start, word.start()))
        if ((weight > 0) == positive) == bool(negations):  # what it says disagrees with the label
            continue
        places = negations or list(_VERBS.finditer(text, start, word.start()))
        if places and places[-1].start() not in taken and random.random() < NEGATED:
            verb = places[-1]
            taken.add(verb.start())
            written = _without(verb) if negations else verb[0] + random.choice(("n't", " not", "n't really"))
            found.append(_Change(verb.start(), verb.end(), written, abs(weight)))
        else:
            before, after = (tokens[at - 1] if at else "", tokens[at + 1] if at + 1 < len(tokens) else "")
            other = substitutes.choose(token, before, after, random)
            found.append(_Change(word.start(), word.end(), _capitalized_like(word[0], other), abs(weight)))
    return found


def _phrases_and_ratings(text: str, positive: bool) -> list[_Change]:
    """The changes of phrases and of ratings that agree with the label."""
    opposites, pattern = _phrases(positive)
    found = [
        _Change(match.start(), match.end(), _capitalized_like(match[0], opposites[match[0].lower()]), PHRASE)
        for match in pattern.finditer(text)
        if match[0].lower() in opposites
    ]
    for match in _RATING.finditer(text):
        rating = int(match[1])
        if rating <= 10 and rating != 5 and (rating > 5) == positive:
            found.append(_Change(match.start(), match.end(), str(10 - rating), PHRASE))
    return found


@functools.cache
def _phrases(positive: bool) -> tuple[dict[str, str], re.Pattern[str]]:
    """The phrases of one side, with their opposites; and what matches the phrases of both, the longest first."""
    pairs = yaml.safe_load(PHRASES.read_text("utf-8"))
    opposites = dict(pairs) if positive else {bad: good for good, bad in pairs}
    either = sorted(itertools.chain(*pairs), key=len, reverse=True)
    return opposites, re.compile(rf"(?i)\b(?:{'|'.join(map(re.escape, either))})\b")


def _clause_start(text: str, words: Sequence[re.Match[str]], at: int) -> int:
    """Where the words begin that a negation of a word can stand among: `REACH` words before, in its sentence."""
    start, stop = words[max(0, at - REACH)].start(), words[at].start()
    return max([start, *(match.end() for match in _SENTENCE_END.finditer(text, start, stop))])


def _without(negation: re.Match[str]) -> str:
    """What is left of a negation when it is taken out: its verb."""
    verb = negation[1] or ""
    return {"ca": "can", "wo": "will"}.get(verb.lower(), verb)


def _capitalized_like(pattern: str, words: str) -> str:
    """Words with capital letters where those have them that they replace."""
    if pattern.isupper() and len(pattern) > 1:
        return words.upper()
    return words[0].upper() + words[1:] if pattern[0].isupper() else words
