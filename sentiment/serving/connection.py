"""HTTP connections with limits for headers, which uvicorn's own lack."""

import asyncio
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sentiment.serving.replies import error

LONGEST_WAIT = 10.0
"""Seconds for the headers of a request, from the start of the connection or of the request."""
LONGEST_HEADERS = 2**16
"""Bytes of a request without its body: its headers, and what may stand between and after the parts of a body."""


class LimitedConnection(HttpToolsProtocol):
    """A connection that closes if the headers of a request are late, too long or no HTTP, and says so in JSON."""

    _late: asyncio.TimerHandle | None = None
    """What closes the connection while headers are awaited."""
    _received = 0
    """Bytes of the present request, without its body."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Await the first request."""
        super().connection_made(transport)
        self._await_headers()

    def data_received(self, data: bytes) -> None:
        """Take what the client has sent."""
        self._received += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._received > LONGEST_HEADERS:
            self._refuse(431, "validation", f"the headers of the request have over {LONGEST_HEADERS:,} bytes.")
        elif self._late is None and self._is_idle() and self.timeout_keep_alive_task is None:
            self._await_headers()  # an empty line has ended the wait for the next request

    def on_message_begin(self) -> None:
        """Await the rest of the headers."""
        super().on_message_begin()
        if self._late is None:
            self._await_headers()

    def on_headers_complete(self) -> None:
        """Begin to answer."""
        self._stop_waiting()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of a body, whose length the service limits."""
        self._received -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Count the next request from its start."""
        super().on_message_complete()
        self._received = 0

    def eof_received(self) -> bool:  # type: ignore[override]  # as in asyncio
        """Whether the connection stays open: a client may have said all, and wait for its answer."""
        return not self._is_idle() and not self.cycle.more_body

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP."""
        self._refuse(400, "validation", "the request is not HTTP.")

    def _is_idle(self) -> bool:
        """Whether every request has been answered."""
        return self.cycle is None or self.cycle.response_complete

    def _await_headers(self) -> None:
        self._late = self.loop.call_later(LONGEST_WAIT, self._on_late)

    def _stop_waiting(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _on_late(self) -> None:
        if not self._is_idle():  # the headers of a request that follows are not read while one is answered
            self._await_headers()
        elif self.headers is None:  # a browser opens connections that it may not need
            self._stop_waiting()
            self.transport.close()
        else:
            seconds = f"{LONGEST_WAIT:g} seconds"
            self._refuse(408, "timeout", f"the headers of the request did not arrive within {seconds}.")

    def _refuse(self, status: int, kind: str, sentence: str) -> None:
        """Close the connection, with a reply if none is under way."""
        self._stop_waiting()
        if self._is_idle():
            reply = error(status, kind, sentence)
            reply.headers["Connection"] = "close"
            first = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode()
            lines = [first, *(name + b": " + value for name, value in reply.raw_headers), b"", reply.body]
            self.transport.write(b"\r\n".join(lines))
        self.transport.close()
