"""Opens what a worker process needs, and closes it again."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from shared.connections import ledger_url
from shared.contract.sender import Sender
from shared.ledger.ledger import Ledger
from shared.objects.factory import open_objects
from shared.rag.models import open_models
from shared.rag.pool import RagPool
from shared.rag.usage import flushed_regularly
from shared.settings import Settings
from worker.context import WorkerContext
from worker.parsing import ParserPool


@asynccontextmanager
async def open_context(settings: Settings, sender: Sender) -> AsyncIterator[WorkerContext]:
    """Open the ledger, stores, models and parser processes; `sender` is closed with them."""
    limits = settings.limits
    async with AsyncExitStack() as stack:
        # Parser children first: they must not inherit anything that the rest opens.
        parsers = ParserPool(
            workers=limits.parse_workers,
            timeout_s=limits.parse_timeout_s,
            memory_bytes=limits.parse_memory_bytes,
        )
        stack.callback(parsers.close)
        ledger = await Ledger.open(ledger_url(settings))
        stack.push_async_callback(ledger.close)
        rags = RagPool(settings, open_models(settings))
        stack.push_async_callback(rags.close)
        await stack.enter_async_context(flushed_regularly(rags.meter, ledger))
        # First to go: in files mode it runs the tasks that use all the others.
        stack.push_async_callback(sender.close)
        yield WorkerContext(
            settings=settings,
            ledger=ledger,
            objects=open_objects(settings),
            sender=sender,
            rags=rags,
            parsers=parsers,
        )
