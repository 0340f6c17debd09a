"""Brings the ledger's schema to the newest revision, from a checkout or an installed wheel."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from alembic import command
from sqlalchemy import URL, Connection, create_engine, event, text
from sqlalchemy.pool import NullPool

from shared.ids import DEFAULT_WORKSPACE
from shared.ledger.clock import now_ms
from shared.ledger.engine import CONNECT_TIMEOUT_S, Translated, prepare_sqlite
from shared.ledger.postgres_engine import postgres_engine
from shared.ledger.revisions import insert_unless_there
from shared.ledger.schema import migration_scripts
from shared.ledger.tables import commit_leases, workspaces

# Any number will do as long as nothing else in this database uses it: "fleet" on a phone.
_ADVISORY_LOCK = 35338


def migrate(url: URL) -> None:
    """Bring the schema to head and make workspace `default`; safe to run from many hosts at once.

    Raises:
        LedgerUnavailableError: the database did not answer.
    """
    with Translated():
        if url.get_backend_name() == "sqlite":
            _migrate_sqlite(url)
        else:
            # The caller may be inside an event loop, and our PostgreSQL driver needs its own.
            with ThreadPoolExecutor(max_workers=1) as thread:
                thread.submit(asyncio.run, _migrate_postgres(url)).result()


def _migrate_sqlite(url: URL) -> None:
    engine = create_engine(url.set(drivername="sqlite"), poolclass=NullPool)
    event.listen(engine, "connect", lambda driver, _: _prepare_migration(driver))
    event.listen(engine, "begin", lambda it: it.exec_driver_sql("BEGIN IMMEDIATE"))
    with engine.begin() as connection:
        _upgrade(connection)


def _prepare_migration(connection: Any) -> None:  # noqa: ANN401 - the driver's own class
    prepare_sqlite(connection)
    # Revisions copy a table and drop the old one, which would take the rows that refer to it along.
    connection.execute("PRAGMA foreign_keys = OFF")


async def _migrate_postgres(url: URL) -> None:
    # No statement timeout here: a large table's new index may take minutes.
    arguments = {"timeout": CONNECT_TIMEOUT_S}
    engine = postgres_engine(url, poolclass=NullPool, connect_args=arguments)
    async with engine.begin() as connection:
        lock = text("SELECT pg_advisory_xact_lock(:key)")
        await connection.execute(lock, {"key": _ADVISORY_LOCK})
        await connection.run_sync(_upgrade)


def _upgrade(connection: Connection) -> None:
    config = migration_scripts()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    # Nothing happens where it is there already, active or on its way out.
    connection.execute(
        insert_unless_there(connection, workspaces).values(
            name=DEFAULT_WORKSPACE, generation=1, state="active", created_at_ms=now_ms()
        )
    )
    connection.execute(
        insert_unless_there(connection, commit_leases).values(workspace=DEFAULT_WORKSPACE)
    )
