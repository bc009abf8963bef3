"""Ratings: stars and fractions, written as reviews of films write them, "8 out of 10"."""

import math
import re

from sentiment.text.tracing import sub

_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NUMBER = (
    r"(?<![\w./,$-])(?<!\bthe )(?<!\bon )"  # not a part of something else, not the stars of a film, not a date
    rf"(?P<number>\d{{1,3}}(?:[.,]\d)?|{'|'.join(_WORDS)})(?P<half> ?½| and a half| 1/2)?"
)
_MOST = rf"(?P<most>\d{{1,3}}|{'|'.join(_WORDS)})\b"
_STARS = re.compile(
    rf"{_NUMBER}[ -]stars?\b(?: ?(?:/|out of|of) ?(?:a possible )?{_MOST})?(?![\w/:]| (?:of|from|who|in|and)\b)",
    re.IGNORECASE,
)
_FRACTION = re.compile(
    rf"{_NUMBER}(?: ?/ ?| out of (?:a possible )?)(?P<most>5|10|100|five|ten)"
    r"(?:[ -]stars?\b| points?\b)?(?![\w/%]|[.,]\d)",
    re.IGNORECASE,
)
_STAR, _OF = re.compile(r"stars?\b"), re.compile(r"(?:/ ?|out of (?:a possible )?)(?:5|10|100|five|ten)(?![\w/%])")
"""Quick looks for what the two patterns need; those are slow, since they begin with many alternatives."""
_SIGNS = re.compile(r"(?P<full>[★⭐🌟]{1,10})(?P<half> ?½| ?1/2)?(?P<empty>[☆✩]{0,9})|(?P<none>[☆✩]{3,10})")


def ratings(text: str) -> str:
    """Write ratings as reviews of films do, "8 out of 10": stars, and fractions of 5, 10 or 100.

    Stars without a number behind them are out of 5, or out of 10 if there are more.
    """
    if not text.isascii():
        text = sub(_SIGNS, _rating_of_signs, text)
    lower = text.lower()
    if ("/" in text or "out of" in lower) and _OF.search(lower):
        text = sub(_FRACTION, _rating, text)
    return sub(_STARS, _rating, text) if _STAR.search(lower) else text


def _rating_of_signs(found: re.Match[str]) -> str:
    full, empty = len(found["full"] or ""), len(found["empty"] or found["none"] or "")
    return _out_of_ten(full + (0.5 if found["half"] else 0), max(5, full + empty), found[0])


def _rating(found: re.Match[str]) -> str:
    try:
        value = _value(found["number"]) + (0.5 if found["half"] else 0)
        most = _value(found["most"]) if found["most"] else 5 if value <= 5 else 10
    except ValueError:  # case does not matter to the patterns, so they take "fıve" for "five"
        return found[0]
    return _out_of_ten(value, most, found[0])


def _value(number: str) -> float:
    return _WORDS.index(number.lower()) if number.lower() in _WORDS else float(number.replace(",", "."))


def _out_of_ten(value: float, most: float, written: str) -> str:
    # a whole number, since the tokenizer splits at a point
    return f" {math.floor(10 * value / most + 0.5)} out of 10 " if 0 <= value <= most and most else written
