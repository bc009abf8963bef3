"""Extra training texts: short sentences from a grammar written for this package (grammar.yaml), and pieces of reviews.

Reviews are long and express their sentiment many times. Users also type short texts, in which one "not" reverses the
meaning. So a student is trained on sentences of the grammar, too. The checklist uses other sentence frames and idioms;
if a frame is only one word, it uses other words.
"""

import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import yaml

DATA = Path(__file__).with_name("grammar.yaml")
KINDS = ("same", "opposite", "phrase", "turn", "opposite", "turn", "same", "phrase", "neutral")
"""Kinds of sentences, drawn in this order, again and again."""
NOT_BAD = 0.8
"""Target probability of a negated negative word: "not bad" is weaker than "good"."""
REPEATED = 0.3
"""Share of the sentences that are followed by a second sentence with the same sentiment."""
UNPUNCTUATED = 0.1
"""Share of the texts without punctuation, as users type them; apostrophes stay."""
_PUNCTUATION = re.compile(r"[^\w\s']")


def grammar_sentences(count: int, seed: int) -> list[tuple[str, float]]:
    """Draw sentences, each with its target probability of positive, 0 to 1; equal arguments give equal sentences."""
    grammar = yaml.safe_load(DATA.read_text("utf-8"))
    random = Random(seed)
    drawn = [_sentence(grammar, kind, random) for kind in itertools.islice(itertools.cycle(KINDS), count)]
    return [(_PUNCTUATION.sub("", text) if random.random() < UNPUNCTUATED else text, label) for text, label in drawn]


def _sentence(grammar: dict[str, Any], kind: str, random: Random) -> tuple[str, float]:
    if kind == "phrase":
        text, label = random.choice(grammar["phrases"])
        return text, label
    if kind == "neutral":
        return _fill(grammar, kind, True, random), 0.5
    positive = random.random() < 0.5
    text = _fill(grammar, kind, positive, random)
    if random.random() < REPEATED:
        return f"{text} {_fill(grammar, 'same', positive, random)}", float(positive)
    return text, NOT_BAD if positive and kind == "opposite" else float(positive)


def _fill(grammar: dict[str, Any], kind: str, positive: bool, random: Random) -> str:
    """Fill a random frame of a kind to a sentence of the given sentiment; "opposite" frames negate their words."""
    own_positive = positive != (kind == "opposite")
    own, other = (
        grammar["positive" if own_positive else "negative"],
        grammar["negative" if own_positive else "positive"],
    )
    words = {name: random.choice(choices) for name, choices in own.items()}
    words |= {f"first_{name}": random.choice(choices) for name, choices in other.items()}
    words |= {slot: random.choice(choices) for slot, choices in grammar["slots"].items()}
    words["aside"] = words["aside"].format(**words)
    words |= {"other": random.choice([word for word in own["word"] if word != words["word"]])}
    text = random.choice(grammar["frames"][kind]).format(**words, minutes=random.randint(60, 200))
    text = re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", text)
    return text[0].upper() + text[1:]


SHORTEST, LONGEST = 4, 30
"""Words of a sentence that stands for itself."""
_SENTENCE_END = re.compile(r"""(?<=[.!?])\s+(?=[^.!?\s])|(?<=[.!?]["')\]])\s+(?=[^.!?\s])""")


def crops(texts: Sequence[str], count: int, seed: int) -> list[str]:
    """Cut random pieces from reviews: alternately the first one to five sentences, and a single sentence.

    Args:
        texts: normalized reviews.
        count: number of pieces, at most one per review.
        seed: seed of the random choice.

    Returns:
        At most `count` pieces; equal arguments give equal pieces.
    """
    random = Random(seed)
    drawn = random.sample(range(len(texts)), min(count, len(texts)))
    pieces = []
    for number, row in enumerate(drawn):
        sentences = split_sentences(texts[row])
        start = random.randrange(len(sentences)) if number % 2 else 0
        stop = start + (1 if number % 2 else random.randint(1, 5))
        pieces.append(" ".join(sentences[start:stop]))
    return pieces


def single_sentences(texts: Sequence[str], count: int, seed: int) -> list[str]:
    """One random sentence that stands for itself of each text that has one, `count` at most."""
    random = Random(seed)
    found = (random.choice(fitting) for text in texts if (fitting := whole_sentences(text)))
    return list(itertools.islice(found, count))


def whole_sentences(text: str) -> list[str]:
    """The sentences of a text that stand for themselves: those of `SHORTEST` to `LONGEST` words."""
    return [sentence for sentence in split_sentences(text) if SHORTEST <= len(sentence.split()) <= LONGEST]


def split_sentences(text: str) -> list[str]:
    """Split a normalized text, or one given as tokens joined by spaces, after the ends of its sentences."""
    return _SENTENCE_END.split(text)
