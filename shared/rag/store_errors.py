"""Errors of LightRAG's stores, told apart from errors of the document at hand."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import redis.exceptions
import sqlalchemy.exc

from shared.errors import AppError, StoreUnavailableError

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
    sqlalchemy.exc.OperationalError,
    sqlalchemy.exc.InterfaceError,
    OSError,
    asyncio.TimeoutError,
)
# By name: importing the driver costs 60 MB, which only a process that uses Neo4j should pay.
_NEO4J_OUTAGES = frozenset(
    # The last one as for PostgreSQL: a server that does not know us, perhaps not yet.
    {"ServiceUnavailable", "SessionExpired", "TransientError", "AuthError"}
)


@contextmanager
def translated_store_errors() -> Iterator[None]:
    """Turn what drivers raise when a server is away into one error of ours.

    Raises:
        StoreUnavailableError: a store is not reachable, restarting or full.
    """
    try:
        yield
    except Exception as error:  # not BaseException: a cancellation must stay one
        if cause := outage_behind(error):
            sentence = (
                f"A LightRAG store is not reachable ({type(cause).__name__}); try again shortly."
            )
            raise StoreUnavailableError(sentence) from error
        raise


def outage_behind(error: BaseException) -> BaseException | None:
    """Find a store outage in an error or in what caused it; LightRAG wraps drivers' errors."""
    found: BaseException | None = None
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, AppError):
            return None  # it has its name already: a model's outage, for example
        if found is None and (isinstance(seen, _OUTAGES) or _is_neo4j_outage(seen)):
            found = seen
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return found


def _is_neo4j_outage(error: BaseException) -> bool:
    return any(
        base.__module__ == "neo4j.exceptions" and base.__name__ in _NEO4J_OUTAGES
        for base in type(error).__mro__
    )
