"""Every test of this folder runs on PostgreSQL and on SQLite."""

import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import URL, make_url

from shared.ids import DEFAULT_WORKSPACE
from shared.ledger.ledger import Ledger
from shared.ledger.migrate import migrate
from shared.ledger.tables import metadata
from tests.contract.ledger.steps import Steps
from tests.services import run

DATABASES = ["postgresql", "sqlite"]


@pytest.fixture(params=DATABASES)
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> URL:
    """A database without a schema."""
    if request.param == "sqlite":
        return URL.create("sqlite+aiosqlite", database=str(tmp_path / "ledger.db"))
    return make_url(request.getfixturevalue("fresh_database"))


@pytest.fixture(scope="session", params=DATABASES)
def migrated_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[URL]:
    """One database for all tests: making a schema takes longer than most of them."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("ledger") / "ledger.db"
        url = URL.create("sqlite+aiosqlite", database=str(path))
        migrate(url)
        yield url
        return
    server = request.getfixturevalue("postgres_url")
    name = f"ledger_{secrets.token_hex(6)}"
    run(_execute(server, f"CREATE DATABASE {name}"))
    url = make_url(server).set(database=name)
    migrate(url)
    yield url
    run(_execute(server, f"DROP DATABASE {name} WITH (FORCE)"))


async def _execute(server: str, statement: str) -> None:
    connection = await asyncpg.connect(server.replace("+asyncpg", ""))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture
async def ledger(migrated_database: URL) -> AsyncIterator[Ledger]:
    """A ledger in which nothing happened yet."""
    opened = await Ledger.open(migrated_database)
    async with opened.database.writing() as connection:
        for table in reversed(metadata.sorted_tables):
            await connection.execute(table.delete())
    await opened.workspaces.create(DEFAULT_WORKSPACE)
    yield opened
    await opened.close()


@pytest.fixture
def steps(ledger: Ledger) -> Steps:
    return Steps(ledger)
