"""Ways to spoil an installation, each with the check that has to find it, and no other."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.integration.doctor.filled import VECTORS, Copied

ENTITY, RELATION, CHUNK = (VECTORS.format(name) for name in ("entity", "relation", "chunks"))


@dataclass(frozen=True)
class Fault:
    """Something made by hand."""

    name: str
    spoil: Callable[[Copied], Awaitable[None]]
    found: str
    repairable: bool = False


def _sql(*statements: str) -> Callable[[Copied], Awaitable[None]]:
    return lambda copied: copied.sql(*statements)


async def _lose_chunk(copied: Copied) -> None:
    await copied.forget_row("text_chunks", "large-chunk-001")
    await copied.sql(f"DELETE FROM {CHUNK} WHERE id = 'large-chunk-001'")  # noqa: S608


async def _lose_text(copied: Copied) -> None:
    await copied.forget_row("full_docs", "small")


async def _lose_entities(copied: Copied) -> None:
    await copied.forget_row("full_entities", "large")


async def _lose_relations(copied: Copied) -> None:
    await copied.forget_row("full_relations", "small")


async def _fall_behind(copied: Copied) -> None:
    await copied.set_seq(0)


async def _be_ahead(copied: Copied) -> None:
    await copied.set_seq(99)


_SECOND_VECTOR = "INSERT INTO {0} SELECT (jsonb_populate_record(v, '{1}')).* FROM {0} v LIMIT 1"
_GRAPH = "UPDATE lightrag_graph_nodes SET properties = jsonb_set(properties, '{source_id}', "
_DROP_INDEX = """
DO $$ DECLARE name text; BEGIN
FOR name IN SELECT indexname FROM pg_indexes
    WHERE tablename = '{table}' AND indexdef LIKE '%USING hnsw%'
LOOP EXECUTE 'DROP INDEX ' || name; END LOOP; END $$
"""
_JOURNAL = """
INSERT INTO journals (physical, seq, lease_token, outcome, size_bytes, written_at_ms)
SELECT 'default', max(seq) + 1, 1,
    convert_to('{"succeeded": [], "advanced": {}, "failed": {}}', 'UTF8'), 0, 1 FROM journals
"""

FAULTS = [
    Fault(
        "an entity without a vector",
        _sql(f"DELETE FROM {ENTITY} WHERE entity_name = 'Albert Einstein'"),  # noqa: S608
        "doctor.entity_vectors",
        repairable=True,
    ),
    Fault(
        "all relations without vectors",
        _sql(f"DELETE FROM {RELATION}"),  # noqa: S608
        "doctor.relation_vectors",
        repairable=True,
    ),
    Fault(
        "chunks without vectors",
        _sql(f"DELETE FROM {CHUNK}"),  # noqa: S608
        "doctor.chunk_vectors",
        repairable=True,
    ),
    *(
        Fault(
            f"a vector of nothing in {table}",
            _sql(_SECOND_VECTOR.format(table, '{"id": "nobody"}')),
            "doctor.orphan_vectors",
            repairable=True,
        )
        for table in (ENTITY, RELATION, CHUNK)
    ),
    Fault("a document without text", _lose_text, "doctor.chunks_without_documents"),
    Fault("a lost chunk", _lose_chunk, "doctor.missing_chunks"),
    Fault(
        "a source that is not there",
        _sql(f"{_GRAPH} to_jsonb(properties->>'source_id' || '<SEP>gone-chunk-007'))"),
        "doctor.missing_sources",
    ),
    Fault(
        "a status that is not finished",
        _sql("UPDATE lightrag_doc_status SET status = 'pending' WHERE id = 'small'"),
        "doctor.document_status",
    ),
    Fault(
        "a document without its entities",
        _lose_entities,
        "doctor.document_anchors",
        repairable=True,
    ),
    Fault(
        "a document without its relations",
        _lose_relations,
        "doctor.document_anchors",
        repairable=True,
    ),
    Fault(
        "a document that the ledger does not know",
        _sql("DELETE FROM documents WHERE doc_id = 'small'"),
        "doctor.unlisted_documents",
    ),
    Fault(
        "a document that was never finished",
        _sql(
            "INSERT INTO lightrag_doc_status (workspace, id, status) "
            "VALUES ('default', 'ghost', 'failed')"
        ),
        "doctor.unfinished_documents",
    ),
    Fault(
        "a table of vectors without an index",
        _sql(_DROP_INDEX.replace("{table}", ENTITY)),
        "doctor.vector_indexes",
        repairable=True,
    ),
    Fault(
        "vectors of another length",
        _sql(f"ALTER TABLE {CHUNK} ALTER COLUMN content_vector TYPE vector(3) USING NULL"),
        "doctor.vector_dimension",
    ),
    Fault(
        "another embedding model",
        _sql("UPDATE workspaces SET embedding_model = 'another'"),
        "doctor.embedding",
    ),
    Fault("a commit that was left", _sql(_JOURNAL), "doctor.journals", repairable=True),
    Fault(
        "a record that no store took",
        _sql("INSERT INTO quarantine VALUES ('default', 1, 'digest', 'x', 'DataError: no', 1)"),
        "doctor.quarantine",
    ),
    Fault("a store that lost a commit", _fall_behind, "doctor.store_position", repairable=True),
    Fault("a store that is ahead", _be_ahead, "doctor.store_position"),
    Fault(
        "a lease that ran out long ago",
        _sql("UPDATE commit_leases SET lease_holder = 'a stopped one', lease_until_ms = 1"),
        "doctor.stale_leases",
    ),
    Fault(
        "a task whose upload is gone",
        _sql("UPDATE tasks SET state = 'queued' WHERE doc_id = 'small'"),
        "doctor.uploads",
    ),
]
