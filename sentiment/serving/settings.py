"""What a service is told: the model, and its limits."""

import json
import os
from dataclasses import asdict, dataclass, field

VARIABLE = "SENTIMENT_SERVICE"
"""Environment variable by which the processes of a service get their settings."""
COUNTS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable of `prometheus_client`, which reads it when it is imported: where several processes add up their
counts."""


@dataclass(frozen=True)
class ServiceSettings:
    """Model and limits of a service."""

    model: str | None = None
    """Model directory, shipped model, or hub id; None for the shipped model `imdb`."""
    device: str = "cpu"
    """Device to compute on: "cpu", "cuda", or "auto"."""
    threads: int = 1
    """Parts of a batch that each process computes at a time on the CPU."""
    max_batch: int = 64
    """Texts that are computed together, from one request or several."""
    max_body: int = 2 * 2**20
    """Bytes of a request."""
    max_texts: int = 256
    """Texts in a request."""
    max_words: int = 20_000
    """Words, divided by white space, in a text."""
    max_queue: int = 1024
    """Texts that wait in a process; beyond it requests are refused."""
    timeout: float = 30.0
    """Seconds that a request may take."""
    max_characters: int = 50_000
    """Characters of a text."""
    token: str | None = field(default=None, repr=False)
    """What requests must have as a bearer token; None for no token."""
    origins: tuple[str, ...] = ()
    """Origins of pages that may call the service from a browser; "*" for all."""
    with_page: bool = True
    """Whether the page of `sentiment app` is at `/`, with the model in it."""
    started: str | None = None
    """File that each process writes to when it can answer; None for no file."""

    def to_environment(self) -> None:
        """Hand the settings to the processes that this one starts."""
        os.environ[VARIABLE] = json.dumps(asdict(self))

    @classmethod
    def from_environment(cls) -> "ServiceSettings":
        """The settings that the parent of this process has handed on."""
        values = json.loads(os.environ[VARIABLE])
        return cls(**values | {"origins": tuple(values["origins"])})
