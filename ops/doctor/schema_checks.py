"""Tables, indexes and constraints that LightRAG's stores need for one workspace."""

from sqlalchemy import text

from ops.doctor.contents.reading import Contents
from ops.doctor.ground import Ground
from ops.doctor.neo4j_checks import driver_of
from ops.doctor.report import Finding, Reporter
from shared.ledger.records import Workspace
from shared.rag.neo4j_constraint import has_unique_entities
from worker.commit.unit_of_work.unit import VECTOR_STORAGES

_DIMENSION = text(
    "SELECT atttypmod FROM pg_attribute "
    "WHERE attrelid = to_regclass(:table) AND attname = 'content_vector' AND NOT attisdropped"
)
_IS_INDEXED = text(
    "SELECT EXISTS (SELECT 1 FROM pg_index "
    "JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_am ON pg_am.oid = relam "
    "WHERE indrelid = to_regclass(:table) AND amname = 'hnsw' AND indisvalid)"
)
_FENCE_CONSTRAINT = """
SHOW CONSTRAINTS YIELD labelsOrTypes, type
WHERE labelsOrTypes = ['RagfleetFence'] AND type ENDS WITH 'UNIQUENESS' RETURN count(*) AS there
"""


async def check_vector_tables(contents: Contents) -> list[Finding]:
    """Compare the length of the vector columns with ours, and look for their indexes."""
    name = contents.workspace.name
    dimensions = Reporter("doctor.vector_dimension", name)
    indexes = Reporter("doctor.vector_indexes", name)
    assert contents.rag is not None  # noqa: S101 - asked only where there are tables
    tables = [str(getattr(contents.rag, one).table_name).lower() for one in VECTOR_STORAGES]
    ours = contents.ground.settings.embedding.dim
    missing, wrong, slow = [], [], []
    async with contents.ground.ledger.reading() as connection:
        for table in tables:
            found = await connection.scalar(_DIMENSION, {"table": table})
            if found is None:
                missing.append(table)
            elif found != ours:
                wrong.append(f"{table} has {found}")
            elif not await connection.scalar(_IS_INDEXED, {"table": table}):
                slow.append(table)
    if len(missing) == len(tables):
        sentence = "Its tables of vectors are made when it is first opened."
        return [dimensions.ok(sentence), indexes.ok(sentence)]
    return [
        dimensions.error(
            f"Vectors have to have {ours} numbers (EMBEDDING_DIM), but {', '.join(wrong)}; set "
            "EMBEDDING_MODEL and EMBEDDING_DIM as they were when the tables were filled."
        )
        if wrong
        else dimensions.ok(f"Columns of vectors have {ours} numbers."),
        indexes.error(
            f"Tables or HNSW indexes are missing: {', '.join([*missing, *slow])}; without an index "
            "questions read every vector.",
            repairable=True,
        )
        if missing or slow
        else indexes.ok("Every table of vectors has its HNSW index."),
    ]


async def check_constraint(ground: Ground, workspace: Workspace) -> Finding:
    """Look for what keeps Neo4j from holding an entity, or a fence, twice."""
    reporter = Reporter("doctor.neo4j_constraint", workspace.name)
    settings = ground.settings
    if not await has_unique_entities(settings, workspace.physical):
        return reporter.error(
            "The uniqueness constraint on entities is missing, so that two writers can make one "
            "entity twice.",
            repairable=True,
        )
    found = await driver_of(ground).execute_query(
        _FENCE_CONSTRAINT, database_=settings.neo4j.database
    )
    fences = await driver_of(ground).execute_query(
        "MATCH (f:RagfleetFence) RETURN count(f)", database_=settings.neo4j.database
    )
    if fences.records[0][0] and not found.records[0][0]:
        return reporter.error("The uniqueness constraint on fences is missing.", repairable=True)
    return reporter.ok("Neo4j refuses to hold an entity twice.")
