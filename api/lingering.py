"""Lets an answer arrive at a client that is still sending its body."""

import asyncio

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.body_limit import has_body

# Closing a socket with unread bytes makes the kernel reset it, and the client may never see our
# answer. So the rest is read and thrown away, but not for long: who listens stops at once.
_LINGER_S = 2.0


class LingeringClose:
    """Answers early, then reads on for a moment and closes the connection."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Watch one exchange."""
        if scope["type"] != "http" or not has_body(scope):
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(receive, send)
        await self._app(scope, exchange.receive, exchange.send)


class _Exchange:
    """One request and its answer; knows whether the whole body was read."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._body_is_read = False

    async def receive(self) -> Message:
        message = await self._receive()
        self._body_is_read |= not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if self._body_is_read:
            await self._send(message)
        elif message["type"] == "http.response.start":
            MutableHeaders(scope=message)["connection"] = "close"
            await self._send(message)
        elif message.get("more_body", False):
            await self._send(message)
        else:
            await self._send({**message, "more_body": True})
            await self._throw_rest_away()
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _throw_rest_away(self) -> None:
        try:
            async with asyncio.timeout(_LINGER_S):
                while not self._body_is_read:
                    await self.receive()
        except TimeoutError:
            pass  # it had its moment
