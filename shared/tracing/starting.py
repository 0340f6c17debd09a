"""Traces for the life of one process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from shared.errors import SettingsError
from shared.settings import Settings
from shared.tracing import spans


@asynccontextmanager
async def traced_process(settings: Settings, *, service: str) -> AsyncIterator[None]:
    """Write spans down within the block, if OTEL_ENABLED says so, and send the last at its end.

    Args:
        settings: whether, where to, and how many.
        service: the name of this tier.

    Raises:
        SettingsError: the extra `otel` is not installed.
    """
    if not settings.otel.enabled:
        yield
        return
    try:
        from shared.tracing.opentelemetry import OpenTelemetryTracer  # noqa: PLC0415 - if wanted
    except ImportError:
        sentence = (
            "OTEL_ENABLED=true needs the extra `otel`, which is not installed: "
            "`pip install 'lightrag-fleet[otel]'`, or unset it."
        )
        raise SettingsError(sentence) from None
    tracer = OpenTelemetryTracer(settings.otel, service=service, version=version("lightrag-fleet"))
    before = spans.install(tracer)
    try:
        yield
    finally:
        spans.install(before)
        await asyncio.to_thread(tracer.close)
