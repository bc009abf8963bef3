"""Runs the service: one process, or several that share an address."""

import os
import signal
import socket
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import uvicorn

from sentiment.errors import InputError, RunError
from sentiment.serving.connection import LimitedConnection
from sentiment.serving.settings import COUNTS_VARIABLE, ServiceSettings
from sentiment.web.page import DEFAULT_MODEL, write_page

LONGEST_START = 60
"""Seconds after which a process that does not answer its parent is replaced; importing torch can take many."""
APP = "sentiment.serving.service:create_service"


def serve(
    settings: ServiceSettings, host: str, port: int, workers: int, root_path: str = "", with_page: bool = True
) -> None:
    """Answer requests until the process is stopped; then finish those that are under way.

    Args:
        settings: model and limits.
        host: address to listen on.
        port: port to listen on.
        workers: number of processes. With two or more, one that dies is replaced.
        root_path: path at which a proxy serves the service, without a slash at its end; the proxy takes it off.
        with_page: whether the page of `sentiment app` is at `/`, with the model in it.

    Raises:
        InputError: if the address cannot be used, or the model does not exist.
        RunError: if no process starts.
        SystemExit: after SIGTERM, with the code 143.
    """
    _check_address(host, port)
    # the server puts this handler back and sends the signal again when it has finished; so the directory is removed
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    with tempfile.TemporaryDirectory(prefix="sentiment-serve-") as temporary:
        started, counts = Path(temporary) / "started", Path(temporary) / "counts"
        os.environ.pop(COUNTS_VARIABLE, None)
        if workers > 1:
            counts.mkdir()
            os.environ[COUNTS_VARIABLE] = str(counts)
        page = Path(temporary) / "page"
        write_page(settings.model or DEFAULT_MODEL, page)  # this checks the model, too
        shown = str(page) if with_page else None
        replace(settings, page=shown, started=str(started)).to_environment()
        print(f"service: http://{host}:{port}/", flush=True)
        uvicorn.run(
            APP,
            factory=True,
            host=host,
            port=port,
            workers=workers,
            root_path=root_path,
            http=LimitedConnection,
            log_level="warning",
            access_log=False,
            server_header=False,
            ws="none",
            timeout_graceful_shutdown=int(settings.timeout) + 1,
            timeout_worker_healthcheck=LONGEST_START,
        )
        if workers > 1:  # which ends without a word, whatever the reason
            if not started.exists():
                raise RunError("the service did not start; the messages above say why.")
            sys.exit(128 + signal.SIGTERM)


def _check_address(host: str, port: int) -> None:
    """Bind the address once, since the server would only log that it cannot."""
    try:
        family = socket.getaddrinfo(host, port)[0][0]
        with socket.create_server((host, port), family=family):
            pass
    except (OSError, UnicodeError) as error:
        raise InputError(
            f"{host}, port {port}: {getattr(error, 'strerror', None) or error}; choose others with --host and --port."
        ) from error
