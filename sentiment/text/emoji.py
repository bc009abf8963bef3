"""Emoji and emoticons, as words that models know."""

import re
from collections.abc import Mapping

from sentiment.text.tracing import rewrite, sub

_PICTURE = re.compile("[\u00a9\u00ae\u203c-\u3299\U0001f000-\U0001ffff]")
"""Ranges in which all emoji lie, so that other texts need not be searched."""
_SIGN = re.compile(rf"[\U0001f1e6-\U0001f1ff]{{2}}|{_PICTURE.pattern}(?:\ufe0f|\u200d.)*")
"""Most emoji with their modifiers, one by one, and flags, which have two letters."""
_PIECE = re.compile(
    rf"(?:(?:[\U0001f1e6-\U0001f1ff]{{2}}|{_PICTURE.pattern})(?:[\ufe0f\U000e0020-\U000e007f]|\u200d.){{0,20}}|"
    r"[0-9#*]\ufe0f?\u20e3|\S){1,20}"
)
"""What is searched for emoji at a time: the package takes time that grows with the square of the length. No emoji is
divided, except among letters of flags that make no flag."""
_SKIN_TONE = re.compile("(.?)[\U0001f3fb-\U0001f3ff]+", re.DOTALL)
_EMOJI_WORDS = {
    **dict.fromkeys("😍🥰😘💕💖💗💓💘💝❤🧡💛💚💙💜🖤🤍💞💟♥😻", "love"),
    **dict.fromkeys("😀😃😄😁😆😊🙂☺😇😸😺🤗", "smile"),
    **dict.fromkeys("😂🤣😹", "hilarious"),
    **dict.fromkeys("👏🙌🤩🔥💯🎉🏆🥇🌟✨😎💪", "wonderful"),
    **dict.fromkeys("👌🆗", "good"),
    **dict.fromkeys("😭😢😥😿", "sad"),
    **dict.fromkeys("💔😞😔😟🙁☹😕😣😖😩😫😒🤦🙄😑😐", "disappointing"),
    **dict.fromkeys("😡😠🤬👿💢", "awful"),
    **dict.fromkeys("🤮🤢💩🗑🚮", "garbage"),
    **dict.fromkeys("😴🥱💤", "boring"),
    "👍": "thumbs up",
    "👎": "thumbs down",
}
"""Emoji whose names say less than what people mean by them in a review; others are replaced by their names."""
EMOTICONS = {
    **dict.fromkeys(":) :-) :] =) :D :-D =D :P :-P :p ;) ;-) ^^ xD XD (:".split(), "smile"),  # noqa: SIM905
    **dict.fromkeys(r":( :-( :[ =( :'( :/ :-/ :\ :-\ :| :-| -_- >:( D: ):".split(), "disappointing"),  # noqa: SIM905
    "<3": "love",
    "</3": "disappointing",
}
_EMOTICON = re.compile(
    r"(?<!\S)("
    + "|".join(re.escape(sign) for sign in sorted(EMOTICONS, key=len, reverse=True))
    + r")(?:(?<=\))\)+|(?<=\()\(+)?(?=$|[\s.,!?])"
)

_MAYBE_EMOTICON = re.compile(r"[:;=<>^xXD()-](?<!\S.)[^a-zA-Z\s]|[:=]-?[DPp]\b|[xX]D")
"""A quick look for an emoticon, much faster than the pattern with all of them."""


def emoji_to_words(text: str) -> str:
    """Replace emoji by their names, and emoticons by a word."""
    if not text.isascii() and _PICTURE.search(text):
        text = rewrite(_replace_emoji, sub(_SKIN_TONE, r"\1", text), _SIGN)
    if any(sign in text for sign in ":;=<^D_") and _MAYBE_EMOTICON.search(text):
        text = sub(_EMOTICON, lambda found: f" {EMOTICONS[found[1]]} ", text)
    return text


def _replace_emoji(text: str) -> str:
    from emoji import replace_emoji

    return _PIECE.sub(lambda found: replace_emoji(found[0], emoji_name), text)


def emoji_name(sign: str, data: Mapping[str, str]) -> str:
    """The words for an emoji, with a space on each side.

    Args:
        sign: the emoji.
        data: what the package `emoji` knows about it.
    """
    words = _EMOJI_WORDS.get(sign.rstrip("\ufe0f"))
    return f" {words or data['en'].strip(':').replace('_', ' ')} "
