"""A collector of OpenTelemetry's on loopback: keeps the spans that it is sent by OTLP over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class SentSpan:
    """What a test wants to know of one span."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    kind: int
    service: str
    attributes: dict[str, Any]
    links: list[str]
    """The traces that it refers to."""
    failed: bool


class Collector:
    """May be told to hang; `raw` is all that came, to look for what must not be in it."""

    def __init__(self) -> None:
        self.spans: list[SentSpan] = []
        self.raw = b""
        self.headers: list[dict[str, str]] = []
        self.asked = asyncio.Event()
        self.answering = asyncio.Event()
        self.answering.set()
        self.url = ""

    def of(self, trace_id: str) -> list[SentSpan]:
        return [span for span in self.spans if span.trace_id == trace_id]

    def named(self, name: str) -> list[SentSpan]:
        return [span for span in self.spans if span.name == name]

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Collector"]:
        application = web.Application(client_max_size=64 * 1024 * 1024)
        application.router.add_post("/v1/traces", self._take)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        try:
            yield self
        finally:
            self.answering.set()
            await runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        self.asked.set()
        body = await request.read()
        await self.answering.wait()
        self.raw += body
        self.headers.append(dict(request.headers))
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = _values(resource.resource.attributes)["service.name"]
            for scope in resource.scope_spans:
                self.spans += [_sent(span, service) for span in scope.spans]
        return web.Response(body=b"", content_type="application/x-protobuf")


def _sent(span: Any, service: str) -> SentSpan:
    return SentSpan(
        name=span.name,
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        kind=span.kind,
        service=service,
        attributes=_values(span.attributes),
        links=[link.trace_id.hex() for link in span.links],
        failed=span.status.code == 2,
    )


def _values(pairs: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}
