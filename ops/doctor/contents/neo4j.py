"""Names of a graph's entities and relations in Neo4j."""

from typing import TYPE_CHECKING

from ops.doctor.contents.inventory import Inventory
from shared.ids import PhysicalWorkspace
from shared.rag.neo4j_constraint import cypher

if TYPE_CHECKING:
    from neo4j import AsyncDriver

_PAGE = 1000
_ENTITIES = """
MATCH (n:{label}) WHERE n.entity_id IS NOT NULL RETURN n.entity_id, n.source_id
"""
_RELATIONS = """
MATCH (a:{label})-[r]->(b:{label}) WHERE a.entity_id IS NOT NULL AND b.entity_id IS NOT NULL
RETURN a.entity_id, b.entity_id, r.source_id
"""


async def read_neo4j(
    driver: "AsyncDriver", database: str, workspace: PhysicalWorkspace, inventory: Inventory
) -> None:
    """Read all names with their sources."""
    async with driver.session(database=database) as session:
        result = await session.run(cypher(_ENTITIES, workspace))
        while records := await result.fetch(_PAGE):
            inventory.add_entities((name, sources) for name, sources in records)
        result = await session.run(cypher(_RELATIONS, workspace))
        while records := await result.fetch(_PAGE):
            inventory.add_relations((one, two, sources) for one, two, sources in records)
