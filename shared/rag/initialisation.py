"""Creating LightRAG's tables and indexes: once, by one process of the fleet at a time.

Opening a workspace takes LightRAG a quarter of a second of looking for what it would create. Eight
processes that did so in turn kept the last one waiting for four seconds, and sixty with some
workspaces each for more than a minute. So what was created is marked, beside the tables that were
created; where the mark is, nothing will be created and nobody has to wait.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from importlib.metadata import version

from lightrag import LightRAG
from lightrag.base import StoragesStatus
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import NullPool

from shared.connections import ledger_url
from shared.ids import PhysicalWorkspace
from shared.ledger.postgres_engine import postgres_engine
from shared.rag.extension import require_vectors
from shared.rag.neo4j_constraint import ensure_unique_entities, has_unique_entities
from shared.rag.redis_mode import require_no_cluster
from shared.settings import Settings

# Any number that nobody else takes; the same in every process of the fleet.
_LOCK_NUMBER = 7_201_557
# The work under it takes seconds; a host that hangs there must not keep questions waiting for ever.
_LOCK_TIMEOUT_S = 60.0
_LOCK_POLL_S = 0.1
_CONNECT_TIMEOUT_S = 3
# Not the ledger's: it goes where LightRAG's tables go, and a backup without them has no mark.
_MARKS = "lightrag_fleet_created"


async def open_storages(rag: LightRAG, settings: Settings) -> None:
    """Open the storages of one LightRAG, or let go of all that was opened, and say why.

    Raises:
        GraphDuplicatesError: the graph must be repaired first.
        RedisClusterError: the Redis cannot hold what is written together.
        ExtensionMissingError: an administrator has to add pgvector to the database.
        TimeoutError: PostgreSQL is away, or another process takes too long to do the same.
    """
    try:
        await _open(rag, settings)
    except BaseException:
        # Left alone it lets go only of storages that were all opened, and keeps its share of the
        # connections that it took when it was built.
        rag._storages_status = StoragesStatus.INITIALIZED  # noqa: SLF001 - pinned internals
        await rag.finalize_storages()
        raise


async def _open(rag: LightRAG, settings: Settings) -> None:
    """Open them, creating tables and indexes where they are missing."""
    if settings.external and not await _is_created(rag, settings):
        async with alone_in_the_fleet(settings) as connection:
            if not await _is_created(rag, settings):  # as it is for most who had to wait
                await require_vectors(connection, settings.postgres)
                await require_no_cluster(settings)
                if settings.graph_in_neo4j:
                    await ensure_unique_entities(settings, PhysicalWorkspace(rag.workspace))
                with _missing_tables_expected():
                    await rag.initialize_storages()
                await _mark_created(connection, rag)
                return
    await rag.initialize_storages()


@asynccontextmanager
async def alone_in_the_fleet(settings: Settings) -> AsyncIterator[AsyncConnection]:
    """Hold a PostgreSQL advisory lock: `initialize_storages` runs DDL, which races otherwise.

    Raises:
        TimeoutError: PostgreSQL is away, or somebody else holds the lock for too long.
    """
    async with AsyncExitStack() as stack:
        async with asyncio.timeout(_LOCK_TIMEOUT_S):
            connection = await stack.enter_async_context(_connected(settings))
            # A session lock: it goes with the connection, however this process ends. Asked for
            # again and again: a statement that waits would hold a snapshot, and LightRAG's CREATE
            # INDEX CONCURRENTLY in the process that has the lock would wait for its end.
            take = text("SELECT pg_try_advisory_lock(:n)")
            while not await connection.scalar(take, {"n": _LOCK_NUMBER}):  # noqa: ASYNC110 - see above
                await asyncio.sleep(_LOCK_POLL_S)
        yield connection


@contextmanager
def _missing_tables_expected() -> Iterator[None]:
    """Keep from the log what looks like failure: LightRAG asks each table whether it is there."""

    def is_news(record: logging.LogRecord) -> bool:
        return "does not exist" not in record.getMessage()

    logger = logging.getLogger("lightrag")
    logger.addFilter(is_news)
    try:
        yield
    finally:
        logger.removeFilter(is_news)


async def _is_created(rag: LightRAG, settings: Settings) -> bool:
    """Whether a process, this or another one, has created everything this LightRAG needs."""
    async with asyncio.timeout(_LOCK_TIMEOUT_S), _connected(settings) as connection:
        if await connection.scalar(text("SELECT to_regclass(:name)"), {"name": _MARKS}) is None:
            return False
        find = text(f"SELECT true FROM {_MARKS} WHERE what = :what")  # noqa: S608 - a constant
        if not await connection.scalar(find, {"what": _description(rag)}):
            return False
    # Neo4j may be another or emptier one than last time, and doubles cannot be undone easily.
    return not settings.graph_in_neo4j or await has_unique_entities(
        settings, PhysicalWorkspace(rag.workspace)
    )


async def _mark_created(connection: AsyncConnection, rag: LightRAG) -> None:
    create = f"CREATE TABLE IF NOT EXISTS {_MARKS} (what TEXT PRIMARY KEY)"
    await connection.execute(text(create))
    insert = f"INSERT INTO {_MARKS} VALUES (:what) ON CONFLICT DO NOTHING"  # noqa: S608 - a constant
    await connection.execute(text(insert), {"what": _description(rag)})


def _description(rag: LightRAG) -> str:
    """Name all that decides which tables and indexes there are."""
    embedding = rag.embedding_func
    return "/".join(
        (
            version("lightrag-hku"),
            rag.workspace,
            rag.kv_storage,
            rag.vector_storage,
            rag.graph_storage,
            rag.doc_status_storage,
            f"{embedding.model_name}:{embedding.embedding_dim}",
        )
    )


@asynccontextmanager
async def _connected(settings: Settings) -> AsyncIterator[AsyncConnection]:
    """Lend a connection on which every statement is its own transaction."""
    engine = postgres_engine(
        ledger_url(settings),
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        connect_args={"timeout": _CONNECT_TIMEOUT_S},
    )
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()
