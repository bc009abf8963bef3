"""Normalization of raw text: a list of named steps, which a model keeps in its directory.

Texts come as other programs export them and as people type them: HTML, wrong encodings, Markdown, emoji, stars. Each
step brings one kind to the plain words that models have learned. A step does not change once models use it; a better
one gets another name, so that older models read texts as they were trained.

>>> normalize("<b>It isnâ€™t</b> bad &amp;amp; I give it ★★★★☆ 👍")
"It isn't bad & I give it 8 out of 10 thumbs up"
"""

from collections.abc import Callable, Mapping, Sequence

from sentiment.text.characters import characters, mojibake
from sentiment.text.emoji import emoji_to_words
from sentiment.text.markup import entities, entities_once, escapes, markup, tags
from sentiment.text.ratings import ratings

STEPS: Mapping[str, Callable[[str], str]] = {
    "entities-once": entities_once,
    "entities": entities,
    "mojibake": mojibake,
    "escapes": escapes,
    "tags": tags,
    "markup": markup,
    "emoji": emoji_to_words,
    "ratings": ratings,
    "characters": characters,
}
"""{name in a model directory: step}; `sentiment.text.repair.REPAIRS` has those that follow after tokenization."""

FIRST_STEPS = ("entities-once", "tags", "characters")
"""The steps of models whose directory names none."""

CURRENT_STEPS = (
    *("mojibake", "entities", "escapes", "tags", "markup", "ratings", "emoji", "characters"),
    *("joints", "runs", "spelling"),
)
"""The steps of new models."""


def normalize(text: str, steps: Sequence[str] = CURRENT_STEPS) -> str:
    """Apply the steps that come before tokenization, in their order."""
    for step in steps:
        if step in STEPS:
            text = STEPS[step](text)
    return text
