"""An `Explanation` as text for a terminal: the answer, the review in color, a table of its parts, and a legend."""

from textwrap import wrap

from sentiment.explanation.explanation import Explanation, Part
from sentiment.explanation.summary import answer, printable

RESET, UNDERLINE = "\x1b[0m", "\x1b[4m"
POSITIVE_COLORS = (153, 74, 25)
"""Background of parts that add to positive, weak to strong: blues of the 256-color palette."""
NEGATIVE_COLORS = (223, 215, 130)
"""The same for negative: oranges."""
LEGEND = (
    "then: probability of positive after it, as if the review ended there.",
    "adds: logits of positive that it adds, by {method}.",
)
"""Meaning of the columns, one paragraph per entry."""
GATES_LEGEND = (
    "kept, added, shown: mean forget, input and output gate, 0 to 1: how much memory is kept, added and output.",
    "grew: change of the norm of the layer's long-term memory.",
)
"""Meaning of the further columns of a table of words."""


def render_terminal(explanation: Explanation, color: bool, width: int) -> str:
    """Lines to print.

    Args:
        explanation: what to show.
        color: whether to use ANSI colors.
        width: columns of the terminal, for the review, sentences and the legend; a table of words can be wider.
    """
    prediction = explanation.prediction
    lines = wrap(answer(explanation), max(width, 20))
    if prediction.truncated:
        lines.append(f"The model read {len(explanation.words)} of {prediction.tokens} words and punctuation marks.")
    if prediction.unknown_tokens:
        lines.append(f"Not in the vocabulary of the model: {prediction.unknown_tokens}.")
    if explanation.backward:
        lines.append("This model reads from the last word to the first.")
    if color:
        lines += ["", *_review(explanation)]
    legend = [*LEGEND, *(GATES_LEGEND if explanation.by == "word" else ())]
    legend = [line for entry in legend for line in wrap(entry.format(method=explanation.method), max(width, 20))]
    return "\n".join([*lines, "", *_table(explanation, width), "", *legend])


def _review(explanation: Explanation) -> list[str]:
    """The review as it was typed, each part on the color of what it adds; control characters become spaces."""
    if explanation.by == "sentence":
        explanation = explanation.divided("phrase")
    pieces, done, largest = [], 0, explanation.largest
    for part in explanation.parts:
        pieces += [printable(explanation.text[done : part.start]), _colored(part, part.contribution / largest)]
        done = part.end
    return "".join([*pieces, printable(explanation.text[done:])]).strip("\n").split("\n")


def _colored(part: Part, strength: float) -> str:
    level, text = int(abs(strength) * 3.999) - 1, printable(part.text)
    line = UNDERLINE if part.phrase else ""
    if level < 0:
        return f"{line}{text}{RESET}" if line else text
    back = (POSITIVE_COLORS if strength > 0 else NEGATIVE_COLORS)[level]
    front = 231 if level == 2 else 16  # white letters on the strongest, black on the others
    return f"{line}\x1b[38;5;{front};48;5;{back}m{text}{RESET}"


def _table(explanation: Explanation, width: int) -> list[str]:
    """One row per part, in the order of the text; its text comes last, so that its width does not shift the columns."""
    order, by_word = explanation.in_text_order, explanation.by == "word"
    layers = range(len(explanation.kept_share)) if by_word else range(0)
    gates = f"{'kept':>6}{'added':>6}{'shown':>6}{'grew':>6}"
    lines = [" " * 15 + "".join(f"{f'layer {layer + 1}':>{len(gates)}}" for layer in layers)] if by_word else []
    lines.append(f"{'then':>6}{'adds':>8}{gates * len(layers)}  {explanation.by}")
    for part in explanation.parts:
        columns = f"{part.probability:6.1%}{part.contribution:+8.2f}"
        at = order[slice(*part.words)]
        for layer in layers:
            columns += "".join(
                f"{values[layer, at].mean():6.2f}"
                for values in (explanation.kept_share, explanation.added_share, explanation.exposed_share)
            )
            columns += f"{explanation.long_memory_change[layer, at].sum():+6.2f}"
        text = " ".join(printable(part.text).split())
        unknown = "" if explanation.known[at].all() or explanation.by == "sentence" else "  (unknown)"
        first, *more = wrap(text, max(width - len(columns) - 2, 20)) or [text]
        lines += [f"{columns}  {first}{unknown}", *(" " * (len(columns) + 2) + line for line in more)]
    return lines
