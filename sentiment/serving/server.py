"""Runs the service: one process, or several that share an address."""

import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from sentiment.errors import InputError, RunError
from sentiment.serving.connection import LimitedConnection
from sentiment.serving.settings import COUNTS_VARIABLE, ServiceSettings
from sentiment.web.page import DEFAULT_MODEL, page_files

LONGEST_SILENCE = 20
"""Seconds that a process may leave its parent without an answer, also while it starts; then it is replaced. A process
that dies while it is asked is noticed only after them."""
APP = "sentiment.serving.server:create_process"


def serve(settings: ServiceSettings, host: str, port: int, workers: int, root_path: str = "") -> None:
    """Answer requests until the process is stopped; then finish those that are under way. SIGTERM ends with code 143.

    Args:
        settings: model and limits.
        host: address to listen on.
        port: port to listen on; 0 for any free one.
        workers: number of processes. With two or more, one that dies is replaced.
        root_path: path at which a proxy serves the service, without a slash at its end; the proxy takes it off.

    Raises:
        InputError: if the address cannot be used, or the model does not exist.
        RunError: if no process starts.
        SystemExit: once it is stopped, with two or more processes; with one, SIGTERM ends the calling process.
    """
    port = _free_port(host, port)
    page_files(settings.model or DEFAULT_MODEL)  # checks the model
    print(f"service: http://{f'[{host}]' if ':' in host else host}:{port}/", flush=True)
    os.environ.pop(COUNTS_VARIABLE, None)
    if workers == 1:
        # the server sends the signal again when it has finished; what still computes for a client that has gone is
        # not waited for
        signal.signal(signal.SIGTERM, lambda number, _: os._exit(128 + number))
        _run(settings, host, port, workers, root_path)
        return
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # which removes the directory
    with tempfile.TemporaryDirectory(prefix="sentiment-serve-") as temporary:
        counts, started = Path(temporary) / "counts", Path(temporary) / "started"
        os.environ[COUNTS_VARIABLE] = str(counts)
        with started.open("wb") as file:
            _run(replace(settings, started=str(started)), host, port, workers, root_path)
            any_started = os.fstat(file.fileno()).st_size > 0
    # the server ends without a word, whatever the reason
    if not any_started:
        raise RunError("the service did not start; the messages above say why.")
    sys.exit(128 + signal.SIGTERM)


def _run(settings: ServiceSettings, host: str, port: int, workers: int, root_path: str) -> None:
    settings.to_environment()
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
        timeout_worker_healthcheck=LONGEST_SILENCE,
    )


def create_process() -> FastAPI:
    """The service in a process of its own, which ends with its parent."""
    from sentiment.serving.service import create_service

    threading.Thread(target=_end_with_parent, daemon=True).start()
    return create_service()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def _free_port(host: str, port: int) -> int:
    """The port, if it is free, or a free one for 0; the server itself would only log that it is not.

    Raises:
        InputError: if the address cannot be used.
    """
    try:
        family = socket.getaddrinfo(host, port)[0][0]
        with socket.create_server((host, port), family=family) as bound:
            return int(bound.getsockname()[1])
    except (OSError, UnicodeError) as error:
        raise InputError(
            f"{host or '(no host)'}, port {port}: {getattr(error, 'strerror', None) or error}; choose others with "
            "--host and --port."
        ) from error
