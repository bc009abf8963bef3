"""An `Explanation` as text for a terminal: the review in color, a table of values, and a legend."""

from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np

from sentiment.explanation.attribution import COMPLETENESS

if TYPE_CHECKING:
    from sentiment.explanation.explainer import Explanation

RESET = "\x1b[0m"
POSITIVE_COLORS = (153, 74, 25)
"""Background of words that contribute to positive, weak to strong: blues of the 256-color palette."""
NEGATIVE_COLORS = (223, 215, 166)
"""The same for negative: oranges."""
LEGEND = (
    "prob: probability of positive after the word. grew: change of the norm of the layer's long-term memory.",
    "contrib, leftout: logits of positive that the word adds, by integrated gradients and by leave-one-out.",
    "kept, added, shown: mean forget, input and output gate, 0 to 1: how much memory is kept, added and output.",
)
"""Meaning of the table's columns, one paragraph per entry."""


def render_terminal(explanation: "Explanation", color: bool, width: int) -> str:
    """Lines to print.

    Args:
        explanation: what to show.
        color: whether to use ANSI colors.
        width: columns of the terminal, for the review and the legend; the table can be wider.
    """
    prediction = explanation.prediction
    read = f"{len(explanation.words)} of {prediction.tokens}" if prediction.truncated else f"{prediction.tokens}"
    lines = [f"{prediction.label}  {prediction.score:.4f}  ({read} words read, {prediction.unknown_tokens} unknown)"]
    if prediction.uncertain:
        lines[0] += "  uncertain" + (f": {prediction.reason}" if prediction.reason else "")
    if explanation.backward:
        lines.append("This model reads from the last word to the first; the table is in that order.")
    if color:
        lines += ["", *_paragraph(explanation, width)]
    lines += ["", *_table(explanation), "", *_legend(width)]
    if (gap := explanation.completeness_gap) > COMPLETENESS:
        lines.append(f"The sum of the contributions differs from the change of the logit by {gap:.1%}.")
    if explanation.left_out_together > 1:
        lines.append(f"{explanation.left_out_together} neighboring words were left out at a time, in equal shares.")
    return "\n".join(lines)


def _paragraph(explanation: "Explanation", width: int) -> list[str]:
    """The review in text order, each word on the color of its contribution, in lines of at most `width` columns."""
    strength = explanation.contribution / (np.abs(explanation.contribution).max() or 1)
    lines, used = [""], 0
    for t in explanation.in_text_order:
        word = explanation.words[t]
        if used and used + len(word) + 1 > width:
            lines.append("")
            used = 0
        lines[-1] += (" " if used else "") + _colored(word, float(strength[t]))
        used += len(word) + (1 if used else 0)
    return lines


def _colored(word: str, strength: float) -> str:
    level = int(abs(strength) * 3.999) - 1
    if level < 0:
        return word
    back = (POSITIVE_COLORS if strength > 0 else NEGATIVE_COLORS)[level]
    front = 231 if level == 2 else 16  # white letters on the strongest, black on the others
    return f"\x1b[38;5;{front};48;5;{back}m{word}{RESET}"


def _table(explanation: "Explanation") -> list[str]:
    """One line per word, in reading order; the word comes last, so that its width does not shift the columns."""
    layers = range(len(explanation.kept_share))
    gates = f"{'kept':>5}{'added':>6}{'shown':>6}{'grew':>6}"
    lines = [" " * 22 + "".join(f"{f'layer {layer + 1}':>{len(gates)}}" for layer in layers)]
    lines.append(f"{'prob':>6}{'contrib':>8}{'leftout':>8}" + gates * len(layers) + "  word")
    for t, word in enumerate(explanation.words):
        columns = [
            f"{explanation.running_probability[t]:6.3f}{explanation.contribution[t]:+8.3f}{explanation.left_out[t]:+8.3f}"
        ]
        columns += [
            f"{explanation.kept_share[layer, t]:5.2f}{explanation.added_share[layer, t]:6.2f}"
            f"{explanation.exposed_share[layer, t]:6.2f}{explanation.long_memory_change[layer, t]:+6.2f}"
            for layer in layers
        ]
        lines.append("".join(columns) + f"  {word}{'' if explanation.known[t] else '  (unknown)'}")
    return lines


def _legend(width: int) -> list[str]:
    """The legend in lines of at most `width` columns, or 20 on a narrower terminal."""
    return [line for entry in LEGEND for line in wrap(entry, max(width, 20), subsequent_indent="  ")]
