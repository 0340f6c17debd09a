"""A graph that is larger than a small Neo4j's memory is removed all the same."""

from collections import Counter
from collections.abc import AsyncIterator

import pytest
from neo4j import AsyncGraphDatabase, AsyncSession

from shared.ledger.records import TaskState
from tests.integration.worker.fleet import Fleet
from tests.services import Neo4jServer
from worker.commit.apply.neo4j_emptying import empty_graph

pytestmark = pytest.mark.asyncio(loop_scope="module")
_COUNTED = "MATCH (n:`{label}`) OPTIONAL MATCH (n)-[r]->() RETURN count(DISTINCT n), count(r)"
# Of a heap of 512 MB, Neo4j lends 346 MB to transactions: too little to delete 100,000 at once.
_LARGE = """
    UNWIND range(1, {nodes}) AS number
    CALL (number) {{
        CREATE (:`{label}` {{entity_id: 'entity ' + number, description: 'what it is: ' + number}})
    }} IN TRANSACTIONS OF 5000 ROWS
"""
_RELATED = """
    MATCH (hub:`{label}` {{entity_id: 'entity 1'}})
    MATCH (one:`{label}`)
    CALL (hub, one) {{
        CREATE (hub)-[:DIRECTED {{weight: 1.0}}]->(one)
        CREATE (one)-[:DIRECTED {{weight: 2.0}}]->(hub)
    }} IN TRANSACTIONS OF 5000 ROWS
"""


@pytest.fixture
async def session(neo4j_server: Neo4jServer) -> AsyncIterator[AsyncSession]:
    auth = ("neo4j", neo4j_server.password)
    async with (
        AsyncGraphDatabase.driver(neo4j_server.uri, auth=auth) as driver,
        driver.session() as opened,
    ):
        yield opened


async def _make(session: AsyncSession, label: str, *, nodes: int) -> None:
    for query in (_LARGE, _RELATED):
        await (await session.run(query.format(label=label, nodes=nodes))).consume()


async def _counted(session: AsyncSession, label: str) -> list[int]:
    record = await (await session.run(_COUNTED.format(label=label))).single(strict=True)
    return list(record)


async def test_no_part_is_larger_than_allowed_and_nothing_is_left(session: AsyncSession) -> None:
    await _make(session, "emptied", nodes=5)
    await _make(session, "neighbour", nodes=2)
    seen = Counter[str]()
    await empty_graph(
        session,
        label="emptied",
        on_progress=lambda: seen.update(["part"]),
        nodes_at_once=2,
        relations_at_once=3,
    )
    assert await _counted(session, "emptied") == [0, 0]
    assert await _counted(session, "neighbour") == [2, 4]
    assert seen["part"] >= 3 + 4  # of nodes and of relations
    await empty_graph(session, label="neighbour", on_progress=lambda: None)


@pytest.mark.long
async def test_a_workspace_of_100_000_entities_around_a_hub_is_dropped(
    guest: Fleet, session: AsyncSession
) -> None:
    await guest.upload(text="Ann Lee met Bo Fox in Oslo.")
    await guest.deliver()
    await _make(session, guest.workspace, nodes=100_000)
    drop = await guest.context.ledger.workspaces.request_drop(guest.workspace)
    await guest.commit()
    assert await guest.state(drop) is TaskState.SUCCEEDED
    assert await _counted(session, guest.workspace) == [0, 0]
