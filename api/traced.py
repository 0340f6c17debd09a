"""The span of a request: what OpenTelemetry's conventions want of it, and its id."""

from collections.abc import Iterator
from contextlib import contextmanager

from starlette.datastructures import Headers
from starlette.types import Scope

from shared.tracing import spans

# Asked every few seconds by machines: their spans would be most of all, and tell nothing.
_UNTRACED = frozenset({"/livez", "/readyz", "/metrics"})


@contextmanager
def traced_request(scope: Scope, request_id: str) -> Iterator[spans.Span]:
    """Give the span around a request; it goes on with the trace of a client that sends one."""
    if not spans.is_on() or scope["path"] in _UNTRACED:
        with spans.NOBODY as nobody:
            yield nobody
        return
    attributes = {"http.request.method": scope["method"], "request_id": request_id}
    with (
        spans.continued(Headers(scope=scope)),
        spans.span(scope["method"], attributes, kind=spans.Kind.SERVER) as span,
    ):
        yield span


def describe(span: spans.Span, *, method: str, route: str, status: int) -> None:
    """Say of a request what is known at its end."""
    span.rename(f"{method} {route}")
    span.set({"http.route": route, "http.response.status_code": status})
