"""Every test of this folder runs on PostgreSQL and on SQLite."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import URL, make_url

from shared.ledger.ledger import Ledger
from shared.ledger.migrate import migrate
from tests.contract.ledger.steps import Steps


@pytest.fixture(params=["postgresql", "sqlite"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> URL:
    """An empty database."""
    if request.param == "sqlite":
        return URL.create("sqlite+aiosqlite", database=str(tmp_path / "ledger.db"))
    return make_url(request.getfixturevalue("fresh_database"))


@pytest.fixture
async def ledger(database_url: URL) -> AsyncIterator[Ledger]:
    migrate(database_url)
    opened = await Ledger.open(database_url)
    yield opened
    await opened.close()


@pytest.fixture
def steps(ledger: Ledger) -> Steps:
    return Steps(ledger)
