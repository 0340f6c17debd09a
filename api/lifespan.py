"""The life of the process: what is opened at its start and closed at its end."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import TypedDict

from fastapi import FastAPI

from api.resources import Resources
from shared.connections import broker_url, ledger_url
from shared.contract.celery_sender import CelerySender
from shared.ledger.ledger import Ledger
from shared.objects.factory import open_objects
from shared.probes import open_probes
from shared.rag.models import open_models
from shared.rag.pool import RagPool
from shared.rag.usage import flushed_regularly
from shared.settings import Settings
from shared.startup import log_storage_shape
from shared.tracing.starting import traced_process

OpenResources = Callable[[Settings], AbstractAsyncContextManager[Resources]]


class State(TypedDict):
    """What Starlette hands to every request."""

    resources: Resources


@asynccontextmanager
async def open_resources(settings: Settings) -> AsyncIterator[Resources]:
    """Open what an API process on servers needs; nothing connects before it is used."""
    async with AsyncExitStack() as stack:
        ledger = await Ledger.open(ledger_url(settings))
        stack.push_async_callback(ledger.close)
        sender = CelerySender(broker_url(settings))
        stack.push_async_callback(sender.close)
        rags = RagPool(settings, open_models(settings))
        stack.push_async_callback(rags.close)
        await stack.enter_async_context(flushed_regularly(rags.meter, ledger))
        objects = open_objects(settings)
        probes = await stack.enter_async_context(
            open_probes(settings, ledger=ledger, objects=objects, sender=sender)
        )
        yield Resources(
            settings=settings,
            ledger=ledger,
            objects=objects,
            sender=sender,
            rags=rags,
            probes=probes,
        )


def lifespan_of(
    settings: Settings, opener: OpenResources
) -> Callable[[FastAPI], AbstractAsyncContextManager[State]]:
    """Make the lifespan that FastAPI runs."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[State]:
        async with (
            traced_process(settings, service="lightrag-fleet-api"),
            opener(settings) as resources,
        ):
            log_storage_shape(settings)
            yield {"resources": resources}

    return lifespan
