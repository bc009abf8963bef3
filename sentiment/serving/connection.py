"""HTTP connections: those of uvicorn, which waits for the headers of a request for ever."""

import asyncio
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sentiment.serving.replies import error

LONGEST_WAIT = 10.0
"""Seconds for the headers of a request, from the start of the connection or of the request."""
LONGEST_HEADERS = 2**16
"""Bytes of the headers of a request."""


class LimitedConnection(HttpToolsProtocol):
    """A connection that closes if the headers of a request are late, too long or no HTTP, and says so in JSON."""

    _late: asyncio.TimerHandle | None = None
    """What closes the connection while headers are awaited."""
    _received = 0
    """Bytes of these headers."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Wait for the first request."""
        super().connection_made(transport)
        self._await_headers()

    def data_received(self, data: bytes) -> None:
        """Take what the client has sent."""
        before = self._late
        super().data_received(data)
        if self._late is None or self._late is not before:
            return
        self._received += len(data)
        if self._received > LONGEST_HEADERS:
            self._refuse(431, "validation", f"the headers of the request have over {LONGEST_HEADERS:,} bytes.")

    def on_message_begin(self) -> None:
        """Wait for the headers of a request that follows another."""
        super().on_message_begin()
        if self._late is None:
            self._await_headers()

    def on_headers_complete(self) -> None:
        """Wait no longer."""
        self._wait_no_longer()
        super().on_headers_complete()

    def eof_received(self) -> bool:  # type: ignore[override]  # as in asyncio
        """Whether the connection stays open: a client may have said all, and wait for its answer."""
        return self.cycle is not None and not self.cycle.response_complete

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._wait_no_longer()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP."""
        self._refuse(400, "validation", "the request is not HTTP.")

    def _await_headers(self) -> None:
        self._received = 0
        self._late = self.loop.call_later(LONGEST_WAIT, self._on_late)

    def _wait_no_longer(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _on_late(self) -> None:
        if self.headers is None:  # a browser opens connections that it may not need
            self._wait_no_longer()
            self.transport.close()
            return
        seconds = f"{LONGEST_WAIT:g} seconds"
        self._refuse(408, "timeout", f"the headers of the request did not arrive within {seconds}.")

    def _refuse(self, status: int, kind: str, sentence: str) -> None:
        """Close the connection, with a reply unless the one to an earlier request is under way."""
        self._wait_no_longer()
        if self.cycle is None or self.cycle.response_complete:
            reply = error(status, kind, sentence)
            reply.headers["Connection"] = "close"
            first = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode()
            lines = [first, *(name + b": " + value for name, value in reply.raw_headers), b"", reply.body]
            self.transport.write(b"\r\n".join(lines))
        self.transport.close()
