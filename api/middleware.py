"""The edge of every request: its id, its log line, its numbers, and the last net for errors."""

import re
import secrets
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.error_handlers import problem
from api.metrics import RequestMetrics
from api.traced import describe, traced_request
from shared import logs
from shared.errors import AppError
from shared.tracing.spans import Span, fail

logger = logs.get_logger(__name__)

_SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._:\-]{1,64}")
_LOGGED_PATH_CHARS = 200
# nginx's number for a client that went away; it is logged and counted, never sent.
_CLIENT_CLOSED_REQUEST = 499


class RequestEdge:
    """Outermost of our middleware, so that nothing of a request happens outside of it."""

    def __init__(self, app: ASGIApp, *, metrics: RequestMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id_of(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        logs.clear()
        logs.bind(request_id=request_id)
        answer = _Answer(send, request_id)
        started_s = time.perf_counter()
        with traced_request(scope, request_id) as span:
            try:
                with self._metrics.in_flight.track_inprogress():
                    await self._answer(scope, receive, answer)
            finally:
                self._record(scope, answer.status, time.perf_counter() - started_s, span)
                logs.clear()

    async def _answer(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        try:
            await self._app(scope, receive, answer.send)
        except ClientDisconnect:
            answer.status = _CLIENT_CLOSED_REQUEST
        except Exception as error:  # the edge: whatever it is, the client gets no internals
            logger.exception("request_failed")
            fail(error)
            if answer.status is None:
                await problem(AppError(), scope)(scope, receive, answer.send)

    def _record(self, scope: Scope, status: int | None, duration_s: float, span: Span) -> None:
        # Of unknown paths there are endlessly many; as a label they are one.
        route = getattr(scope.get("route"), "path", "unmatched")
        status = status or _CLIENT_CLOSED_REQUEST
        self._metrics.observe(
            method=scope["method"], route=route, status=status, duration_s=duration_s
        )
        describe(span, method=scope["method"], route=route, status=status)
        logger.info(
            "request",
            method=scope["method"],
            path=scope["path"][:_LOGGED_PATH_CHARS],
            status=status,
            duration_ms=round(duration_s * 1000, 1),
        )


class _Answer:
    """Passes the answer on, adds the request id, remembers the status."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id
        self.status: int | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            MutableHeaders(scope=message)["X-Request-ID"] = self._request_id
        await self._send(message)


def _request_id_of(scope: Scope) -> str:
    sent = Headers(scope=scope).get("x-request-id", "")
    return sent if _SANE_REQUEST_ID.fullmatch(sent) else secrets.token_hex(8)
