"""Traces written down by OpenTelemetry's SDK and sent by OTLP over HTTP.

Imported only when OTEL_ENABLED=true. https://opentelemetry.io/docs/specs/otel/trace/sdk/
"""

import os
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider, sampling
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.errors import AppError
from shared.settings_otel import OtelSettings, Sampler
from shared.tracing.spans import Attributes, Kind, Origin, Span

# A collector that is away must not keep a process from ending.
_FLUSH_S = 3.0
_ALWAYS, _NEVER = sampling.ALWAYS_ON, sampling.ALWAYS_OFF
_PROPAGATOR = TraceContextTextMapPropagator()


class OpenTelemetryTracer:
    """Keeps spans in memory for a moment and sends them from a thread; a full queue drops them."""

    def __init__(
        self,
        settings: OtelSettings,
        *,
        service: str,
        version: str,
        exporter: SpanExporter | None = None,
    ) -> None:
        """Begin to listen.

        Args:
            settings: where spans go and how many are kept.
            service: the name of this tier, unless OTEL_SERVICE_NAME gives another.
            version: of this program.
            exporter: takes the spans; None: OTLP.
        """
        resource = Resource.create(
            {
                "service.name": settings.service_name or service,
                "service.version": version,
                "service.instance.id": f"{socket.gethostname()}:{os.getpid()}",
                **settings.attributes,
            }
        )
        self._provider = TracerProvider(
            sampler=_sampler(settings), resource=resource, shutdown_on_exit=False
        )
        self._provider.add_span_processor(BatchSpanProcessor(exporter or _exporter(settings)))
        self._tracer = self._provider.get_tracer("lightrag-fleet", version)

    @contextmanager
    def span(self, name: str, kind: Kind, attributes: Attributes, origin: Origin) -> Iterator[Span]:
        """See `Tracer`."""
        inner = self._tracer.start_span(
            name,
            context=None if origin.parent is None else _context_of(origin.parent),
            kind=trace.SpanKind[kind.name],
            attributes=_known(attributes),
            links=[trace.Link(found) for link in origin.links if (found := _named(link))],
            start_time=origin.began_at_ns,
        )
        try:
            yield _Written(inner)
        except GeneratorExit:  # a client that leaves early is no failure
            raise
        except BaseException as error:
            _fail(inner, error)
            raise
        finally:
            inner.end()

    def current(self) -> Span:
        """See `Tracer`."""
        return _Written(trace.get_current_span())

    def fail(self, error: BaseException) -> None:
        """See `Tracer`."""
        _fail(trace.get_current_span(), error)

    @contextmanager
    def continued(self, headers: Mapping[str, str]) -> Iterator[None]:
        """See `Tracer`."""
        token = otel_context.attach(_PROPAGATOR.extract(headers))
        try:
            yield
        finally:
            otel_context.detach(token)

    def headers(self) -> dict[str, str]:
        """See `Tracer`."""
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier)
        return carrier

    def ids(self) -> dict[str, str]:
        """See `Tracer`."""
        found = trace.get_current_span().get_span_context()
        if not found.is_valid:
            return {}
        return {
            "trace_id": trace.format_trace_id(found.trace_id),
            "span_id": trace.format_span_id(found.span_id),
        }

    def close(self) -> None:
        """Send what is left; whoever does not answer in three seconds does not get it."""
        closing = threading.Thread(target=self._provider.shutdown, name="traces", daemon=True)
        closing.start()
        closing.join(_FLUSH_S)


class _Written:
    """A span of OpenTelemetry's."""

    def __init__(self, inner: trace.Span) -> None:
        self._inner = inner

    def set(self, attributes: Attributes) -> None:
        self._inner.set_attributes(_known(attributes))

    def rename(self, name: str) -> None:
        self._inner.update_name(name)

    @contextmanager
    def active(self) -> Iterator[None]:
        token = otel_context.attach(trace.set_span_in_context(self._inner))
        try:
            yield
        finally:
            otel_context.detach(token)


def _fail(span: trace.Span, error: BaseException) -> None:
    # The kind alone: the words of an error may quote a document.
    kind = error.code if isinstance(error, AppError) else type(error).__name__
    span.set_attribute("error.type", kind)
    span.set_status(trace.Status(trace.StatusCode.ERROR, kind))


def _known(attributes: Attributes) -> dict[str, str | int | float | bool]:
    return {name: value for name, value in attributes.items() if value is not None}


def _context_of(parent: str) -> Context:
    return _PROPAGATOR.extract({"traceparent": parent}, context=Context())


def _named(parent: str) -> trace.SpanContext | None:
    found = trace.get_current_span(_context_of(parent)).get_span_context()
    return found if found.is_valid else None


def _exporter(settings: OtelSettings) -> SpanExporter:
    """Make the exporter; what is not among our settings it reads from the environment itself."""
    return OTLPSpanExporter(endpoint=settings.traces_endpoint, headers=settings.headers)


def _sampler(settings: OtelSettings) -> sampling.Sampler:
    ratio = sampling.TraceIdRatioBased(settings.traces_sampler_arg)
    match settings.traces_sampler:
        case Sampler.ALWAYS_ON:
            return _ALWAYS
        case Sampler.ALWAYS_OFF:
            return _NEVER
        case Sampler.RATIO:
            return ratio
        case Sampler.PARENT_OR_ON:
            return sampling.ParentBased(_ALWAYS)
        case Sampler.PARENT_OR_OFF:
            return sampling.ParentBased(_NEVER)
    return sampling.ParentBased(ratio)
