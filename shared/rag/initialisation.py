"""Creating LightRAG's tables and indexes: one process of the fleet at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from shared.connections import ledger_url
from shared.settings import Settings

# Any number that nobody else takes; the same in every process of the fleet.
_LOCK_NUMBER = 7_201_557
# The work under it takes seconds; a host that hangs there must not keep questions waiting for ever.
_LOCK_TIMEOUT_S = 60.0


@asynccontextmanager
async def alone_in_the_fleet(settings: Settings) -> AsyncIterator[None]:
    """Hold a PostgreSQL advisory lock: `initialize_storages` runs DDL, which races otherwise.

    In files mode there is only one process and nothing to hold.

    Raises:
        TimeoutError: PostgreSQL is away, or somebody else holds the lock for too long.
    """
    if not settings.external:
        yield
        return
    engine = create_async_engine(ledger_url(settings), poolclass=NullPool)
    try:
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(_LOCK_TIMEOUT_S):
                connection = await stack.enter_async_context(engine.connect())
                # A session lock: it goes with the connection, however this process ends.
                await connection.execute(text("SELECT pg_advisory_lock(:n)"), {"n": _LOCK_NUMBER})
                await connection.commit()
            yield
    finally:
        await engine.dispose()
