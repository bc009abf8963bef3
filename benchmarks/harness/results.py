"""Results as Markdown tables of medians with their spread, and as files."""

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from sentiment.io.files import write_json, write_text


def digits(value: float) -> str:
    """A number with three significant digits, thousands apart: 5.31, 53.1, 531, 5,310."""
    if value == 0:
        return "0"
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.{max(0, 2 - math.floor(math.log10(abs(rounded))))}f}"


def spread(values: Iterable[float]) -> str:
    """Median and, where they differ from it, the smallest and the largest value; a dash where there is none."""
    found = sorted(values)
    if not found:
        return "–"
    smallest, middle, largest = digits(found[0]), digits(median(found)), digits(found[-1])
    return middle if smallest == largest else f"{middle} ({smallest}–{largest})"


def ratios(numerators: Sequence[float], denominators: Sequence[float]) -> str:
    """Spread of the ratios within each round."""
    return spread(above / below for above, below in zip(numerators, denominators, strict=True))


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The rows below a header."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, ["---"] * len(header), *rows))


def write_results(directory: Path, name: str, blocks: Sequence[str], record: dict[str, Any]) -> str:
    """Write NAME.md, the blocks of a page, and NAME.json, which may hold dataclasses; returns the page."""
    page = "\n\n".join(blocks) + "\n"
    write_json(directory / f"{name}.json", json.loads(json.dumps(record, default=vars)))
    write_text(directory / f"{name}.md", page)
    return page
