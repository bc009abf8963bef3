"""HTML, Markdown and the escapes of programs: what is around the words of a text that comes from elsewhere.

Each step takes time linear in the length of the text. A quick look for its characters spares most texts its work.
"""

import html
import re

from sentiment.text.tracing import sub

_TAG = re.compile(r"<[/!]?[a-zA-Z-][^<>]*>")
_ENTITY = re.compile(r"&(?:#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?)")
"""What `html.unescape` replaces."""
_NESTED_ESCAPES = re.compile(r"&(?:amp;|#38;|#x26;)+", re.IGNORECASE)
_ESCAPED = re.compile(r"\\(?:[nrt](?![a-z])|(?=['\"/\\]))|\\[nrt](?=[a-z])")
_LINK = re.compile(r"!?\[([^\[\]]{1,300})\]\([^()\s]{0,2000}\)")
_ADDRESS = re.compile(r"\b(?:https?://|www\.)[^\s<>\"]+", re.IGNORECASE)
_EMPHASIS = {
    sign: re.compile(
        rf"(?<![\w{sign}])({re.escape(sign)}{{1,3}})(?=[^\s{sign}])([^{sign}]{{1,300}})(?<=[^\s{sign}])\1(?![\w{sign}])"
    )
    for sign in "*_~`"
}
_LINE_MARK = re.compile(r"^[ \t]*(?:[-+>]|\*(?![ \t]*\*)|#{1,6})[ \t]+", re.MULTILINE)
"""What stands before an entry of a list, a quotation or a heading; not the first of several stars."""
_HASHTAG = re.compile(r"(?<![\w&#])#(?=[^\W\d_])")


def entities_once(text: str) -> str:
    """Decode HTML entities; what was escaped twice stays escaped once."""
    return sub(_ENTITY, _decoded, text) if "&" in text else text


def _decoded(entity: re.Match[str]) -> str:
    try:
        return html.unescape(entity[0])
    except ValueError:  # a number of thousands of digits, which Python does not read
        return "\ufffd"


def entities(text: str) -> str:
    """Decode HTML entities, also those that were escaped several times."""
    if "&" not in text:
        return text
    text = sub(_NESTED_ESCAPES, "&", text)  # at once, since a thousand levels would take a thousand passes
    for _ in range(4):
        before, text = text, entities_once(text)
        if text == before:
            break
    return text


def escapes(text: str) -> str:
    r"""Replace what programs write for a line break, a tab or a quote in a string, such as `\n` and `\'`."""
    if "\\" not in text:
        return text
    return sub(_ESCAPED, lambda found: "" if found[0] == "\\" else " ", text)


def tags(text: str) -> str:
    """Remove HTML tags."""
    return sub(_TAG, " ", text) if "<" in text else text


def markup(text: str) -> str:
    """Keep the words of Markdown links, emphasis, lines and hash tags, and remove addresses."""
    text = sub(_LINE_MARK, "", text)
    if "](" in text:
        text = sub(_LINK, r" \1 ", text)
    if "://" in text or "www." in text.lower():
        text = sub(_ADDRESS, " ", text)
    for sign, pattern in _EMPHASIS.items():
        if sign in text:
            text = sub(pattern, r"\2", text)
    return sub(_HASHTAG, " ", text) if "#" in text else text
