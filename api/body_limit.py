"""Bounds every request body but uploads, in size and in time."""

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.error_handlers import problem
from api.errors import RequestTimeoutError, RequestTooLargeError
from shared.errors import AppError

UPLOAD_PATH = "/insert"
"""Streams its body and bounds it itself."""
BODY_TIMEOUT_S = 30.0
"""For a whole body: 512 KB, the default of MAX_REQUEST_BYTES, take so long at 17 KB/s."""


def has_body(scope: Scope) -> bool:
    """Tell whether the request announces a body."""
    headers = Headers(scope=scope)
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


def announced_bytes(scope: Scope) -> int:
    """Return the Content-Length in bytes, 0 when there is none."""
    length = Headers(scope=scope).get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else 0


class BodyLimit:
    """Reads the whole body before the application runs, or answers 413 or 408."""

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Bound one request."""
        if scope["type"] == "http" and scope["path"] != UPLOAD_PATH and has_body(scope):
            try:
                first = await self._read(scope, receive)
            except AppError as error:
                await problem(error, scope)(scope, receive, send)
                return
            receive = _first_then(first, receive)
        await self._app(scope, receive, send)

    async def _read(self, scope: Scope, receive: Receive) -> Message:
        """Gather the body into one message, or return the message that the client has gone."""
        if announced_bytes(scope) > self._max_bytes:
            raise RequestTooLargeError
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                while True:
                    message = await receive()
                    if message["type"] != "http.request":
                        return message
                    body += message.get("body", b"")
                    if len(body) > self._max_bytes:
                        raise RequestTooLargeError
                    if not message.get("more_body", False):
                        return {"type": "http.request", "body": bytes(body), "more_body": False}
        except TimeoutError:
            raise RequestTimeoutError from None


def _first_then(first: Message, receive: Receive) -> Receive:
    waiting = [first]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay
