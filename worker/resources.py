"""Opens what a worker process needs, and closes it again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.connections import broker_url, ledger_url
from shared.contract.celery_sender import CelerySender
from shared.ledger.ledger import Ledger
from shared.objects.factory import open_objects
from shared.rag.models import open_models
from shared.rag.pool import RagPool
from shared.settings import Settings
from worker.context import WorkerContext
from worker.parsing import ParserPool


@asynccontextmanager
async def open_context(settings: Settings) -> AsyncIterator[WorkerContext]:
    """Open the ledger, stores, models and parser processes of one worker."""
    limits = settings.limits
    # Parser children first: they must not inherit anything that the rest opens.
    parsers = ParserPool(
        workers=limits.parse_workers,
        timeout_s=limits.parse_timeout_s,
        memory_bytes=limits.parse_memory_bytes,
    )
    ledger = await Ledger.open(ledger_url(settings))
    sender = CelerySender(broker_url(settings))
    rags = RagPool(settings, open_models(settings))
    try:
        yield WorkerContext(
            settings=settings,
            ledger=ledger,
            objects=open_objects(settings),
            sender=sender,
            rags=rags,
            parsers=parsers,
        )
    finally:
        await rags.close()
        await sender.close()
        await ledger.close()
        parsers.close()
