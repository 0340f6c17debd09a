"""A Redis that forgot commits is repaired from journals, or the workspace says what is wrong."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from sqlalchemy import text

from shared.ledger.records import TaskState
from tests.integration.engine.disturbed import (
    AFTER_THE_THIRD,
    FIRST,
    SECOND,
    THIRD,
    prepared,
    states,
)
from tests.integration.engine.own_servers import (
    AppendOnlyFiles,
    OwnServer,
    before_first,
    new_valkey,
    running,
)
from tests.integration.engine.shapes import another_workspace, open_fleet, server_variables
from tests.integration.engine.steps import committed, held, journals, tasks_by_document
from tests.integration.worker.fleet import Fleet
from worker.commit.apply.redis import RedisStore
from worker.commit.operations import Kind

LAST = {"last": THIRD["last"]}
SECOND_AND_FIRST = {**FIRST, **SECOND}


@pytest.fixture
async def valkey(open_folder: Path) -> AsyncIterator[OwnServer]:
    async with running(new_valkey(open_folder)) as own:
        yield own


@pytest.fixture
async def fleet(valkey: OwnServer, fresh_database: str, tmp_path: Path) -> AsyncIterator[Fleet]:
    """On that Valkey, and the graph in PostgreSQL."""
    variables = server_variables("valkey", tmp_path, fresh_database, valkey.server.url())
    async with open_fleet(variables) as opened:
        yield opened


async def lose_all_after_the_first(fleet: Fleet, valkey: OwnServer) -> None:
    """Commit twice more than the append-only file that is put back knows of."""
    files = AppendOnlyFiles(valkey.server)
    await committed(fleet, FIRST)
    files.copy()
    await committed(fleet, SECOND)
    await committed(fleet, {"new": THIRD["new"]})
    await valkey.stop()
    files.put_back()
    await valkey.start()


async def test_the_next_holder_writes_what_redis_lost(fleet: Fleet, valkey: OwnServer) -> None:
    undisturbed = await another_workspace(fleet)
    for texts in (FIRST, SECOND, {"new": THIRD["new"]}, LAST):
        await committed(undisturbed, texts)
    expected = await held(undisturbed, (*AFTER_THE_THIRD, "goes"))
    await lose_all_after_the_first(fleet, valkey)
    await committed(fleet, LAST)
    assert await states(fleet) == {TaskState.SUCCEEDED}
    assert await held(fleet, (*AFTER_THE_THIRD, "goes")) == expected


async def require_stopped(fleet: Fleet, code: str) -> None:
    """The workspace's next task waits, with a code, and its commit changed nothing."""
    count = await journals(fleet)
    await committed(fleet, LAST)
    task = (await tasks_by_document(fleet))["last"]
    assert (task.state, task.error_code) == (TaskState.READY, code)
    assert fleet.sender.sent == []  # the sweeper asks again, in its own time
    assert await journals(fleet) == count


async def test_more_lost_than_is_kept_stops_the_workspace(fleet: Fleet, valkey: OwnServer) -> None:
    await lose_all_after_the_first(fleet, valkey)
    await fleet.context.ledger.journals.remove_old(closed_for_ms=-1, limit=100)
    await require_stopped(fleet, "store_lost_commits")


async def test_a_ledger_older_than_its_stores_stops_the_workspace(fleet: Fleet) -> None:
    await committed(fleet, FIRST)
    await committed(fleet, SECOND)
    async with fleet.context.ledger.database.writing() as connection:
        await connection.execute(text("DELETE FROM journals WHERE seq = 2"))
    await require_stopped(fleet, "store_ahead_of_ledger")


async def test_a_full_redis_lets_the_journal_wait(
    fleet: Fleet, valkey: OwnServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await committed(fleet, FIRST)
    async with Redis.from_url(valkey.server.url()) as redis:

        async def fill() -> None:
            await redis.config_set("maxmemory", "1")

        before_first(monkeypatch, RedisStore, Kind.PUT_ROWS, fill)
        await committed(fleet, SECOND)
        for doc_id in SECOND:
            task = (await tasks_by_document(fleet))[doc_id]
            assert (task.state, task.error_code) == (TaskState.COMMITTING, "store_unavailable")
        await redis.config_set("maxmemory", "0")
    await fleet.commit()
    assert await states(fleet) == {TaskState.SUCCEEDED}
    undisturbed = await another_workspace(fleet)
    await committed(undisturbed, FIRST)
    await committed(undisturbed, SECOND)
    assert await held(fleet, SECOND_AND_FIRST) == await held(undisturbed, SECOND_AND_FIRST)


async def test_a_redis_that_stops_in_the_middle_lets_the_journal_wait(
    fleet: Fleet, valkey: OwnServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await committed(fleet, FIRST)
    await prepared(fleet, SECOND)
    before_first(monkeypatch, RedisStore, Kind.REMOVE_ROWS, valkey.stop)
    await fleet.commit()
    task = (await tasks_by_document(fleet))["new"]
    assert (task.state, task.error_code) == (TaskState.COMMITTING, "store_unavailable")
    await valkey.start()
    await fleet.commit()
    assert await states(fleet) == {TaskState.SUCCEEDED}
    undisturbed = await another_workspace(fleet)
    await committed(undisturbed, FIRST)
    await committed(undisturbed, SECOND)
    assert await held(fleet, SECOND_AND_FIRST) == await held(undisturbed, SECOND_AND_FIRST)
