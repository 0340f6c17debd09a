"""Errors of LightRAG's stores, told apart from errors of the document at hand."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import neo4j.exceptions
import redis.exceptions
import sqlalchemy.exc

from shared.errors import StoreUnavailableError

_OUTAGES: tuple[type[BaseException], ...] = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.DiskFullError,
    redis.exceptions.ConnectionError,
    redis.exceptions.TimeoutError,
    redis.exceptions.OutOfMemoryError,
    redis.exceptions.BusyLoadingError,
    neo4j.exceptions.ServiceUnavailable,
    neo4j.exceptions.SessionExpired,
    neo4j.exceptions.TransientError,
    sqlalchemy.exc.OperationalError,
    sqlalchemy.exc.InterfaceError,
    OSError,
    asyncio.TimeoutError,
)


@contextmanager
def translated_store_errors() -> Iterator[None]:
    """Turn what drivers raise when a server is away into one error of ours.

    Raises:
        StoreUnavailableError: a store is not reachable, restarting or full.
    """
    try:
        yield
    except BaseException as error:
        if cause := outage_behind(error):
            sentence = (
                f"A LightRAG store is not reachable ({type(cause).__name__}); try again shortly."
            )
            raise StoreUnavailableError(sentence) from error
        raise


def outage_behind(error: BaseException) -> BaseException | None:
    """Find a store outage in an error or in what caused it; LightRAG wraps drivers' errors."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, _OUTAGES):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None
