"""Runs the service: one process, or several that share an address."""

import os
import socket
import tempfile
from dataclasses import replace
from pathlib import Path

import uvicorn

from sentiment.errors import InputError
from sentiment.serving.settings import ServiceSettings
from sentiment.web.page import DEFAULT_MODEL, write_page

APP = "sentiment.serving.service:create_service"


def serve(settings: ServiceSettings, host: str, port: int, workers: int) -> None:
    """Answer requests until the process is stopped; then finish those that are under way.

    Args:
        settings: model and limits.
        host: address to listen on.
        port: port to listen on.
        workers: number of processes. With two or more, one that dies is replaced.

    Raises:
        InputError: if the address cannot be used, or the model does not exist.
    """
    _check_address(host, port)
    with tempfile.TemporaryDirectory(prefix="sentiment-serve-") as temporary:
        page, counts = Path(temporary) / "page", Path(temporary) / "counts"
        write_page(settings.model or DEFAULT_MODEL, page)  # this checks the model, too
        if workers > 1:
            counts.mkdir()
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(counts)
        replace(settings, page=str(page)).to_environment()
        uvicorn.run(
            APP,
            factory=True,
            host=host,
            port=port,
            workers=workers,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=int(settings.timeout) + 1,
        )


def _check_address(host: str, port: int) -> None:
    """Bind the address once, since the server would only log that it cannot."""
    try:
        family = socket.getaddrinfo(host, port)[0][0]
        with socket.create_server((host, port), family=family):
            pass
    except OSError as error:
        raise InputError(
            f"{host}, port {port}: {error.strerror or error}; choose others with --host and --port."
        ) from error
