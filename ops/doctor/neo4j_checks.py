"""The Neo4j of the graph: is it there, and new enough?"""

from typing import TYPE_CHECKING

from ops.doctor.ground import Ground
from ops.doctor.report import Finding, Reporter
from shared.errors import StoreRefusedError, StoreUnavailableError
from shared.rag.store_errors import translated_store_errors

if TYPE_CHECKING:
    from neo4j import AsyncDriver

_SERVER = Reporter("doctor.neo4j")
_VERSION = Reporter("doctor.neo4j_version")
_COMPONENTS = """
CALL dbms.components() YIELD name, versions, edition
WHERE name = 'Neo4j Kernel' RETURN versions[0] AS version, edition
"""
_OLDEST = (5, 0)
# `repair duplicates` merges with subqueries as they are written since.
_OLDEST_TO_REPAIR = (5, 23)


async def check_server(ground: Ground) -> Finding:
    """Ask whether it lets us in."""
    try:
        with translated_store_errors():
            await driver_of(ground).execute_query(
                "RETURN 1", database_=ground.settings.neo4j.database
            )
    except StoreRefusedError as error:
        return _SERVER.error(error.detail)
    except StoreUnavailableError:
        return _SERVER.error("Neo4j is not reachable; start it, or look at NEO4J_URI.")
    return _SERVER.ok("Neo4j answers.")


async def check_version(ground: Ground) -> Finding:
    """Compare its version with the oldest that works."""
    found = await driver_of(ground).execute_query(
        _COMPONENTS, database_=ground.settings.neo4j.database
    )
    version, edition = found.records[0]
    parts = tuple(int(part) for part in version.split("-")[0].split(".")[:2])
    if parts < _OLDEST:
        return _VERSION.error(f"Neo4j {version} is too old; use 5.23 or newer.")
    if parts < _OLDEST_TO_REPAIR:
        return _VERSION.warning(
            f"Neo4j {version} works, but `ragfleet repair duplicates` needs 5.23 or newer."
        )
    return _VERSION.ok(f"Neo4j {version} {edition}.")


def driver_of(ground: Ground) -> "AsyncDriver":
    """Return the driver of the graph, where the graph is in Neo4j."""
    assert ground.neo4j is not None  # noqa: S101 - asked only where it is used
    return ground.neo4j
