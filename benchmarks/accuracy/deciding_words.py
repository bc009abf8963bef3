"""Sentences of the package's grammar, with the characters that decide them."""

import re
from dataclasses import dataclass
from random import Random

import numpy as np
import yaml

from sentiment.data.augmentation import DATA

KINDS = ("same", "opposite", "turn")
DECIDING = ("word", "other", "verb", "verbed", "noun")
"""Slots of the words that a sentence is about; before a turn they are called "first_word" and so on."""
NEGATION = re.compile(
    r"\b(?:no|not|never|nothing|nobody|hardly|far from|doubt|wrong|mistaken|cannot|\w+n't|need not)\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Sentence:
    """A sentence of known meaning."""

    text: str
    kind: str
    """Whether its word says what it says, is turned around, or comes after a turn."""
    decides: np.ndarray
    """[characters] bool: whether it belongs to a word that decides, or to a negation that turns it."""


def sentences(count: int, seed: int = 0) -> list[Sentence]:
    """Sentences of the three kinds in turns, half of them positive; equal arguments give equal sentences."""
    grammar, random = yaml.safe_load(DATA.read_text("utf-8")), Random(seed)
    return [_sentence(grammar, KINDS[number % len(KINDS)], random) for number in range(count)]


def _sentence(grammar: dict, kind: str, random: Random) -> Sentence:  # type: ignore[type-arg]  # from YAML
    own, other = random.sample(["positive", "negative"], 2)
    words = {name: random.choice(choices) for name, choices in grammar[own].items()}
    words["other"] = random.choice([word for word in grammar[own]["word"] if word != words["word"]])
    words |= {f"first_{name}": random.choice(choices) for name, choices in grammar[other].items()}
    words |= {slot: random.choice(choices) for slot, choices in grammar["slots"].items()}
    words["aside"] = words["aside"].format(**words)
    text, decides = "", []
    for literal, slot in re.findall(r"([^{]*)(?:\{(\w+)\})?", random.choice(grammar["frames"][kind])):
        negations = {place for found in NEGATION.finditer(literal) for place in range(*found.span())}
        decides += [kind == "opposite" and place in negations for place in range(len(literal))]
        text += literal
        if slot:
            decides += [slot in DECIDING] * len(words[slot])
            text += words[slot]
    return Sentence(text[0].upper() + text[1:], kind, np.array(decides))
