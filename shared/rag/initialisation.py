"""Creating LightRAG's tables and indexes: one process of the fleet at a time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from shared.connections import ledger_url
from shared.settings import Settings

# Any number that nobody else takes; the same in every process of the fleet.
_LOCK_NUMBER = 7_201_557


@asynccontextmanager
async def alone_in_the_fleet(settings: Settings) -> AsyncIterator[None]:
    """Hold a PostgreSQL advisory lock: `initialize_storages` runs DDL, which races otherwise.

    In files mode there is only one process and nothing to hold.
    """
    if not settings.external:
        yield
        return
    engine = create_async_engine(ledger_url(settings), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            # A session lock: it goes with the connection, however this process ends.
            await connection.execute(text("SELECT pg_advisory_lock(:n)"), {"n": _LOCK_NUMBER})
            await connection.commit()
            yield
    finally:
        await engine.dispose()
