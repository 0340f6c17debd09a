"""Emptying a graph in Neo4j by parts: whole, it fits into no small server's memory.

One `DETACH DELETE` of 100,000 entities with 200,000 relations needs more than the 350 MB that a
heap of 512 MB lends to transactions, and so can a few entities alone if they are hubs.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neo4j import AsyncSession

_NODES = "MATCH (n:`{label}`) RETURN elementId(n) LIMIT $most"
_RELATIONS = """
    MATCH (n)-[r]-() WHERE elementId(n) IN $nodes
    WITH DISTINCT r LIMIT $most
    DELETE r
    RETURN count(*)
"""
_DELETE = "MATCH (n) WHERE elementId(n) IN $nodes DETACH DELETE n"


async def empty_graph(
    session: "AsyncSession",
    *,
    label: str,
    on_progress: Callable[[], None],
    nodes_at_once: int = 1_000,
    relations_at_once: int = 5_000,
) -> None:
    """Delete the nodes of a label with their relations; broken off, it is repeated.

    Args:
        session: of the database; each part is a transaction of its own.
        label: of the workspace.
        on_progress: called after each part.
        nodes_at_once: the most that one transaction deletes.
        relations_at_once: the same for relations.

    Raises:
        neo4j.exceptions.Neo4jError: the server refused.
        neo4j.exceptions.DriverError: it is away.
    """
    while nodes := await _values(session, _NODES.format(label=label), most=nodes_at_once):
        while await _values(session, _RELATIONS, nodes=nodes, most=relations_at_once) != [0]:
            on_progress()
        await _values(session, _DELETE, nodes=nodes)
        on_progress()


async def _values(session: "AsyncSession", query: str, **parameters: object) -> list[object]:
    result = await session.run(query, parameters)
    return [value async for (value,) in result]
