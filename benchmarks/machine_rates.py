"""What this machine multiplies and moves in a second, as torch makes it do."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import torch
import torch.nn.functional as F  # noqa: N812

from benchmarks.machine import say
from sentiment.inference import BATCH_TOKENS
from sentiment.model import SentimentRNN

SQUARE = 2048
"""Rows and columns of the large products."""
LARGE = f"{SQUARE} x {SQUARE} x {SQUARE}"
STREAM_FLOATS = 2**25
"""128 MB an array, far over any cache."""
SHORTEST = 0.2
"""Seconds for which a rate is taken."""


@dataclass(frozen=True)
class Rate:
    """One measured rate of the machine, per second."""

    what: str
    shape: str
    values: list[float]
    """Of each round: floating-point or integer operations (a multiplication and an addition are two), or bytes."""

    @property
    def best(self) -> float:
        """The median over the rounds."""
        return median(self.values)


def seconds_of(call: Callable[[], object], shortest: float = SHORTEST) -> float:
    """Seconds per call, over as many calls as `shortest` holds, after one that warms up."""
    call()
    calls, started = 0, time.perf_counter()
    while (passed := time.perf_counter() - started) < shortest or calls == 0:
        call()
        calls += 1
    return passed / calls


def product(rows: int, inner: int, columns: int, kind: str) -> Callable[[], object] | None:
    """A matrix product [rows, inner] x [inner, columns] as torch does it for a linear layer; None where it cannot."""
    if kind == "int8":
        left = torch.randint(-127, 128, (rows, inner), dtype=torch.int8)
        right = torch.randint(-127, 128, (inner, columns), dtype=torch.int8)
        try:
            torch._int_mm(left, right)
        except (RuntimeError, AttributeError, NotImplementedError):
            return None
        return lambda: torch._int_mm(left, right)
    if kind == "fp32, oneDNN":  # torch's own fp32 product is MKL's, which is slow on some makers' CPUs
        if not torch.backends.mkldnn.is_available():
            return None
        left, right = torch.randn(rows, inner), torch.randn(columns, inner)
        return lambda: torch.ops.mkldnn._linear_pointwise(left, right, None, "none", [], "")
    dtype = torch.bfloat16 if kind == "bf16" else torch.float32
    left, right = torch.randn(rows, inner).to(dtype), torch.randn(columns, inner).to(dtype)
    return lambda: F.linear(left, right)


def machine_rates(model: SentimentRNN, batch: int, rounds: int) -> list[Rate]:
    """Product rates at a large square and at each layer's shapes, and memory bandwidth; rounds interleaved."""
    shapes = {LARGE: (SQUARE, SQUARE, SQUARE)}
    for layer in model.encoder.layers:
        for name in ("weight_ih_l0", "weight_hh_l0"):
            columns, inner = layer.get_parameter(name).shape
            rows = batch if name == "weight_hh_l0" else BATCH_TOKENS
            shapes[f"{rows} x {inner} x {columns}"] = (rows, inner, columns)
    calls: dict[tuple[str, str], tuple[Callable[[], object], float]] = {}
    for shape, (rows, inner, columns) in shapes.items():
        for kind in ("fp32", "fp32, oneDNN", "bf16", "int8"):
            if (call := product(rows, inner, columns, kind)) is not None:
                calls[kind, shape] = call, 2.0 * rows * inner * columns
    a, b, c = (torch.randn(STREAM_FLOATS) for _ in range(3))
    stream = f"{STREAM_FLOATS} x fp32"
    calls["memory, copy", stream] = lambda: a.copy_(b), 2.0 * a.nbytes
    calls["memory, triad", stream] = lambda: torch.add(b, c, alpha=3.0, out=a), 3.0 * a.nbytes
    rates = {key: Rate(*key, []) for key in calls}
    for number in range(rounds):
        say(f"the machine, round {number + 1} of {rounds}")
        with torch.inference_mode():
            for key, (call, amount) in calls.items():
                rates[key].values.append(amount / seconds_of(call))
    return list(rates.values())
