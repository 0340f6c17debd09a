"""The database away, locked or new: one error that says so, and migrations that agree."""

import asyncio
import socket
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import URL, Connection, make_url
from sqlalchemy.exc import DBAPIError

from shared.errors import LedgerRefusedError, LedgerUnavailableError
from shared.ledger.engine import Database
from shared.ledger.ledger import Ledger
from shared.ledger.migrate import migrate
from shared.ledger.tables import metadata
from tests.contract.ledger.steps import Steps, an_upload


def _nobody_listens() -> URL:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    return make_url(f"postgresql+asyncpg://fleet@127.0.0.1:{port}/fleet")


@pytest.fixture(params=["postgresql", "sqlite"])
def unreachable(request: pytest.FixtureRequest, tmp_path: Path) -> URL:
    if request.param == "postgresql":
        return _nobody_listens()
    return URL.create("sqlite+aiosqlite", database=str(tmp_path / "no" / "such" / "folder.db"))


async def test_a_database_that_is_not_there_is_an_outage(unreachable: URL) -> None:
    ledger = await Ledger.open(unreachable)
    with pytest.raises(LedgerUnavailableError):
        await ledger.ping()
    with pytest.raises(LedgerUnavailableError):
        await ledger.documents.accept(an_upload())
    with pytest.raises(LedgerUnavailableError):
        migrate(unreachable)
    await ledger.close()


@pytest.mark.parametrize("change", [{"database": "nothing_here"}, {"password": "wrong"}])
async def test_a_server_that_does_not_know_us_refuses_us(
    fresh_database: str, change: dict[str, str]
) -> None:
    ledger = await Ledger.open(make_url(fresh_database).set(**change))
    with pytest.raises(LedgerRefusedError):
        await ledger.ping()
    await ledger.close()


async def test_connections_that_the_server_closed_are_replaced(fresh_database: str) -> None:
    ledger = await Ledger.open(make_url(fresh_database))
    other = Database(make_url(fresh_database))
    await ledger.ping()
    async with other.single() as connection:
        await connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    await ledger.ping()
    await other.close()
    await ledger.close()


async def test_a_connection_lost_inside_a_transaction_is_an_outage_and_keeps_nothing(
    fresh_database: str,
) -> None:
    migrate(make_url(fresh_database))
    ledger = await Ledger.open(make_url(fresh_database))

    async def lose_it() -> None:
        async with ledger.database.writing() as connection:
            await connection.exec_driver_sql("DELETE FROM commit_leases")
            await connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(LedgerUnavailableError):
        await lose_it()
    assert await Steps(ledger).count("SELECT count(*) FROM commit_leases") == 1
    await ledger.close()


async def test_a_mistake_in_sql_is_not_called_an_outage(ledger: Ledger, steps: Steps) -> None:
    with pytest.raises(DBAPIError):
        await steps.count("SELECT nothing FROM nowhere")


async def test_a_ledger_that_lives_answers(ledger: Ledger) -> None:
    await ledger.ping()


async def test_many_hosts_may_migrate_at_once(empty_database: URL) -> None:
    await asyncio.gather(*(asyncio.to_thread(migrate, empty_database) for _ in range(4)))
    ledger = await Ledger.open(empty_database)
    assert len((await ledger.workspaces.page(None, limit=10)).rows) == 1
    await ledger.close()


async def test_the_migrated_schema_is_the_one_the_code_uses(ledger: Ledger) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    async with ledger.database.reading() as connection:
        assert await connection.run_sync(differences) == []
