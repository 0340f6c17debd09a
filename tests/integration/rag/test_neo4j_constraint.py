"""Neo4j holds every entity once, whoever came first and however many write at a time."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lightrag.kg.redis_impl import RedisConnectionManager

from shared.errors import GraphDuplicatesError
from shared.ids import PhysicalWorkspace
from shared.rag.neo4j_constraint import ensure_unique_entities, has_unique_entities
from shared.rag.neo4j_driver import open_driver
from shared.rag.pool import RagPool
from shared.settings import Settings
from tests.models import CountingModel, models_of

if TYPE_CHECKING:
    from neo4j import AsyncDriver

PROJECT = Path(__file__).parents[3]
MAIN = PhysicalWorkspace("main")
DOUBLED = "CREATE (:main {entity_id: 'Einstein'}), (:main {entity_id: 'Einstein'})"
WRITER = """
import asyncio
from shared.ids import PhysicalWorkspace
from shared.rag.pool import RagPool
from shared.settings import load_settings
from tests.models import CountingModel, models_of

async def write():
    pool = RagPool(load_settings(None), models_of(CountingModel()))
    async with pool.use(PhysicalWorkspace("main")) as rag:
        print("open", flush=True)
        await asyncio.to_thread(input)
        graph = rag.chunk_entity_relation_graph
        rows = [(f"e{n}", {"entity_id": f"e{n}", "description": "x"}) for n in range(500)]
        for first in range(0, 500, 100):
            await graph.upsert_nodes_batch(rows[first : first + 100])
    await pool.close()

asyncio.run(write())
"""


@pytest.fixture
async def driver(neo4j_settings: Settings) -> "AsyncIterator[AsyncDriver]":
    async with open_driver(neo4j_settings) as opened:
        yield opened


@pytest.fixture
async def rags(neo4j_settings: Settings) -> AsyncIterator[RagPool]:
    pool = RagPool(neo4j_settings, models_of(CountingModel()))
    yield pool
    await pool.close()


async def indexes(driver: "AsyncDriver") -> dict[str, bool]:
    """Which kinds of index there are on entity_id, and whether a constraint owns them."""
    found = await driver.execute_query(
        "SHOW INDEXES YIELD type, properties, owningConstraint WHERE properties = ['entity_id']"
    )
    return {kind: owner is not None for kind, _, owner in found.records}


async def test_a_new_workspace_gets_the_constraint_and_lightrags_full_text_index(
    rags: RagPool, driver: "AsyncDriver"
) -> None:
    async with rags.use(MAIN) as rag:
        await rag.chunk_entity_relation_graph.upsert_node("清华大学", {"entity_id": "清华大学"})
    assert await indexes(driver) == {"RANGE": True, "FULLTEXT": False}


async def test_lightrags_own_index_gives_way_and_doing_it_again_changes_nothing(
    neo4j_settings: Settings, driver: "AsyncDriver", rags: RagPool
) -> None:
    await driver.execute_query("CREATE INDEX stock FOR (n:main) ON (n.entity_id)")
    await driver.execute_query("CREATE INDEX other FOR (n:elsewhere) ON (n.entity_id)")
    await driver.execute_query("CREATE (:main {entity_id: 'kept'})")
    assert not await has_unique_entities(neo4j_settings, MAIN)
    for _ in range(2):
        await ensure_unique_entities(neo4j_settings, MAIN)
    assert await has_unique_entities(neo4j_settings, MAIN)
    names = await driver.execute_query("SHOW INDEXES YIELD name")
    assert "other" in {record["name"] for record in names.records}
    async with rags.use(MAIN) as rag:
        assert await rag.chunk_entity_relation_graph.has_node("kept")


async def test_doubles_are_reported_with_the_command_that_repairs_them(
    driver: "AsyncDriver", rags: RagPool
) -> None:
    await driver.execute_query("CREATE INDEX stock FOR (n:main) ON (n.entity_id)")
    await driver.execute_query(DOUBLED)
    with pytest.raises(GraphDuplicatesError, match=r"1 entities.*duplicates --workspace main"):
        async with rags.use(MAIN):
            pass
    assert await indexes(driver) == {"RANGE": False}  # stock LightRAG can go on as before
    assert RedisConnectionManager._pool_refs == {}  # nothing stays open of what was refused


async def test_another_generation_is_named_as_people_name_it(
    neo4j_settings: Settings, driver: "AsyncDriver"
) -> None:
    await driver.execute_query(DOUBLED.replace(":main", ":main__g2"))
    with pytest.raises(GraphDuplicatesError, match="--workspace main`"):
        await ensure_unique_entities(neo4j_settings, PhysicalWorkspace("main__g2"))


async def test_a_neo4j_that_was_replaced_gets_its_constraint_again(
    neo4j_settings: Settings, driver: "AsyncDriver"
) -> None:
    for _ in range(2):
        pool = RagPool(neo4j_settings, models_of(CountingModel()))
        async with pool.use(MAIN):
            pass
        await pool.close()
        found = await driver.execute_query("SHOW CONSTRAINTS YIELD name")
        assert len(found.records) == 1
        await driver.execute_query(f"DROP CONSTRAINT {found.records[0]['name']}")


def started(variables: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", WRITER],
        cwd=PROJECT,
        env=variables | {"LOG_LEVEL": "error"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


async def test_two_processes_that_write_the_same_entities_leave_each_once(
    neo4j_variables: dict[str, str], driver: "AsyncDriver"
) -> None:
    writers = [started(neo4j_variables) for _ in range(2)]
    try:
        for writer in writers:
            assert writer.stdout is not None
            while await asyncio.to_thread(writer.stdout.readline) != "open\n":
                assert writer.poll() is None
        # Both at once: communicate() says go.
        await asyncio.gather(*(asyncio.to_thread(writer.communicate, "\n") for writer in writers))
        assert [writer.returncode for writer in writers] == [0, 0]
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()
    found = await driver.execute_query("MATCH (n:main) RETURN count(n) AS nodes")
    assert found.records[0]["nodes"] == 500
