"""A server that answers and does not let us in is named, with what to correct."""

from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest
from neo4j import AsyncGraphDatabase
from redis.asyncio import Redis
from sqlalchemy import make_url

from shared.contract.celery_sender import CelerySender
from shared.contract.names import QueueName
from shared.contract.payloads import Sweep
from shared.errors import QueueRefusedError, StoreRefusedError
from shared.rag.store_errors import translated_store_errors
from tests.services import Neo4jServer


async def told_of(call: Callable[[], Awaitable[object]]) -> str:
    with pytest.raises(StoreRefusedError) as refused, translated_store_errors():
        await call()
    return refused.value.detail


@pytest.mark.parametrize("change", [{"database": "nothing_here"}, {"password": "wrong"}])
async def test_a_postgresql_that_does_not_know_us_is_named_with_its_settings(
    fresh_database: str, change: dict[str, str]
) -> None:
    url = make_url(fresh_database).set(drivername="postgresql", **change)

    async def connect() -> None:
        await asyncpg.connect(url.render_as_string(hide_password=False))

    assert "POSTGRES_PASSWORD" in await told_of(connect)


@pytest.fixture
def wrong_redis(valkey_url: str) -> str:
    return make_url(valkey_url).set(password="wrong").render_as_string(hide_password=False)


@pytest.fixture
async def sender(wrong_redis: str) -> AsyncIterator[CelerySender]:
    sender = CelerySender(wrong_redis)
    yield sender
    await sender.close()


async def test_a_redis_that_does_not_know_our_password_is_named_with_it(wrong_redis: str) -> None:
    async with Redis.from_url(wrong_redis) as client:
        assert "REDIS_PASSWORD" in await told_of(client.ping)


async def test_a_broker_that_does_not_know_our_password_has_a_code_of_its_own(
    sender: CelerySender,
) -> None:
    with pytest.raises(QueueRefusedError):
        await sender.send(Sweep())
    with pytest.raises(QueueRefusedError):
        await sender.depth(QueueName.PREPARE)


@pytest.mark.parametrize(
    ("password", "database"), [("wrong password", "neo4j"), (None, "nothing.here")]
)
async def test_a_neo4j_that_does_not_know_us_or_our_database_is_named_with_its_settings(
    fresh_neo4j: Neo4jServer, password: str | None, database: str
) -> None:
    auth = ("neo4j", password or fresh_neo4j.password)
    async with AsyncGraphDatabase.driver(fresh_neo4j.uri, auth=auth) as driver:

        async def ask() -> None:
            await driver.execute_query("RETURN 1", database_=database)

        assert "NEO4J_DATABASE" in await told_of(ask)
