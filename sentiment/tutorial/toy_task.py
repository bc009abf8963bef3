"""Toy task: an LSTM unit with scalar weights learns to remember the first value of a sequence until its end."""

from pathlib import Path

import torch
from matplotlib.figure import Figure

from sentiment.errors import RunError
from sentiment.io.files import atomic_file
from sentiment.models.lstm_cell import LSTMStep, LSTMUnit

SEQUENCES = ((0.0, 0.5, 0.25, 1.0), (1.0, 0.5, 0.25, 1.0))
"""Four values each; only the first differs."""
FIFTH_VALUES = (0.0, 1.0)
"""Expected output after the fourth value."""
CLOSE = 0.005
"""Maximum error of an output that is correct to two decimals."""


def train_toy_unit(seed: int = 1, most_steps: int = 1000) -> tuple[LSTMUnit, int]:
    """Train a unit to predict `FIFTH_VALUES` to two decimals; returns it and the number of Adam steps.

    Raises:
        RunError: if `most_steps` are not enough.
    """
    torch.manual_seed(seed)
    unit = LSTMUnit()
    inputs, targets = torch.tensor(SEQUENCES)[:, :, None], torch.tensor(FIFTH_VALUES)
    optimizer = torch.optim.Adam(unit.parameters(), lr=0.1)
    for step in range(most_steps):
        errors = unit(inputs).updated_short_memory[:, -1, 0] - targets
        if errors.abs().max() < CLOSE:
            return unit, step
        optimizer.zero_grad()
        errors.square().sum().backward()
        optimizer.step()
    raise RunError(f"{most_steps} steps did not train the scalar unit from seed {seed}; try another seed.")


@torch.no_grad()
def course(unit: LSTMUnit, values: tuple[float, ...]) -> list[LSTMStep]:
    """All steps of the unit over a sequence of numbers, from empty memories."""
    steps, long, short = [], torch.tensor(0.0), torch.tensor(0.0)
    for value in values:
        steps.append(unit.lstm_unit(value, long, short))
        long, short = steps[-1].updated_long_memory, steps[-1].updated_short_memory
    return steps


def render_course(unit: LSTMUnit) -> str:
    """Both sequences as a table, one line per step."""
    lines = ["  input    kept   added  potential    long  exposed   short"]
    for values, expected in zip(SEQUENCES, FIFTH_VALUES, strict=True):
        for value, step in zip(values, course(unit, values), strict=True):
            kept, added, potential, long, exposed, short = map(float, step)
            lines.append(
                f"{value:7.2f} {kept:7.3f} {added:7.3f} {potential:+10.3f} {long:+7.3f} {exposed:8.3f} {short:+7.3f}"
            )
        lines.append(f"  expected fifth value {expected:.2f}, predicted {short:.2f}\n")
    return "\n".join(lines).rstrip()


def draw_course(unit: LSTMUnit, path: Path) -> None:
    """Draw both memories over both sequences; the suffix of `path` sets the format.

    Raises:
        RunError: if the file cannot be written.
    """
    figure = Figure(figsize=(7, 2.6), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for panel, values in zip(panels, SEQUENCES, strict=True):
        steps, times = course(unit, values), range(1, len(values) + 1)
        panel.plot(times, values, "s:", color="#666666", label="input")
        long = [float(step.updated_long_memory) for step in steps]
        short = [float(step.updated_short_memory) for step in steps]
        panel.plot(times, long, "o-", color="#0072b2", label="long-term memory")
        panel.plot(times, short, "^--", color="#d55e00", label="short-term memory")
        panel.set(title=", ".join(f"{value:g}" for value in values), xlabel="step", xticks=list(times))
        panel.grid(alpha=0.3)
    panels[0].legend(frameon=False, fontsize="small")
    with atomic_file(path) as temporary:
        figure.savefig(temporary, format=path.suffix.removeprefix(".") or "png", dpi=120)
