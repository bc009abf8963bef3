"""What a request must keep to before it is read: its token, its kind, its size, and the time it takes to arrive.

As ASGI middleware, since the body would otherwise be in memory before anyone could refuse it.
"""

import asyncio
import hmac
import logging
import time
import traceback
from contextvars import ContextVar

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sentiment.serving import metrics
from sentiment.serving.replies import Reply, error
from sentiment.serving.settings import ServiceSettings

logger = logging.getLogger(__name__)

DEADLINE: ContextVar[float] = ContextVar("DEADLINE")
"""When the present request must be answered, in the time of the event loop."""
COUNTED = ("/predict", "/explain")
"""Paths of requests with reviews; those of all others are counted together."""
PROTECTED = (*COUNTED, "/metrics")
"""Paths that need the token."""


class LimitedRequests:
    """Refuses requests that break a limit, and counts all of them.

    Args:
        app: what answers the others.
        settings: the limits.
    """

    def __init__(self, app: ASGIApp, settings: ServiceSettings) -> None:
        self._app, self._settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "HEAD":  # the server leaves out the body of the reply
            scope = {**scope, "method": "GET"}
        began, path = time.perf_counter(), _path(scope)
        path = path if path in COUNTED else "other"
        replied = False

        async def counting(message: Message) -> None:
            nonlocal replied
            if message["type"] == "http.response.start":
                replied = True
                metrics.REQUESTS.labels(path, message["status"]).inc()
                metrics.SECONDS.labels(path).observe(time.perf_counter() - began)
            await send(message)

        try:
            await self._answer(scope, receive, counting)
        except Exception as failure:
            # not the message, which may have a part of a review
            place = traceback.extract_tb(failure.__traceback__)[-1]
            logger.error("%s at %s, line %s", type(failure).__name__, place.filename, place.lineno)
            if not replied:
                await error(500, "backend", "the service failed; its log says where.")(scope, receive, counting)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        deadline = asyncio.get_running_loop().time() + self._settings.timeout
        DEADLINE.set(deadline)
        problem = self._problem(scope)
        if problem is None and _has_body(scope):
            try:
                async with asyncio.timeout_at(deadline):
                    body = await _read(receive, self._settings.max_body)
            except TimeoutError:
                seconds = self._settings.timeout
                problem = error(408, "timeout", f"the request did not arrive within {seconds:g} seconds.")
            except ClientDisconnect:
                return
            else:
                if body is None:
                    problem = error(413, "validation", f"the request has over {self._settings.max_body:,} bytes.")
                else:
                    receive = _replay(body, receive)
        if problem is not None and _has_body(scope):
            problem.headers["Connection"] = "close"  # its body may not have been read
        await (problem or self._app)(scope, receive, send)

    def _problem(self, scope: Scope) -> Reply | None:
        headers, token = Headers(scope=scope), self._settings.token
        if token is not None and _path(scope) in PROTECTED:
            given = headers.get("authorization", "")
            scheme, _, credentials = given.partition(" ")
            right = hmac.compare_digest(credentials.strip().encode("latin-1"), token.encode("ascii"))
            if scheme.lower() != "bearer" or not right:
                missing = error(401, "unauthorized", "the request needs the header `Authorization: Bearer TOKEN`.")
                missing.headers["WWW-Authenticate"] = "Bearer"
                return missing
        if _has_body(scope):
            kind = headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind != "application/json":
                return error(415, "validation", f"the content type is {kind[:60] or 'missing'}; send application/json.")
            if (encoding := headers.get("content-encoding", "").strip().lower()) not in ("", "identity"):
                return error(415, "validation", f"the content encoding is {encoding[:60]}; send the body as it is.")
            length = headers.get("content-length", "0")
            if length.isdecimal() and int(length) > self._settings.max_body:
                return error(413, "validation", f"the request has over {self._settings.max_body:,} bytes.")
        return None


def _path(scope: Scope) -> str:
    """The path, without the one at which a proxy serves the service; reviews may be posted to `/`, too."""
    path = str(scope["path"]).removeprefix(scope.get("root_path", ""))
    return "/predict" if path == "/" and scope["method"] == "POST" else path


def _has_body(scope: Scope) -> bool:
    return scope["method"] == "POST" and _path(scope) in COUNTED


async def _read(receive: Receive, limit: int) -> bytes | None:
    """The body of a request; None if it is too long."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > limit:
            return None
        if not message.get("more_body"):
            return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Gives the body, then what comes after it, such as that the client has gone."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
