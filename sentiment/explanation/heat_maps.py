"""Heat maps of an LSTM layer: one row per unit, or per group of similar units, and one column per word."""

import base64
import io
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy.cluster.hierarchy import leaves_list, linkage

from sentiment.explanation.gates import LayerTrace

MOST_ROWS = 64
"""Rows of a heat map; in a larger layer, neighboring units are averaged in groups."""
MOST_TIMES = 256
"""Time steps at which units are compared; in a longer text, neighboring words are averaged."""
LEVELS = 64
"""Shades of a heat map."""
SHARE, POSITIVE, NEGATIVE = (139, 92, 214), (0, 114, 178), (222, 125, 0)
"""Colors of a share from 0 to 1, and of values above and below 0. A small value is transparent, so it has the color of
the page, in light and in dark mode."""


@dataclass(frozen=True)
class HeatMap:
    """One quantity of a layer."""

    name: str
    meaning: str
    picture: str
    """PNG as a data URL: one column per word."""
    signed: bool


def heat_maps(trace: LayerTrace, words: list[np.ndarray]) -> list[HeatMap]:
    """The gates and memories of a layer.

    Args:
        trace: all values of the layer.
        words: for each column, the time steps of its tokens; their values are averaged.
    """
    units = order_units(trace)
    values = [
        ("forget gate", "share of the memory that is kept", trace.long_remember_percent, False),
        ("input gate", "share of the potential memory that is added", trace.potential_remember_percent, False),
        ("potential memory", "what can be added", trace.potential_memory, True),
        ("memory", "tanh of the cell state after the word", np.tanh(trace.updated_long_memory), True),
        ("output gate", "share of the memory that is shown", trace.output_percent, False),
    ]
    steps, starts = np.concatenate(words), np.cumsum([0, *map(len, words[:-1])])
    sizes = np.array([len(word) for word in words])[:, None]
    return [
        HeatMap(name, meaning, _picture(_rows(np.add.reduceat(value[steps], starts) / sizes, units), signed), signed)
        for name, meaning, value, signed in values
    ]


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


def _rows(values: np.ndarray, units: np.ndarray) -> np.ndarray:
    """[words, units] → [rows, words]: units in their order, neighbors averaged, in at most `MOST_ROWS` groups."""
    starts = np.arange(0, len(units), -(-len(units) // MOST_ROWS))
    sizes = np.diff(starts, append=len(units))
    return (np.add.reduceat(values[:, units], starts, axis=1) / sizes).T


def _picture(values: np.ndarray, signed: bool) -> str:
    """[rows, columns], 0 to 1, or -1 to 1 if signed, as a PNG: the larger a value, the less transparent its color."""
    levels = np.linspace(-1 if signed else 0, 1, LEVELS)
    colors = np.where(levels[:, None] < 0, NEGATIVE, POSITIVE if signed else SHARE).astype(np.uint8)
    shares = (values + 1) / 2 if signed else values
    picture = Image.fromarray(np.clip(np.round(shares * (LEVELS - 1)), 0, LEVELS - 1).astype(np.uint8), mode="P")
    picture.putpalette(colors.tobytes())
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True, transparency=np.round(255 * np.abs(levels)).astype(np.uint8).tobytes())
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
