"""`ragfleet repair duplicates` leaves each entity and each pair's relation once."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest

from ops.repairing import repair_duplicates
from shared.connections import ledger_url
from shared.errors import WorkspaceBusyError, WorkspaceNotFoundError
from shared.ids import DEFAULT_WORKSPACE, PhysicalWorkspace, WorkspaceName
from shared.ledger.ledger import Ledger
from shared.ledger.migrate import migrate
from shared.rag import neo4j_repair
from shared.rag.neo4j_constraint import has_unique_entities
from shared.rag.neo4j_driver import open_driver
from shared.settings import Settings
from worker.commit.apply.neo4j import Neo4jStore
from worker.commit.apply.store import FencedOffError
from worker.commit.operations import Kind, Operation
from worker.commit.unit_of_work.unit import GRAPH_STORAGE

if TYPE_CHECKING:
    from neo4j import AsyncDriver

PHYSICAL = PhysicalWorkspace(DEFAULT_WORKSPACE)
# Three Einsteins and two Bohrs, as two writers leave them: every copy related with every other.
DAMAGE = """
UNWIND [['Einstein', 'c1'], ['Einstein', 'c2'], ['Einstein', 'c3'], ['Bohr', 'c1'], ['Bohr', 'c4']]
AS copy
CREATE (:default {entity_id: copy[0], source_id: copy[1], description: 'says ' + copy[1]})
WITH count(*) AS made
MATCH (e:default {entity_id: 'Einstein'}), (b:default {entity_id: 'Bohr'})
CREATE (e)-[:DIRECTED {weight: 1.0, source_id: 'c1', keywords: 'debate'}]->(b)
WITH collect(DISTINCT e) AS einsteins
CREATE (ulm:default {entity_id: 'Ulm', source_id: 'c2'})
CREATE (:elsewhere {entity_id: 'Einstein'}), (:elsewhere {entity_id: 'Einstein'})
WITH einsteins, ulm, einsteins[0] AS one, einsteins[1] AS two, einsteins[2] AS three
CREATE (one)-[:DIRECTED {weight: 1.0, source_id: 'c2', description: 'born'}]->(ulm)
CREATE (ulm)-[:DIRECTED {weight: 2.0, source_id: 'c3', description: 'left'}]->(two)
CREATE (one)-[:DIRECTED {weight: 1.0, source_id: 'c2'}]->(three)
"""


@pytest.fixture
async def ledger(neo4j_settings: Settings) -> AsyncIterator[Ledger]:
    await asyncio.to_thread(migrate, ledger_url(neo4j_settings))
    opened = await Ledger.open(ledger_url(neo4j_settings))
    yield opened
    await opened.close()


@pytest.fixture
async def driver(neo4j_settings: Settings, ledger: Ledger) -> "AsyncIterator[AsyncDriver]":
    async with open_driver(neo4j_settings) as opened:
        await opened.execute_query(DAMAGE)
        yield opened


async def graph(driver: "AsyncDriver", label: str = "default") -> tuple[Any, Any]:
    nodes = await driver.execute_query(f"MATCH (n:{label}) RETURN n.entity_id, properties(n)")
    edges = await driver.execute_query(
        f"MATCH (a:{label})-[r]->(b:{label}) RETURN a.entity_id, b.entity_id, properties(r)"
    )
    return (
        sorted(
            (name, sorted(found.get("source_id", "").split("<SEP>")))
            for name, found in nodes.records
        ),
        sorted((*sorted((one, two)), found["weight"]) for one, two, found in edges.records),
    )


async def repaired(settings: Settings) -> str:
    said: list[str] = []
    await repair_duplicates(settings, DEFAULT_WORKSPACE, say=said.append)
    return said[0]


async def test_a_committer_that_was_stopped_before_the_repair_writes_no_more(
    driver: "AsyncDriver", ledger: Ledger, neo4j_settings: Settings
) -> None:
    lease = await ledger.workspaces.take_commit_lease(DEFAULT_WORKSPACE, holder="old", ttl_ms=1)
    assert lease is not None
    stopped = Neo4jStore(
        driver,
        database=neo4j_settings.neo4j.database,
        workspace=lease.physical,
        token=lease.token,
        timeout_s=10,
    )
    await stopped.raise_fence()
    await repaired(neo4j_settings)
    with pytest.raises(FencedOffError):
        await stopped.apply(Operation(Kind.PUT_NODES, GRAPH_STORAGE, [["Mars", {}]]))
    assert await graph(driver) == REPAIRED


REPAIRED = (
    [("Bohr", ["c1", "c4"]), ("Einstein", ["c1", "c2", "c3"]), ("Ulm", ["c2"])],
    [("Bohr", "Einstein", 1.0), ("Einstein", "Ulm", 3.0)],
)


async def test_one_node_and_one_relation_are_left_of_each_and_doing_it_again_changes_nothing(
    neo4j_settings: Settings, driver: "AsyncDriver"
) -> None:
    said = await repaired(neo4j_settings)
    assert "2 entities were there more than once; removed 3 nodes and 6 relations" in said
    assert await graph(driver) == REPAIRED
    assert await has_unique_entities(neo4j_settings, PHYSICAL)
    assert "0 entities" in await repaired(neo4j_settings)
    assert await graph(driver) == REPAIRED
    assert len((await graph(driver, "elsewhere"))[0]) == 2  # not this workspace's


async def test_small_transactions_bring_the_same(
    neo4j_settings: Settings, driver: "AsyncDriver", monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit in ("_ENTITIES_AT_ONCE", "_PAIRS_AT_ONCE", "_RELATIONS_AT_ONCE"):
        monkeypatch.setattr(neo4j_repair, limit, 1)
    await repaired(neo4j_settings)
    assert await graph(driver) == REPAIRED


async def test_a_repair_that_died_is_finished_by_the_next(
    neo4j_settings: Settings, driver: "AsyncDriver", monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(_copies: object) -> dict[str, object]:
        raise KeyError

    for step in ("merged_entities", "merged_relations"):
        with monkeypatch.context() as patched:
            patched.setattr(neo4j_repair, step, dies)
            with pytest.raises(KeyError):
                await repaired(neo4j_settings)
    await repaired(neo4j_settings)
    assert await graph(driver) == REPAIRED


async def test_it_waits_for_nobody_who_is_writing(
    neo4j_settings: Settings, driver: "AsyncDriver", ledger: Ledger
) -> None:
    lease = await ledger.workspaces.take_commit_lease(
        DEFAULT_WORKSPACE, holder="a committer", ttl_ms=60_000
    )
    assert lease is not None
    before = await graph(driver)
    with pytest.raises(WorkspaceBusyError):
        await repaired(neo4j_settings)
    assert await graph(driver) == before
    await ledger.workspaces.release_commit_lease(lease)
    await repaired(neo4j_settings)
    # And it gives the lease back.
    assert await ledger.workspaces.take_commit_lease(DEFAULT_WORKSPACE, holder="x", ttl_ms=1)


async def test_an_unknown_workspace_is_said(neo4j_settings: Settings, ledger: Ledger) -> None:
    with pytest.raises(WorkspaceNotFoundError):
        await repair_duplicates(neo4j_settings, WorkspaceName("nowhere"), say=print)
