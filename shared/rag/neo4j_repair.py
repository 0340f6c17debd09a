"""Making one node of each doubled entity, and one relation of each pair, in small transactions.

Two LightRAGs that wrote one graph without a uniqueness constraint left entities more than once,
and relations between their copies. Every step leaves a graph that the next run can go on from.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, LiteralString

from shared.ids import PhysicalWorkspace
from shared.rag.neo4j_constraint import cypher
from shared.rag.neo4j_merging import merged_entities, merged_relations

if TYPE_CHECKING:
    from neo4j import AsyncDriver, AsyncManagedTransaction, AsyncSession

Row = dict[str, Any]
_ENTITIES_AT_ONCE = 100
_PAIRS_AT_ONCE = 200
_RELATIONS_AT_ONCE = 1000
"""A hub has many thousands: moving them all in one transaction could fill the server's memory."""

_DOUBLED = """
MATCH (n:{label}) WHERE n.entity_id IS NOT NULL
WITH n.entity_id AS id, count(*) AS nodes WHERE nodes > 1
RETURN id ORDER BY id
"""
# The one that all others become is the oldest: stock LightRAG has mostly read that one.
_COPIES = """
MATCH (n:{label}) WHERE n.entity_id IN $ids
WITH n ORDER BY coalesce(n.created_at, 0), elementId(n)
RETURN n.entity_id AS id, collect(elementId(n)) AS copies
"""
# A relation between copies of two entities is found from both ends, but moved from one at a time.
_MOVE = """
UNWIND $moves AS move
MATCH (copy)-[old]-() WHERE elementId(copy) = move.copy
WITH old, head(collect(move)) AS move, head(collect(copy)) AS copy LIMIT $limit
MATCH (kept) WHERE elementId(kept) = move.kept
WITH old, kept, CASE WHEN startNode(old) = copy THEN endNode(old) ELSE startNode(old) END AS other
FOREACH (_ IN CASE WHEN other.entity_id = kept.entity_id THEN [] ELSE [1] END |
  CREATE (kept)-[new:DIRECTED]->(other) SET new = properties(old)
)
DELETE old
RETURN count(*) AS moved
"""
_PROPERTIES = """
UNWIND $moves AS move
MATCH (n) WHERE elementId(n) IN [move.kept] + move.copies
RETURN move.kept AS kept, collect(properties(n)) AS found
"""
_MERGE_NODES = """
UNWIND $rows AS row
MATCH (kept) WHERE elementId(kept) = row.kept
SET kept = row.properties
WITH row UNWIND row.copies AS copy
MATCH (n) WHERE elementId(n) = copy
DELETE n
"""
_PARALLEL = """
MATCH (a:{label})
CALL (a) {
  MATCH (a)-[r:DIRECTED]-(b:{label}) WHERE elementId(a) < elementId(b)
  WITH b, count(r) AS relations WHERE relations > 1
  RETURN elementId(b) AS other
}
RETURN elementId(a) AS one, other
"""
_RELATIONS = """
UNWIND $pairs AS pair
MATCH (a)-[r:DIRECTED]-(b) WHERE elementId(a) = pair[0] AND elementId(b) = pair[1]
WITH pair, r ORDER BY elementId(r)
RETURN pair, collect(elementId(r)) AS ids, collect(properties(r)) AS found
"""
_MERGE_RELATIONS = """
UNWIND $rows AS row
MATCH ()-[kept:DIRECTED]->() WHERE elementId(kept) = row.kept
SET kept = row.properties
WITH row UNWIND row.others AS other
MATCH ()-[r:DIRECTED]->() WHERE elementId(r) = other
DELETE r
"""


@dataclass
class Repaired:
    """What a repair did."""

    entities: int = 0
    """Entities that were there more than once."""
    nodes_removed: int = 0
    relations_removed: int = 0
    """Beside those between copies of one entity, which go with the copies."""


async def merge_duplicates(
    driver: "AsyncDriver", database: str, workspace: PhysicalWorkspace
) -> Repaired:
    """Merge all doubles of one workspace; nobody else may write it meanwhile."""
    done = Repaired()
    async with driver.session(database=database) as session:
        doubled = [row["id"] for row in await _rows(session, cypher(_DOUBLED, workspace))]
        for first in range(0, len(doubled), _ENTITIES_AT_ONCE):
            ids = doubled[first : first + _ENTITIES_AT_ONCE]
            await _merge_entities(session, workspace, ids, done)
        async for pairs in _parallel(session, workspace):
            await _merge_relations(session, pairs, done)
    return done


async def _merge_entities(
    session: "AsyncSession", workspace: PhysicalWorkspace, ids: list[str], done: Repaired
) -> None:
    found = await _rows(session, cypher(_COPIES, workspace), ids=ids)
    groups = [{"kept": row["copies"][0], "copies": row["copies"][1:]} for row in found]
    moves = [{"kept": one["kept"], "copy": copy} for one in groups for copy in one["copies"]]
    while (await _write(session, _MOVE, moves=moves, limit=_RELATIONS_AT_ONCE))[0]["moved"]:
        pass
    copies_of = {one["kept"]: one["copies"] for one in groups}
    rows = [
        {
            "kept": row["kept"],
            "copies": copies_of[row["kept"]],
            "properties": merged_entities(row["found"]),
        }
        for row in await _rows(session, _PROPERTIES, moves=groups)
    ]
    await _write(session, _MERGE_NODES, rows=rows)
    done.entities += len(groups)
    done.nodes_removed += len(moves)


async def _parallel(
    session: "AsyncSession", workspace: PhysicalWorkspace
) -> AsyncIterator[list[list[str]]]:
    """Pairs of nodes with more than one relation, some at a time."""
    found = await _rows(session, cypher(_PARALLEL, workspace))
    pairs = [[row["one"], row["other"]] for row in found]
    for first in range(0, len(pairs), _PAIRS_AT_ONCE):
        yield pairs[first : first + _PAIRS_AT_ONCE]


async def _merge_relations(session: "AsyncSession", pairs: list[list[str]], done: Repaired) -> None:
    rows = [
        {
            "kept": row["ids"][0],
            "others": row["ids"][1:],
            "properties": merged_relations(row["found"]),
        }
        for row in await _rows(session, _RELATIONS, pairs=pairs)
    ]
    await _write(session, _MERGE_RELATIONS, rows=rows)
    done.relations_removed += sum(len(row["others"]) for row in rows)


async def _rows(session: "AsyncSession", query: LiteralString, **parameters: object) -> list[Row]:
    return await session.execute_read(_run, query, parameters)


async def _write(session: "AsyncSession", query: LiteralString, **parameters: object) -> list[Row]:
    """Run one statement in a transaction of its own."""
    return await session.execute_write(_run, query, parameters)


async def _run(
    transaction: "AsyncManagedTransaction", query: LiteralString, parameters: dict[str, object]
) -> list[Row]:
    result = await transaction.run(query, parameters)
    return await result.data()
