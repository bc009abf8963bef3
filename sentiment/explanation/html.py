"""An `Explanation` as one HTML file that needs no network and no other file; usable with the keyboard.

Heat maps are PNG images with one column per word and at most `MOST_ROWS` rows. So a page of 2,000 words stays under
5 MB for a model of any size.
"""

import base64
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jinja2 import Environment, PackageLoader
from matplotlib import colormaps
from matplotlib.colors import LinearSegmentedColormap
from PIL import Image
from scipy.cluster.hierarchy import leaves_list, linkage

from sentiment.explanation.attribution import COMPLETENESS
from sentiment.explanation.explainer import Explanation
from sentiment.explanation.gates import LayerTrace
from sentiment.io.files import write_text

MOST_ROWS = 64
"""Rows of a heat map; in a larger layer, neighboring units are averaged in groups."""
MOST_TIMES = 256
"""Time steps at which units are compared; in a longer text, neighboring words are averaged."""
LEVELS = 64
"""Colors of a heat map."""
STRONGEST_SHADE = 0.7
"""Opacity of the color behind the word that contributes most; low enough to read the word."""
SHARE_COLORS = colormaps["cividis"]
SIGNED_COLORS = LinearSegmentedColormap.from_list("orange to blue", ["#b35900", "#f7f7f7", "#00568f"])


@dataclass(frozen=True)
class Map:
    """One heat map."""

    name: str
    meaning: str
    picture: str
    """PNG as a data URL."""
    low: str
    high: str
    signed: bool


@dataclass(frozen=True)
class Layer:
    """The heat maps of one layer."""

    units: int
    units_per_row: int
    maps: list[Map]


def write_page(explanation: Explanation, path: Path) -> None:
    """Write the page atomically.

    Raises:
        RunError: if the file cannot be written.
    """
    write_text(path, render_page(explanation))


def render_page(explanation: Explanation) -> str:
    """The page as HTML; every word of the review is escaped."""
    order = explanation.in_text_order
    environment = Environment(
        loader=PackageLoader("sentiment.explanation"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("explanation.html.j2").render(
        explanation=explanation,
        prediction=explanation.prediction,
        order=order.tolist(),
        shades={name: _shades(getattr(explanation, name)) for name in ("contribution", "left_out")},
        curve=_steps(explanation.running_probability[order]),
        layers=[_layer(trace, order) for trace in explanation.traces],
        ramps={signed: _picture(np.linspace(-1 if signed else 0, 1, LEVELS)[None], signed) for signed in (False, True)},
        completeness=COMPLETENESS,
    )


def _shades(values: np.ndarray) -> list[float]:
    """[time]: each value as a signed opacity."""
    largest = np.abs(values).max(initial=0)
    return np.round(values / (largest or 1) * STRONGEST_SHADE, 3).tolist()


def _steps(probabilities: np.ndarray) -> str:
    """The running probability as an SVG path, one step per word; probability 0 is at the bottom (y = 100)."""
    heights = 100 - 100 * probabilities
    return " ".join(f"{'L' if word else 'M'}{word} {height:.1f}H{word + 1}" for word, height in enumerate(heights))


def _layer(trace: LayerTrace, order: np.ndarray) -> Layer:
    units = trace.updated_long_memory.shape[1]
    unit_order = order_units(trace)
    values = [
        ("Kept", "forget gate: share of the long-term memory that is kept", trace.long_remember_percent, False),
        ("Added", "input gate: share of the potential memory that is added", trace.potential_remember_percent, False),
        ("Potential memory", "candidate values: what can be added", trace.potential_memory, True),
        ("Long-term memory", "tanh of the cell state after the word", np.tanh(trace.updated_long_memory), True),
        ("Exposed", "output gate: share of the long-term memory that is output", trace.output_percent, False),
    ]
    maps = [
        Map(name, meaning, _picture(_rows(value[order][:, unit_order]), signed), "−1" if signed else "0", "1", signed)
        for name, meaning, value, signed in values
    ]
    return Layer(units, -(-units // MOST_ROWS), maps)


def order_units(trace: LayerTrace) -> np.ndarray:
    """Order in which similar units are neighbors, from Ward's hierarchical clustering: [hidden] int."""
    gates = (trace.long_remember_percent, trace.potential_remember_percent, trace.output_percent)
    features = np.concatenate([*gates, np.tanh(trace.updated_long_memory)], axis=1)
    time, units = len(features), trace.updated_long_memory.shape[1]
    if units < 3:
        return np.arange(units)
    starts = np.unique(np.linspace(0, time, min(time, MOST_TIMES), endpoint=False).astype(int))
    sampled = np.add.reduceat(features, starts) / np.diff(starts, append=time)[:, None]
    per_unit = sampled.reshape(len(starts), 4, units).transpose(2, 0, 1).reshape(units, -1)
    return leaves_list(linkage(per_unit, "ward"))


def _rows(values: np.ndarray) -> np.ndarray:
    """[time, units] → [rows, time]: neighboring units averaged, in at most `MOST_ROWS` groups."""
    units = values.shape[1]
    starts = np.arange(0, units, -(-units // MOST_ROWS))
    sizes = np.diff(starts, append=units)
    return (np.add.reduceat(values, starts, axis=1) / sizes).T


def _picture(values: np.ndarray, signed: bool) -> str:
    """[rows, columns], 0 to 1, or -1 to 1 if signed, as a PNG in colors that color-blind readers can distinguish."""
    shares = (values + 1) / 2 if signed else values
    indices = np.clip(np.round(shares * (LEVELS - 1)), 0, LEVELS - 1).astype(np.uint8)
    colors = (SIGNED_COLORS if signed else SHARE_COLORS)(np.linspace(0, 1, LEVELS), bytes=True)[:, :3]
    picture = Image.fromarray(indices, mode="P")
    picture.putpalette(colors.tobytes())
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
