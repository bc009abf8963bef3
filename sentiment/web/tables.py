"""The data of the text pipeline for the page: its TypeScript in `source/text` has the code, and these tables the rest.

The tables come from the packages that the Python pipeline uses (ftfy, emoji, torchtext and Python's `html`), so the
page reads texts as their installed versions do.
"""

import html
import re
from collections import defaultdict
from html.entities import html5
from typing import Any

import emoji
from ftfy.badness import BADNESS_RE
from ftfy.chardata import ALTERED_UTF8_RE, CHARMAP_ENCODINGS, LOSSY_UTF8_RE, UTF8_DETECTOR_RE
from ftfy.fixes import A_GRAVE_WORD_RE

from sentiment.tables.columns import LABEL_NAMES, RATING_NAMES, TEXT_NAMES
from sentiment.text.emoji import EMOTICONS, emoji_name
from sentiment.text.tokenizer import basic_english

_COMPONENT = emoji.STATUS["component"]
"""Status of a sign that is only part of an emoji, such as red hair."""
_SKIN_TONE = re.compile("[\U0001f3fb-\U0001f3ff]")
_CLASSES = {
    "s": r"\t-\r\x1c- \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000",
    "w": r"\p{L}\p{N}_",
}
"""What stands for `\\s` and `\\w` of Python in a JavaScript pattern, within brackets: JavaScript means other ones."""
_SAME = "xu"
"""Letters after a backslash that mean the same in both."""


def text_tables() -> dict[str, Any]:
    """The data that the page needs to read texts and tables as this package does; JSON can hold it."""
    return {
        "emoji": _emoji(),
        "emojiComponents": [sign for sign, data in emoji.EMOJI_DATA.items() if data["status"] == _COMPONENT],
        "emoticons": EMOTICONS,
        "entities": {name.rstrip(";"): text for name, text in html5.items()},
        "openEntities": " ".join(name for name in html5 if not name.endswith(";")),
        "references": _references(),
        "replacements": basic_english(),
        "encodings": {name: bytes(range(256)).decode(name) for name in CHARMAP_ENCODINGS},
        "patterns": {
            "badness": _javascript(BADNESS_RE),
            "utf8Detector": _javascript(UTF8_DETECTOR_RE),
            "alteredUtf8": _javascript(ALTERED_UTF8_RE),
            "lossyUtf8": _javascript(LOSSY_UTF8_RE),
            "aGraveWord": _javascript(A_GRAVE_WORD_RE),
        },
        "columns": {"text": TEXT_NAMES, "label": LABEL_NAMES, "rating": RATING_NAMES},
    }


def _emoji() -> dict[str, str]:
    """{words: signs that they stand for, with spaces between}, without those of which a skin tone is only a part."""
    signs = defaultdict(list)
    for sign, data in emoji.EMOJI_DATA.items():
        if len(sign) == 1 or not _SKIN_TONE.search(sign):
            signs[emoji_name(sign, data).strip()].append(sign)
    return {words: " ".join(group) for words, group in signs.items()}


def _references() -> dict[int, str]:
    """{number: text} of the references such as `&#128;` that do not stand for the character of their number."""
    ends = [plane + last for plane in range(0, 0x110000, 0x10000) for last in (0xFFFE, 0xFFFF)]
    numbers = [*range(0x100), *range(0xFDD0, 0xFDF0), *ends]
    texts = {number: html.unescape(f"&#{number};") for number in numbers}
    return {number: text for number, text in texts.items() if text != chr(number)}


def _javascript(pattern: re.Pattern[str] | re.Pattern[bytes]) -> str:
    """A pattern in JavaScript's notation, for its flag `u`; one of bytes is for text with a character for each byte.

    Raises:
        ValueError: if the pattern has an escape of which JavaScript's meaning is not known here.
    """
    written = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    verbose = bool(pattern.flags & re.VERBOSE)
    if verbose:
        written = re.sub(r"^\s*#.*", "", written, flags=re.MULTILINE)  # comments have lines of their own
    pieces: list[str] = []
    in_brackets = False
    for part in re.finditer(r"\\(.)|.", written, re.DOTALL):
        sign, escaped = part[0], part[1]
        if escaped in _CLASSES:
            pieces.append(_CLASSES[escaped] if in_brackets else f"[{_CLASSES[escaped]}]")
        elif escaped:
            if escaped not in _SAME:
                raise ValueError(f"what is {sign!r} in JavaScript?")
            pieces.append(sign)
        elif in_brackets:
            in_brackets = sign != "]"
            pieces.append(sign)
        elif sign == ".":
            pieces.append(r"[^\n]")
        elif not (verbose and sign.isspace()):
            in_brackets = sign == "["
            pieces.append(sign)
    return "".join(pieces)
