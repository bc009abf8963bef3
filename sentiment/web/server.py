"""Serves the page at a local address."""

import errno
import threading
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from sentiment.errors import InputError

HOST = "127.0.0.1"
"""Only programs of this machine reach it."""
USUAL_PORT = 8765


class PageHandler(SimpleHTTPRequestHandler):
    """Answers with the files of a directory."""

    extensions_map = {  # noqa: RUF012  # as in the base class; the settings of the system may say something else
        ".html": "text/html; charset=utf-8",
        ".css": "text/css; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".json": "application/json",
        ".safetensors": "application/octet-stream",
    }

    def end_headers(self) -> None:
        """Add headers that keep the page to itself."""
        # the page itself says what it may load (its Content-Security-Policy); only this cannot be said there
        self.send_header("Content-Security-Policy", "frame-ancestors 'none'")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing; the terminal is for messages."""


class PageServer(ThreadingHTTPServer):
    """Answers requests for the files of a directory, each in a thread.

    Args:
        directory: the page.
        port: port to listen on; 0 for any free one.

    Raises:
        OSError: if the port cannot be used.
    """

    def __init__(self, directory: Path, port: int = 0) -> None:
        super().__init__((HOST, port), partial(PageHandler, directory=str(directory)))
        self.address = f"http://{HOST}:{self.server_port}/"


def serve(directory: Path, port: int | None, on_ready: Callable[[str], None]) -> None:
    """Serve the files of a directory, until a signal raises an error.

    Args:
        directory: the page.
        port: port to listen on; 0 for any free one. None for the usual one, or any free one if that is in use.
        on_ready: called with the address once requests are answered.

    Raises:
        InputError: if the port cannot be used.
    """
    wanted = USUAL_PORT if port is None else port
    try:
        try:
            server = PageServer(directory, wanted)
        except OSError as error:
            if port is not None or error.errno != errno.EADDRINUSE:
                raise
            server = PageServer(directory)
    except OSError as error:
        raise InputError(f"port {wanted}: {error.strerror}; choose another with --port.") from error
    with server:
        # in another thread, since the server would take an error that a signal raises for one of a request
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        on_ready(server.address)
        thread.join()
