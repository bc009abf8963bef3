"""An `Explanation` as lines for a terminal: the review with its words coloured, a table, and what its columns are."""

from textwrap import wrap

import numpy as np

from sentiment.explanation import COMPLETENESS, Explanation

RESET = "\x1b[0m"
POSITIVE_COLOURS = (153, 74, 25)
"""Blues of the 256-colour palette behind a word that speaks for positive, from weak to strong."""
NEGATIVE_COLOURS = (223, 215, 166)
"""Oranges, for negative."""
LEGEND = (
    "prob: probability of positive after the word. grew: by how much the norm of the layer's memory grew at it.",
    "contrib, leftout: logits it adds for positive, by integrated gradients and by leaving it out; they may differ.",
    "kept, added, shown: mean forget, input, output gate, 0 to 1: share of memory kept, news added, memory shown.",
)
"""Of the table, an entry a paragraph."""


def render_terminal(explanation: Explanation, colour: bool, width: int) -> str:
    """Lines to print.

    Args:
        explanation: what to show.
        colour: whether to write ANSI colours.
        width: columns of the terminal, for the review and the legend; the table is as wide as it must be.
    """
    prediction = explanation.prediction
    read = f"{len(explanation.words)} of {prediction.tokens}" if prediction.truncated else f"{prediction.tokens}"
    lines = [f"{prediction.label}  {prediction.score:.4f}  ({read} words read, {prediction.unknown_tokens} unknown)"]
    if prediction.uncertain:
        lines[0] += "  uncertain" + (f": {prediction.reason}" if prediction.reason else "")
    if not explanation.words:
        return f"{lines[0]}\nThere are no words in this text; the answer is the model's bias."
    if explanation.backward:
        lines.append("This model reads from the last word to the first; the table follows it.")
    if colour:
        lines += ["", *_paragraph(explanation, width)]
    lines += ["", *_table(explanation), "", *_legend(width)]
    if explanation.completeness_gap > COMPLETENESS:
        lines.append(f"The contributions miss the logit's change by {100 * explanation.completeness_gap:.1f}%.")
    if explanation.left_out_together > 1:
        lines.append(f"{explanation.left_out_together} neighbours were left out together, in equal parts.")
    return "\n".join(lines)


def _paragraph(explanation: Explanation, width: int) -> list[str]:
    """The review as it stands, each word on the colour of its contribution, in lines of at most `width` columns."""
    strength = explanation.contribution / (np.abs(explanation.contribution).max() or 1)
    lines, used = [""], 0
    for t in explanation.in_text_order:
        word = explanation.words[t]
        if used and used + len(word) + 1 > width:
            lines.append("")
            used = 0
        lines[-1] += (" " if used else "") + _coloured(word, float(strength[t]))
        used += len(word) + (1 if used else 0)
    return lines


def _coloured(word: str, strength: float) -> str:
    level = int(abs(strength) * 3.999) - 1
    if level < 0:
        return word
    back = (POSITIVE_COLOURS if strength > 0 else NEGATIVE_COLOURS)[level]
    front = 231 if level == 2 else 16  # white letters on the strongest, black on the others
    return f"\x1b[38;5;{front};48;5;{back}m{word}{RESET}"


def _table(explanation: Explanation) -> list[str]:
    """A line a word in the order of reading; the word comes last, where its width in columns disturbs nothing."""
    layers = range(len(explanation.kept_share))
    gates = f"{'kept':>5}{'added':>6}{'shown':>6}{'grew':>6}"
    lines = [" " * 22 + "".join(f"{f'layer {layer + 1}':>{len(gates)}}" for layer in layers)]
    lines.append(f"{'prob':>6}{'contrib':>8}{'leftout':>8}" + gates * len(layers) + "  word")
    for t, word in enumerate(explanation.words):
        figures = [
            f"{explanation.running_probability[t]:6.3f}{explanation.contribution[t]:+8.3f}{explanation.left_out[t]:+8.3f}"
        ]
        figures += [
            f"{explanation.kept_share[layer, t]:5.2f}{explanation.added_share[layer, t]:6.2f}"
            f"{explanation.exposed_share[layer, t]:6.2f}{explanation.long_memory_change[layer, t]:+6.2f}"
            for layer in layers
        ]
        lines.append("".join(figures) + f"  {word}{'' if explanation.known[t] else '  (unknown)'}")
    return lines


def _legend(width: int) -> list[str]:
    """What the columns are, in lines of at most `width` columns where the words allow it."""
    return [line for entry in LEGEND for line in wrap(entry, max(width, 20), subsequent_indent="  ")]
