"""Brings the ledger's schema to the newest revision, from a checkout or an installed wheel."""

import asyncio
from pathlib import Path
from threading import Thread

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Connection, event, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

import migrations
from shared.ids import DEFAULT_WORKSPACE
from shared.ledger import dropping
from shared.ledger.engine import CONNECT_TIMEOUT_S, Translated, prepare_sqlite

# Any number will do as long as nothing else in this database uses it: "fleet" on a phone.
_ADVISORY_LOCK = 35338


def migrate(url: URL) -> None:
    """Bring the schema to head and make workspace `default`; safe to run from many hosts at once.

    Raises:
        LedgerUnavailableError: the database did not answer.
    """
    failures: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(_migrate(url))
        except BaseException as error:  # noqa: BLE001 - carried over to the caller's thread
            failures.append(error)

    # The caller may be inside an event loop, and our drivers are asynchronous.
    thread = Thread(target=run, name="ledger-migration")
    thread.start()
    thread.join()
    if failures:
        raise failures[0]


async def _migrate(url: URL) -> None:
    sqlite = url.get_backend_name() == "sqlite"
    # No statement timeout here: a large table's new index may take minutes.
    arguments = {} if sqlite else {"timeout": CONNECT_TIMEOUT_S}
    engine = create_async_engine(url, poolclass=NullPool, connect_args=arguments)
    if sqlite:
        event.listen(engine.sync_engine, "connect", lambda driver, _: prepare_sqlite(driver))
        event.listen(engine.sync_engine, "begin", _begin_immediate)
    try:
        with Translated():
            async with engine.begin() as connection:
                if not sqlite:
                    lock = text("SELECT pg_advisory_xact_lock(:key)")
                    await connection.execute(lock, {"key": _ADVISORY_LOCK})
                await _upgrade(connection)
    finally:
        await engine.dispose()


async def _upgrade(connection: AsyncConnection) -> None:
    await connection.run_sync(_run_alembic)
    # None when it is there already, active or on its way out.
    await dropping.create(connection, DEFAULT_WORKSPACE)


def _run_alembic(connection: Connection) -> None:
    config = Config()
    folder = Path(str(migrations.__file__)).parent
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
