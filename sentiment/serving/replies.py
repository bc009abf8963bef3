"""Replies of the service."""

import json
from typing import Any

from starlette.responses import JSONResponse


class Reply(JSONResponse):
    """JSON in ASCII, since a text may have half a character, which has no UTF-8."""

    def render(self, content: Any) -> bytes:
        """The bytes of a reply."""
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")


def error(status: int, kind: str, sentence: str) -> Reply:
    """The reply to a request that has no answer."""
    return Reply({"error": sentence, "error_type": kind}, status)
