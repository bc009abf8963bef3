"""An `Explanation` as one HTML file that needs no network and no other file, and as a fragment for notebooks."""

from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from sentiment.explanation.attribution import SHAPLEY_VALUES
from sentiment.explanation.explanation import Explanation, Part
from sentiment.explanation.heat_maps import MOST_ROWS, heat_maps
from sentiment.explanation.parts import LONG
from sentiment.explanation.shading import STRONGEST, shaded, showable
from sentiment.explanation.summary import answer
from sentiment.io.files import write_text


@dataclass(frozen=True)
class Gate:
    """One row of the table: the mean of a gate over the units of a layer."""

    name: str
    values: list[float]
    """Per column, 0 to 1."""


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
    order = explanation.in_text_order
    columns = explanation.divided("word").parts
    steps = [order[slice(*column.words)] for column in columns]
    layers = []
    for layer, trace in enumerate(explanation.traces):
        shares = [
            ("forget gate", explanation.kept_share),
            ("input gate", explanation.added_share),
            ("output gate", explanation.exposed_share),
        ]
        gates = [Gate(name, [float(share[layer, at].mean()) for at in steps]) for name, share in shares]
        units = trace.updated_long_memory.shape[1]
        layers.append({"gates": gates, "units": units, "per_row": -(-units // MOST_ROWS)})
        layers[-1]["maps"] = heat_maps(trace, steps)
    most = max((abs(column.contribution) for column in columns), default=0) or 1
    return (
        _environment()
        .get_template("explanation.html.j2")
        .render(
            _shared(explanation, links=True),
            columns=columns,
            shades=[column.contribution / most * STRONGEST for column in columns],
            known=[bool(explanation.known[at].all()) for at in steps],
            layers=layers,
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
    return {
        "explanation": explanation,
        "prediction": explanation.prediction,
        "answer": answer(explanation),
        "text": shaded(explanation, links=links),
        "complete": explanation.method == SHAPLEY_VALUES,
        "has_phrases": bool(explanation.phrases) and explanation.by != "word",
    }


def _sentences(explanation: Explanation) -> list[Sentence]:
    most = max((abs(part.contribution) for part in explanation.parts), default=0) or 1
    borders = [0, *(part.start for part in explanation.parts[1:]), len(explanation.text)]
    phrases = explanation.divided("phrase")
    return [
        Sentence(
            part,
            part.contribution / most * STRONGEST,
            shaded(phrases, span, shades=False),
            shaded(phrases, span, links=True),
        )
        for part, span in zip(explanation.parts, pairwise(borders), strict=True)
    ]
