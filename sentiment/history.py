"""The table of epochs: one row a finished epoch, on the screen and in history.jsonl."""

import json
from pathlib import Path
from typing import Any

from tqdm import tqdm

from sentiment.files import write_text


def record_epoch(directory: Path, history: list[dict[str, Any]]) -> None:
    """Write history.jsonl anew and print its last row.

    Raises:
        RunError: if it cannot be written.
    """
    write_text(directory / "history.jsonl", "".join(json.dumps(row) + "\n" for row in history))
    tqdm.write(_table_row(history[-1], header=len(history) == 1))


def _table_row(row: dict[str, Any], header: bool) -> str:
    """A history row as a line of the table of epochs, under its header when it is the first."""
    shown = {name: f"{value:.4f}" if isinstance(value, float) else str(value) for name, value in row.items()}
    shown["tokens_per_second"], shown["seconds"] = f"{row['tokens_per_second']:.0f}", f"{row['seconds']:.0f}"
    widths = {name: max(len(name), 8) for name in shown}
    line = "  ".join(f"{value:>{widths[name]}}" for name, value in shown.items())
    return ("  ".join(f"{name:>{widths[name]}}" for name in shown) + "\n" + line) if header else line
