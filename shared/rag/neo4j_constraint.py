"""One node for each entity: Neo4j itself must refuse a second one, LightRAG only hopes.

LightRAG makes an index on `entity_id`, and two MERGEs at once then make two nodes. A uniqueness
constraint brings an index of its own, so LightRAG's CREATE INDEX does nothing when it comes later.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, LiteralString

from shared.errors import GraphDuplicatesError
from shared.ids import PhysicalWorkspace, workspace_of
from shared.rag.neo4j_driver import open_driver, require_trusted
from shared.settings import Settings

if TYPE_CHECKING:
    from neo4j import AsyncSession

_CONSTRAINT_IS_THERE = """
SHOW CONSTRAINTS YIELD type, labelsOrTypes, properties
WHERE type ENDS WITH 'UNIQUENESS' AND labelsOrTypes = [$label] AND properties = ['entity_id']
RETURN count(*) > 0 AS there
"""
_INDEX_IN_THE_WAY = """
SHOW RANGE INDEXES YIELD name, labelsOrTypes, properties, owningConstraint
WHERE labelsOrTypes = [$label] AND properties = ['entity_id'] AND owningConstraint IS NULL
RETURN name
"""
_DOUBLED = """
MATCH (n:{label}) WHERE n.entity_id IS NOT NULL
WITH n.entity_id AS id, count(*) AS nodes WHERE nodes > 1
RETURN count(*) AS doubled
"""
_CREATE = "CREATE CONSTRAINT IF NOT EXISTS FOR (n:{label}) REQUIRE n.entity_id IS UNIQUE"


async def has_unique_entities(settings: Settings, workspace: PhysicalWorkspace) -> bool:
    """Whether the constraint of one workspace is there."""
    async with _session(settings) as session:
        return bool(await _value(session, _CONSTRAINT_IS_THERE, label=workspace))


async def ensure_unique_entities(settings: Settings, workspace: PhysicalWorkspace) -> None:
    """Make the constraint of one workspace unless it is there; one process at a time may do so.

    Raises:
        GraphDuplicatesError: entities are there more than once; nothing was changed.
    """
    async with _session(settings) as session:
        if not await _value(session, _CONSTRAINT_IS_THERE, label=workspace):
            await _create(session, workspace)


@asynccontextmanager
async def _session(settings: Settings) -> AsyncIterator["AsyncSession"]:
    from neo4j.exceptions import ServiceUnavailable  # noqa: PLC0415 - as in open_driver

    try:
        async with (
            open_driver(settings) as driver,
            driver.session(database=settings.neo4j.database) as session,
        ):
            yield session
    except ServiceUnavailable as error:
        try:
            await require_trusted(settings.neo4j)
        except OSError as reason:
            raise error from reason
        raise


async def _create(session: "AsyncSession", workspace: PhysicalWorkspace) -> None:
    from neo4j.exceptions import ClientError, DatabaseError  # noqa: PLC0415 - as in open_driver

    if doubled := await _value(session, cypher(_DOUBLED, workspace)):
        raise _duplicates(workspace, f"{doubled} entities")
    while name := await _value(session, _INDEX_IN_THE_WAY, label=workspace):
        await (await session.run(cypher("DROP INDEX {label} IF EXISTS", str(name)))).consume()
    try:
        await (await session.run(cypher(_CREATE, workspace))).consume()
    except (ClientError, DatabaseError) as error:
        if "ConstraintCreationFailed" not in str(error.code):
            raise
        raise _duplicates(workspace, "entities") from None  # written since we looked


async def _value(session: "AsyncSession", query: LiteralString, **parameters: str) -> object:
    """The first field of the first row; None when there is no row."""
    row = await (await session.run(query, dict(parameters))).single()
    return None if row is None else row[0]


def cypher(template: LiteralString, name: str) -> LiteralString:
    """Put a name of the schema, which no parameter can carry, into a statement as `{label}`."""
    quoted = "`" + name.replace("`", "``") + "`"
    return template.replace("{label}", quoted)


def _duplicates(workspace: PhysicalWorkspace, what: str) -> GraphDuplicatesError:
    name = workspace_of(workspace)
    return GraphDuplicatesError(
        f"Workspace {name} holds {what} more than once; "
        f"run `ragfleet repair duplicates --workspace {name}`, then try again."
    )
