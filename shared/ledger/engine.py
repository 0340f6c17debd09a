"""Connections to the ledger: how they are made, how transactions begin, what an outage is."""

import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from sqlalchemy import URL, Connection, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from shared.errors import LedgerRefusedError, LedgerTlsError, LedgerUnavailableError
from shared.ledger.postgres_engine import postgres_engine
from shared.metrics.stores import count_store_error
from shared.tls import tls_fault

# A request that finds no ledger must get its 503 while its sender still listens.
CONNECT_TIMEOUT_S = 3
# Below the shortest lease (20 s): a statement must not outlive the right to make it.
STATEMENT_TIMEOUT_MS = 10_000
# After the server's own timeout: this one is for servers that no longer answer at all.
COMMAND_TIMEOUT_S = 12
# How long a caller waits for a free connection, and SQLite for another process's write.
POOL_TIMEOUT_S = 10
BUSY_TIMEOUT_MS = 10_000
# Connection lost, resources gone, shut down, I/O; 40: deadlock; 25006: a standby took over.
_OUTAGE_CLASSES = ("08", "53", "57", "58", "40", "25006")
# This server does not know us (yet), or not this database.
_REFUSAL_CLASSES = ("28", "3D")
_TLS_SETTINGS = "POSTGRES_HOST, POSTGRES_SSLMODE and POSTGRES_SSL_ROOT_CERT"


class Database:
    """The ledger's engine; it belongs to the event loop that first used it."""

    def __init__(self, url: URL, *, pool_size: int = 10) -> None:
        if url.get_backend_name() == "sqlite":
            # One writing connection: waiting in the pool is fair, SQLite's busy polling is not.
            self._writer = _sqlite_engine(url, begin="BEGIN IMMEDIATE", pool_size=1)
            self._reader = _sqlite_engine(url, begin="BEGIN", pool_size=pool_size)
            self._single = self._writer
        else:
            self._reader = _postgres_engine(url, pool_size=pool_size)
            self._writer = self._reader.execution_options(isolation_level="READ COMMITTED")
            self._single = self._reader

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Lend a connection for SELECTs, each with its own view of the rows.

        Raises:
            LedgerUnavailableError: the database did not answer, or (LedgerRefusedError) let us in.
        """
        with Translated():
            async with self._reader.connect() as connection:
                yield connection

    @asynccontextmanager
    async def single(self) -> AsyncIterator[AsyncConnection]:
        """Lend a connection for one statement that is its own transaction (no BEGIN and COMMIT).

        Raises:
            LedgerUnavailableError: the database did not answer.
        """
        with Translated():
            async with self._single.begin() as connection:
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction; it commits at the end and rolls back on any error. Never nest it.

        Raises:
            LedgerUnavailableError: the database did not answer.
        """
        with Translated():
            async with self._writer.begin() as connection:
                yield connection

    async def close(self) -> None:
        """Close every connection."""
        await self._writer.dispose()
        await self._reader.dispose()


class Translated:
    """Turns a driver's outage into ours; anything else is a bug and passes unchanged."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is not None and (ours := _named(error)):
            count_store_error("ledger", ours)
            raise ours from error


def _named(error: BaseException) -> LedgerUnavailableError | None:
    if fault := tls_fault(error):
        return LedgerTlsError(f"{fault.told_of('PostgreSQL')}; check {_TLS_SETTINGS}.")
    if _state(error).startswith(_REFUSAL_CLASSES):
        return LedgerRefusedError()
    return LedgerUnavailableError() if _is_outage(error) else None


def _is_outage(error: BaseException) -> bool:
    if isinstance(error, DBAPIError):
        if error.connection_invalidated or isinstance(error, InterfaceError):
            return True
        if isinstance(error, OperationalError):
            # SQLite calls everything operational, mistakes in SQL (its code 1) included.
            return getattr(error.orig, "sqlite_errorcode", None) != sqlite3.SQLITE_ERROR
    if _state(error).startswith(_OUTAGE_CLASSES):
        return True
    # TimeoutError and refused connections are OSErrors; asyncpg lets them through while connecting.
    return isinstance(error, PoolTimeoutError | OSError | asyncpg.InterfaceError)


def _state(error: BaseException) -> str:
    """Return PostgreSQL's name of an error, or nothing; SQLAlchemy keeps the driver's inside."""
    inside = error.orig if isinstance(error, DBAPIError) else error
    return str(getattr(inside, "sqlstate", None) or "")


def _postgres_engine(url: URL, *, pool_size: int) -> AsyncEngine:
    limit = str(STATEMENT_TIMEOUT_MS)
    return postgres_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_S,
        pool_pre_ping=True,
        # Not only for SELECTs: in it a ping takes one round trip, otherwise a transaction of three.
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,  # they hold document text, errors go to the log
        connect_args={
            "timeout": CONNECT_TIMEOUT_S,
            "command_timeout": COMMAND_TIMEOUT_S,
            "server_settings": {
                "application_name": "lightrag-fleet",
                # What every lock in this package was thought through for.
                "default_transaction_isolation": "read committed",
                "statement_timeout": limit,
                "idle_in_transaction_session_timeout": limit,
            },
        },
    )


def _sqlite_engine(url: URL, *, begin: str, pool_size: int) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_S,
        hide_parameters=True,
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        prepare_sqlite(connection)

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def prepare_sqlite(connection: Any) -> None:  # noqa: ANN401 - the driver's own class
    """Make a new SQLite connection keep our promises."""
    connection.isolation_level = None  # we say BEGIN ourselves: the driver would not lock at once
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    _log_ahead(cursor)
    cursor.execute("PRAGMA synchronous = FULL")  # an accepted upload must survive a power cut
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _log_ahead(cursor: Any) -> None:  # noqa: ANN401 - as above
    """Switch to the write-ahead log; of several that do so at once SQLite refuses all but one.

    It does not wait then: its busy timeout is not for a lock that others want to upgrade, too.
    """
    give_up_at_s = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not is_busy or time.monotonic() > give_up_at_s:
                raise
            time.sleep(0.01)  # of a moment in the life of a ledger, before anybody is served
        else:
            return
