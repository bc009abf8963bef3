"""The answer in a sentence or two that a person would say."""

from sentiment.explanation.explanation import Explanation, Part
from sentiment.inference.postprocessing import is_positive

SURE = ((0.99, "almost certain"), (0.9, "quite sure"), (0.75, "fairly sure"), (0.0, "not sure"))
"""Score from which the answer is said to be that sure."""
TURNED_FROM, TURNED_WORDS = 0.75, 3
"""Score of the other label, and number of words with it, from which the answer is said to have turned."""
SOMETHING = 0.3
"""Logits from which a part is said to add something."""
AS_STRONG = 0.6
"""Share of the strongest contribution from which another part is named beside it."""
AGAINST = 0.4
"""The same for a part that speaks against the answer."""
PLACES = ("at the beginning", "in the middle", "at the end")
FEWEST_WORDS = 6
"""Words from which a review has a beginning, a middle and an end."""
LONGEST_QUOTE = 60
"""Characters of a part that is quoted."""


def answer(explanation: Explanation) -> str:
    """For example: 'Negative, quite sure (93%). What turned it: “isn't good” at the end.'"""
    prediction = explanation.prediction
    assert prediction.label is not None and prediction.score is not None
    sure = "not sure" if prediction.uncertain else next(words for least, words in SURE if prediction.score >= least)
    because = f": {prediction.reason}" if prediction.reason else ""
    score = "over 99%" if prediction.score > 0.99 else f"{prediction.score:.0%}"
    first = f"{prediction.label.capitalize()}, {sure}{because} ({score})."
    sign = 1 if prediction.label == "positive" else -1
    return " ".join([first, *_reasons(explanation.divided("phrase"), sign, sure != SURE[-1][1])])


def _reasons(explanation: Explanation, sign: int, sure: bool) -> list[str]:
    words = [explanation.words[t] for t in explanation.in_text_order]
    parts = [part for part in explanation.parts if any(map(str.isalnum, "".join(words[slice(*part.words)])))]
    strongest, against = _strongest(parts, sign), _strongest(parts, -sign)
    if not strongest and not against:
        if explanation.by == "phrase":  # its words may say the opposite of each other
            return _reasons(explanation.divided("word"), sign, sure=False)
        return ["No word says much either way."]
    if not sure:
        names = ("positive", "negative") if sign > 0 else ("negative", "positive")
        sides = zip(names, (strongest, against), strict=True)
        return [f"Most {name}: {_quoted(found[0])}." for name, found in sides if found]
    turned_at = _turn(explanation, sign)
    if turned_at is not None:
        after = [part for part in parts if _is_after(part, turned_at, explanation.backward)]
        if turning := _strongest(after, sign):
            return [f"What turned it: {_named(explanation, turning)}."]
    if not strongest:
        return []
    reasons = [f"What decided it: {_named(explanation, strongest)}."]
    if against and abs(against[0].contribution) >= AGAINST * abs(strongest[0].contribution):
        reasons.append(f"Against it: {_quoted(against[0])}.")
    return reasons


def _named(explanation: Explanation, strongest: list[Part]) -> str:
    """The strongest part and its place; or the two strongest, if the second is another and nearly as strong."""
    first = strongest[0]
    others = [part for part in strongest if part.text.casefold() != first.text.casefold()]
    if others and abs(others[0].contribution) >= AS_STRONG * abs(first.contribution):
        return f"{_quoted(first)} and {_quoted(others[0])}"
    return _quoted(first) + _place(explanation, first)


def _is_after(part: Part, turned_at: int, backward: bool) -> bool:
    """Whether the model reads the end of a part at a word of the text or later."""
    return part.words[0] <= turned_at if backward else part.words[1] > turned_at


def _turn(explanation: Explanation, sign: int) -> int | None:
    """Place in the text of the last word at which the answer turned, if it was rather sure of the other before."""
    running = explanation.running_probability
    other = is_positive(running) != (sign > 0)
    if ((running if sign < 0 else 1 - running) >= TURNED_FROM).sum() < TURNED_WORDS:
        return None
    turned = int(other.nonzero()[0][-1]) + 1
    return len(running) - 1 - turned if explanation.backward else turned


def _strongest(parts: list[Part], sign: int) -> list[Part]:
    """The parts that add something in a direction, strongest first."""
    found = [part for part in parts if sign * part.contribution >= SOMETHING]
    return sorted(found, key=lambda part: -sign * part.contribution)


def printable(text: str) -> str:
    """The text with a space in place of each character that controls a terminal; line breaks stay."""
    return "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in text)


def _quoted(part: Part) -> str:
    text = " ".join(printable(part.text).split())
    return f"“{text if len(text) <= LONGEST_QUOTE else text[: LONGEST_QUOTE - 1] + '…'}”"


def _place(explanation: Explanation, part: Part) -> str:
    """Where a part stands; nothing in a short review, or if it is most of it."""
    first, last = part.words
    if sum(any(map(str.isalnum, word)) for word in explanation.words) < FEWEST_WORDS or 2 * (last - first) > len(
        explanation.words
    ):
        return ""
    return f" {PLACES[min(2, int(3 * (first + last) / 2 / len(explanation.words)))]}"
