"""A review as HTML, as it was typed: shaded by what each part adds, grey where the model reads nothing."""

import re
from bisect import bisect_left
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from sentiment.explanation.parts import Span

if TYPE_CHECKING:
    from sentiment.explanation.explanation import Explanation, Part

STRONGEST, FAINTEST = 0.7, 0.03
"""Opacity of the color behind the part that adds most, low enough to read the letters; and the smallest one shown."""
UNREAD = Markup('<i class="unread">')
"""What stands before text that no word stands for."""
_NOT_SHOWABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_ENTITY = re.compile(r"&(?:#\w+|\w+);")


def showable(text: str) -> str:
    """The text with a sign in place of each character that a page cannot hold, so that all others keep their places."""
    return _NOT_SHOWABLE.sub("\ufffd", text)


def shaded(explanation: "Explanation", span: Span | None = None, shades: bool = True, links: bool = False) -> Markup:
    """The text of a review, or a part of it, as it was typed.

    Args:
        explanation: what to show; of a division by sentence, the phrases.
        span: first character, and the one after the last; None for all of the text.
        shades: whether words and phrases are shaded.
        links: whether each word knows its column in the table of words.
    """
    if explanation.by == "sentence":
        explanation = explanation.divided("phrase")
    start, end = span or (0, len(explanation.text))
    known = explanation.known[explanation.in_text_order]
    columns = {first: column for column, (first, _) in enumerate(explanation.typed_words)} if links else {}
    pieces, done, largest = [], start, explanation.largest
    first = bisect_left(explanation.parts, start, key=lambda part: part.start)
    last = bisect_left(explanation.parts, end, key=lambda part: part.start)
    for part in explanation.parts[first:last]:
        letters, shade = _letters(part.text), part.contribution / largest * STRONGEST
        if shades and (links or abs(shade) >= FAINTEST):
            names = "positive" if shade > 0 else "negative"
            names += " phrase" if part.phrase else ""
            names += "" if known[slice(*part.words)].all() else " unknown"
            link = Markup(' data-column="{}"').format(columns[part.words[0]]) if links else ""
            letters = Markup('<span class="{}" style="--shade:{}" title="{}"{}>{}</span>').format(
                names, f"{abs(shade):.2f}", described(part), link, letters
            )
        pieces += [_unread(explanation.text[done : part.start]), letters]
        done = part.end
    return Markup("").join([*pieces, _unread(explanation.text[done:end])])


def _letters(text: str) -> Markup:
    """A part as it was typed, with entities in grey."""
    pieces = re.split(f"({_ENTITY.pattern})", text)
    return Markup("").join(_unread(piece) if _ENTITY.fullmatch(piece) else escape(piece) for piece in pieces)


def described(part: "Part") -> str:
    """What a part adds, such as "adds −2.62; probability of positive after it: 4%"."""
    return f"adds {part.contribution:+.2f}; probability of positive after it: {part.probability:.0%}".replace("-", "−")


def _unread(text: str) -> Markup:
    """Text that no word stands for, such as tags; white space stays as it is."""
    inner = text.strip()
    if not inner:
        return escape(text)
    before, after = text.split(inner)
    return Markup("{}{}{}</i>{}").format(before, UNREAD, inner, after)
