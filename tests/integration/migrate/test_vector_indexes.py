"""The index of a table of vectors is away while it is filled, and comes back whatever happens."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import asyncpg
import numpy as np
import pytest

from shared.connections import ledger_url
from shared.ids import WorkspaceName
from shared.ledger.ledger import Ledger
from shared.ledger.migrate import migrate
from shared.ledger.records import CommitLease
from shared.settings import load_settings
from tests.integration.migrate.conftest import command, opened
from worker.commit.apply import postgres_vectors
from worker.commit.apply.postgres import PostgresStore
from worker.commit.apply.store import FencedOffError
from worker.commit.operations import Kind, Operation

POSTGRES = pytest.mark.parametrize("variables", ["postgres"], indirect=True)
VECTORS = ["chunks_vdb", "entities_vdb", "relationships_vdb"]
DIMENSION = 384
ROW = {"entity_name": "Ada", "content": "Ada", "source_id": "c-1", "file_path": "a.txt"}
pytestmark = POSTGRES


async def connected(variables: dict[str, str]) -> asyncpg.Connection:
    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
    where = {name: variables[f"POSTGRES_{ours}"] for name, ours in names.items()}
    return await asyncpg.connect(database=variables["POSTGRES_DB"], **where)


async def vector_indexes(variables: dict[str, str]) -> set[str]:
    """Definitions of the indexes that are there."""
    connection = await connected(variables)
    try:
        rows = await connection.fetch(
            "SELECT indexdef FROM pg_indexes WHERE indexdef LIKE '%USING hnsw%'"
        )
    finally:
        await connection.close()
    return {row["indexdef"] for row in rows}


async def made_by_lightrag(variables: dict[str, str]) -> set[str]:
    async with opened(variables, "whatever"):
        return await vector_indexes(variables)


def migrating(folder: Path, workspace: str) -> tuple[str, ...]:
    return ("migrate", "--from", f"folder:{folder}", "--to", "settings", "-w", workspace)


@pytest.mark.long
def test_a_copy_killed_before_its_indexes_are_made_heals(
    stock_folder: Path, variables: dict[str, str]
) -> None:
    indexes = asyncio.run(made_by_lightrag(variables))
    assert len(indexes) == len(VECTORS)
    dying = command(variables, module="tests.integration.migrate.killed_indexing")
    killed = dying(*migrating(stock_folder, "one"))
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert asyncio.run(vector_indexes(variables)) < indexes

    # Whoever opens a workspace, with the same table or the same command.
    assert asyncio.run(made_by_lightrag(variables)) == indexes
    again = command(variables)(*migrating(stock_folder, "one"))
    assert again.returncode == 0, again.stdout + again.stderr
    assert asyncio.run(vector_indexes(variables)) == indexes

    # Others have rows there now: their questions need the index, so there is none to be made.
    beside = dying(*migrating(stock_folder, "two"))
    assert beside.returncode == 0, beside.stdout + beside.stderr


@pytest.fixture
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_vectors, "_MANY_VECTORS", 0)


@asynccontextmanager
async def leased(variables: dict[str, str]) -> AsyncIterator[CommitLease]:
    url = ledger_url(load_settings(None, overrides=variables))
    await asyncio.to_thread(migrate, url)
    ledger = await Ledger.open(url)
    try:
        name = WorkspaceName("mine")
        await ledger.workspaces.create(name)
        lease = await ledger.workspaces.take_commit_lease(name, holder="one", ttl_ms=60_000)
        assert lease is not None
        yield lease
    finally:
        await ledger.close()


def entities(numbers: range) -> Operation:
    rows = [[f"ent-{number}", ROW] for number in numbers]
    vectors = tuple(np.full(DIMENSION, 1 + n, dtype="<f4").tobytes() for n in numbers)
    return Operation(Kind.PUT_VECTORS, "entities_vdb", rows, vectors)


async def fill_and_fail(store: PostgresStore) -> None:
    async with store.filling():
        await store.apply(entities(range(3)))
        raise ValueError("damaged")


async def fill_until_overtaken(store: PostgresStore, overtaken: PostgresStore) -> None:
    """Take an index away, and be overtaken before it is made again."""
    async with store.filling():
        await store.apply(entities(range(3)))
        assert store._filling is not None
        store._filling._fenced = overtaken._fenced


@pytest.mark.usefixtures("few_are_many")
async def test_an_index_that_is_away_comes_back_as_it_was(variables: dict[str, str]) -> None:
    async with leased(variables) as lease, opened(variables, lease.physical) as rag:
        indexes = await vector_indexes(variables)
        store = PostgresStore(rag, lease, timeout_ms=5000)
        async with store.filling():
            await store.apply(entities(range(3)))
            await store.apply(entities(range(2)))  # again, as after a kill
            assert len(await vector_indexes(variables)) == len(indexes) - 1
        assert await vector_indexes(variables) == indexes
        found = await rag.entities_vdb.get_vectors_by_ids(["ent-0", "ent-1", "ent-2"])
        assert [found[f"ent-{number}"][0] for number in range(3)] == [1, 2, 3]


@pytest.mark.usefixtures("few_are_many")
async def test_an_index_that_a_failed_copy_left_away_is_made_by_whoever_opens_lightrag(
    variables: dict[str, str],
) -> None:
    async with leased(variables) as lease, opened(variables, lease.physical) as rag:
        indexes = await vector_indexes(variables)
        store = PostgresStore(rag, lease, timeout_ms=5000)
        with pytest.raises(ValueError, match="damaged"):
            await fill_and_fail(store)
        assert await vector_indexes(variables) < indexes
    assert await made_by_lightrag(variables) == indexes


@pytest.mark.usefixtures("few_are_many")
async def test_a_table_keeps_its_index_while_more_is_there_than_was_written(
    variables: dict[str, str],
) -> None:
    async with leased(variables) as lease, opened(variables, lease.physical) as rag:
        indexes = await vector_indexes(variables)
        store = PostgresStore(rag, lease, timeout_ms=5000)
        await store.apply(entities(range(4)))
        async with store.filling():
            for written in range(4):
                await store.apply(entities(range(written, written + 1)))
                assert await vector_indexes(variables) == indexes
            await store.apply(entities(range(4, 5)))
            assert await vector_indexes(variables) < indexes
        assert await vector_indexes(variables) == indexes


@pytest.mark.usefixtures("few_are_many")
async def test_an_index_that_somebody_reads_stays(variables: dict[str, str]) -> None:
    async with leased(variables) as lease, opened(variables, lease.physical) as rag:
        indexes = await vector_indexes(variables)
        store = PostgresStore(rag, lease, timeout_ms=5000)
        reader = await connected(variables)
        async with reader.transaction(), store.filling():
            await reader.execute(f"SELECT 1 FROM {rag.entities_vdb.table_name}")  # noqa: S608 - LightRAG's name
            await store.apply(entities(range(3)))
        await reader.close()
        assert await vector_indexes(variables) == indexes
        assert None not in await rag.entities_vdb.get_by_ids(["ent-0", "ent-1", "ent-2"])


async def test_our_own_writers_do_not_keep_an_index_from_going_away(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_vectors, "_MANY_VECTORS", 300)
    monkeypatch.setattr(postgres_vectors, "_LOCK_TIMEOUT_MS", 1)
    async with leased(variables) as lease, opened(variables, lease.physical) as rag:
        indexes = await vector_indexes(variables)
        store = PostgresStore(rag, lease, timeout_ms=5000)
        async with store.filling():
            several = (store.apply(entities(range(n * 100, n * 100 + 100))) for n in range(8))
            await asyncio.gather(*several)
            assert await vector_indexes(variables) < indexes
        assert await vector_indexes(variables) == indexes
        keys = [f"ent-{number}" for number in range(800)]
        assert None not in await rag.entities_vdb.get_by_ids(keys)


@pytest.mark.usefixtures("few_are_many")
async def test_who_was_overtaken_neither_copies_nor_touches_an_index(
    variables: dict[str, str],
) -> None:
    async with leased(variables) as lease, opened(variables, lease.physical) as rag:
        indexes = await vector_indexes(variables)
        overtaken = PostgresStore(rag, replace(lease, token=lease.token - 1), timeout_ms=5000)
        async with overtaken.filling():
            with pytest.raises(FencedOffError):
                await overtaken.apply(entities(range(3)))
        assert await vector_indexes(variables) == indexes
        assert await rag.entities_vdb.get_by_ids(["ent-0"]) == [None]

        store = PostgresStore(rag, lease, timeout_ms=5000)
        with pytest.raises(FencedOffError):
            await fill_until_overtaken(store, overtaken)
        assert await vector_indexes(variables) < indexes
