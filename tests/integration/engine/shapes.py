"""One worker tier in this process over any set of stores."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from sqlalchemy import make_url

from shared.connections import ledger_url
from shared.contract.sender import MemorySender
from shared.ids import WorkspaceName
from shared.ledger.ledger import Ledger
from shared.ledger.migrate import migrate
from shared.objects.memory import MemoryObjectStore
from shared.rag.pool import RagPool
from shared.settings import load_settings
from tests.integration.worker.fleet import Fleet, PlainParser
from tests.models import CountingModel, HashEmbeddings, models_of
from worker.context import WorkerContext

if TYPE_CHECKING:
    from worker.parsing import ParserPool

STORAGES = {
    "postgres": {"KV_STORAGE": "PGKVStorage", "GRAPH_STORAGE": "PGTableGraphStorage"},
    "valkey": {"KV_STORAGE": "RedisKVStorage", "GRAPH_STORAGE": "PGTableGraphStorage"},
    "neo4j": {"KV_STORAGE": "RedisKVStorage", "GRAPH_STORAGE": "Neo4JStorage"},
}


def files_variables(folder: Path) -> dict[str, str]:
    """Everything in one folder."""
    return {"USE_EXTERNAL_STORAGE": "false", "DATA_DIR": str(folder)}


def server_variables(
    shape: str, folder: Path, database_url: str, valkey_url: str
) -> dict[str, str]:
    """PostgreSQL and Valkey; whoever wants Neo4j adds its address."""
    postgres, valkey = make_url(database_url), make_url(valkey_url)
    return {
        "USE_EXTERNAL_STORAGE": "true",
        "DATA_DIR": str(folder),
        "POSTGRES_HOST": str(postgres.host),
        "POSTGRES_PORT": str(postgres.port),
        "POSTGRES_USER": str(postgres.username),
        "POSTGRES_PASSWORD": str(postgres.password),
        "POSTGRES_DB": str(postgres.database),
        "REDIS_HOST": str(valkey.host),
        "REDIS_PORT": str(valkey.port),
        "REDIS_PASSWORD": str(valkey.password),
        **STORAGES[shape],
    }


@asynccontextmanager
async def open_context(
    variables: Mapping[str, str],
) -> AsyncIterator[tuple[WorkerContext, CountingModel, HashEmbeddings]]:
    """Open what a worker process has; its models answer by rules."""
    settings = load_settings(None, overrides=variables)
    await asyncio.to_thread(migrate, ledger_url(settings))
    ledger = await Ledger.open(ledger_url(settings))
    model, embeddings = CountingModel(), HashEmbeddings()
    context = WorkerContext(
        settings=settings,
        ledger=ledger,
        objects=MemoryObjectStore(),
        sender=MemorySender(),
        rags=RagPool(settings, models_of(model, embeddings)),
        parsers=cast("ParserPool", PlainParser()),
    )
    try:
        yield context, model, embeddings
    finally:
        for gate in (model.open, embeddings.open):
            gate.set()
        await context.rags.close()
        await ledger.close()


@asynccontextmanager
async def open_fleet(variables: Mapping[str, str]) -> AsyncIterator[Fleet]:
    """Give a worker tier with a fresh workspace."""
    async with open_context(variables) as (context, model, embeddings):
        fleet = Fleet(
            context,
            WorkspaceName(""),
            cast("MemorySender", context.sender),
            cast("MemoryObjectStore", context.objects),
            model,
            embeddings,
            cast("PlainParser", context.parsers),
        )
        yield await another_workspace(fleet)


async def another_workspace(fleet: Fleet) -> Fleet:
    """The same tier, in a fresh workspace."""
    workspace = WorkspaceName(f"w{secrets.token_hex(5)}")
    await fleet.context.ledger.workspaces.create(workspace)
    return replace(fleet, workspace=workspace)
