"""An `Explanation` as one HTML file that needs no network and no other file, and as a fragment for notebooks."""

from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from sentiment.explanation.attribution import SHAPLEY_VALUES
from sentiment.explanation.explanation import Explanation, Part
from sentiment.explanation.heat_maps import MOST_ROWS, HeatMap, heat_maps
from sentiment.explanation.parts import LONG
from sentiment.explanation.shading import STRONGEST, UNREAD, shaded, showable
from sentiment.explanation.summary import answer
from sentiment.io.files import write_text


@dataclass(frozen=True)
class Layer:
    """What the table of words shows of a layer."""

    gates: dict[str, list[float]]
    """{gate: its mean over the units, per column, 0 to 1}."""
    units: int
    units_per_row: int
    """Units that share a line of a map."""
    maps: list[HeatMap]


@dataclass(frozen=True)
class Sentence:
    """A sentence of a long review."""

    part: Part
    shade: float
    """Signed opacity."""
    text: Markup
    """Its text, grey where the model reads nothing."""
    words: Markup
    """The same with shaded words."""


def write_page(explanation: Explanation, path: Path) -> None:
    """Write the page atomically.

    Raises:
        RunError: if the file cannot be written.
    """
    write_text(path, render_page(explanation))


def render_page(explanation: Explanation) -> str:
    """The page as HTML; every word of the review is escaped."""
    explanation = replace(explanation, text=showable(explanation.text))
    by_word, order = explanation.divided("word"), explanation.in_text_order
    steps = [order[slice(*column.words)] for column in by_word.parts]
    return (
        _environment()
        .get_template("explanation.html.j2")
        .render(
            _shared(explanation, links=True),
            columns=by_word.parts,
            shades=[column.contribution / by_word.largest * STRONGEST for column in by_word.parts],
            known=[bool(explanation.known[at].all()) for at in steps],
            layers=[_layer(explanation, depth, steps) for depth in range(len(explanation.traces))],
            sentences=_sentences(explanation) if explanation.by == "sentence" else [],
            long=len(explanation.words) > LONG,
            version=version("sentiment-rnn"),
            today=date.today().isoformat(),
        )
    )


def render_fragment(explanation: Explanation) -> str:
    """The answer and the shaded text, for notebooks: no script, and styles for its own elements only."""
    explanation = replace(explanation, text=showable(explanation.text))
    return _environment().get_template("fragment.html.j2").render(_shared(explanation, links=False))


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("sentiment.explanation"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )


def _shared(explanation: Explanation, links: bool) -> dict[str, Any]:
    text = shaded(explanation, links=links)
    return {
        "explanation": explanation,
        "prediction": explanation.prediction,
        "answer": answer(explanation),
        "text": text,
        "complete": explanation.method == SHAPLEY_VALUES,
        "phrases": bool(explanation.phrases) and explanation.by != "word",
        "unknown": explanation.prediction.unknown_tokens > 0,
        "unread": UNREAD in text,
    }


def _layer(explanation: Explanation, depth: int, steps: list[np.ndarray]) -> Layer:
    shares = {
        "forget gate": explanation.kept_share[depth],
        "input gate": explanation.added_share[depth],
        "output gate": explanation.exposed_share[depth],
    }
    gates = {name: [float(share[at].mean()) for at in steps] for name, share in shares.items()}
    units = explanation.traces[depth].updated_long_memory.shape[1]
    return Layer(gates, units, -(-units // MOST_ROWS), heat_maps(explanation.traces[depth], steps))


def _sentences(explanation: Explanation) -> list[Sentence]:
    phrases = explanation.divided("phrase")
    return [
        Sentence(
            part,
            part.contribution / explanation.largest * STRONGEST,
            shaded(phrases, span, shades=False),
            shaded(phrases, span, links=True),
        )
        for part, span in zip(explanation.parts, explanation.stretches, strict=True)
    ]
