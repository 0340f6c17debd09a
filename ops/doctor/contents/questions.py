"""What must not be in an inventory: each question finds the items that do not belong together."""

from dataclasses import dataclass

from ops.doctor.report import Status


@dataclass(frozen=True)
class Question:
    """One check of a workspace's contents."""

    code: str
    status: Status
    """When there is an answer."""
    statement: str
    """Finds the items; each column is a part of an item's name."""
    fine: str
    wrong: str
    """After the number of items: what they are, and what to do."""
    repairable: bool = False


def _without_vector(items: str, storage: str, *, ids: str) -> str:
    return f"""
    SELECT {items} WHERE NOT EXISTS (
        SELECT 1 FROM vectors WHERE storage = '{storage}' AND vectors.id IN ({ids})
    )
    """  # noqa: S608 - constants


def _without_anchor(storage: str, kind: str) -> str:
    return f"""
    SELECT '{storage}', s.id FROM statuses s WHERE s.status = 'processed' AND NOT EXISTS (
        SELECT 1 FROM rows WHERE storage = '{storage}' AND rows.id = s.id
    ) AND EXISTS (
        SELECT 1 FROM listed JOIN sources ON sources.chunk = listed.chunk
        WHERE listed.document = s.id AND sources.kind = '{kind}'
    )
    """  # noqa: S608 - constants


_DUPLICATES = """
SELECT name, '' FROM entities GROUP BY name HAVING count(*) > 1
UNION ALL SELECT one, two FROM (
    SELECT one, two FROM relations GROUP BY one, two HAVING count(*) > 1
)
"""
# What has vectors may be lost instead: a server without its data, or another one. A tenth of a
# storage is more than programs leave behind; ten are of no account, unless there are no others.
# A chunk's vector may be the last copy of its text: none goes while any chunk is missing.
_ORPHANS = """
WITH orphans AS (
    SELECT storage, id FROM vectors WHERE storage = 'entities_vdb'
        AND NOT EXISTS (SELECT 1 FROM entities WHERE vector = vectors.id)
    UNION ALL SELECT storage, id FROM vectors WHERE storage = 'relationships_vdb'
        AND NOT EXISTS (SELECT 1 FROM relations WHERE vector = vectors.id)
        AND NOT EXISTS (SELECT 1 FROM relations WHERE reversed = vectors.id)
    UNION ALL SELECT storage, id FROM vectors WHERE storage = 'chunks_vdb'
        AND NOT EXISTS (SELECT 1 FROM chunks WHERE chunks.id = vectors.id)
), held AS (
    SELECT storage, count(*) AS everything FROM vectors GROUP BY storage
), suspect AS (
    SELECT storage FROM orphans JOIN held USING (storage) GROUP BY storage
        HAVING count(*) = everything OR (count(*) > 10 AND count(*) * 10 > everything)
    UNION SELECT 'chunks_vdb' FROM listed
        WHERE NOT EXISTS (SELECT 1 FROM chunks WHERE chunks.id = chunk)
    UNION SELECT 'chunks_vdb' FROM sources
        WHERE NOT EXISTS (SELECT 1 FROM chunks WHERE chunks.id = chunk)
)
SELECT storage, id FROM orphans WHERE storage
"""
_LOST_CHUNKS = """
SELECT id, document FROM chunks WHERE
    NOT EXISTS (SELECT 1 FROM statuses WHERE statuses.id = document)
    OR NOT EXISTS (SELECT 1 FROM rows WHERE storage = 'full_docs' AND rows.id = document)
"""
_MISSING_CHUNKS = """
SELECT document, chunk FROM listed JOIN statuses ON statuses.id = document
WHERE status = 'processed' AND NOT EXISTS (SELECT 1 FROM chunks WHERE chunks.id = chunk)
"""
# Of chunks that a document lists, the check before this one tells.
_MISSING_SOURCES = """
SELECT owner, chunk FROM sources
WHERE NOT EXISTS (SELECT 1 FROM chunks WHERE chunks.id = chunk)
AND NOT EXISTS (SELECT 1 FROM listed WHERE listed.chunk = sources.chunk)
"""
_NOT_PROCESSED = """
SELECT id FROM ledger WHERE committed AND NOT busy
AND NOT EXISTS (SELECT 1 FROM statuses s WHERE s.id = ledger.id AND s.status = 'processed')
"""
_UNLISTED = """
SELECT id FROM statuses s WHERE s.status = 'processed'
AND NOT EXISTS (SELECT 1 FROM ledger WHERE ledger.id = s.id AND (committed OR busy))
"""
_UNFINISHED = """
SELECT id, status FROM statuses s WHERE s.status <> 'processed'
AND NOT EXISTS (SELECT 1 FROM ledger WHERE ledger.id = s.id AND (committed OR busy))
"""

QUESTIONS = (
    Question(
        "doctor.duplicates",
        Status.ERROR,
        _DUPLICATES,
        "Every entity and relation is there once.",
        "entities or relations are there more than once; `ragfleet repair duplicates` merges them.",
        repairable=True,
    ),
    Question(
        "doctor.entity_vectors",
        Status.ERROR,
        _without_vector("name FROM entities", "entities_vdb", ids="entities.vector"),
        "Every entity has its vector.",
        "entities have no vector, so questions do not find them.",
        repairable=True,
    ),
    Question(
        "doctor.relation_vectors",
        Status.ERROR,
        _without_vector("one, two FROM relations", "relationships_vdb", ids="vector, reversed"),
        "Every relation has its vector.",
        "relations have no vector, so questions do not find them.",
        repairable=True,
    ),
    Question(
        "doctor.chunk_vectors",
        Status.ERROR,
        _without_vector("id FROM chunks", "chunks_vdb", ids="chunks.id"),
        "Every chunk has its vector.",
        "chunks have no vector, so questions do not find them.",
        repairable=True,
    ),
    Question(
        "doctor.orphan_vectors",
        Status.ERROR,
        f"{_ORPHANS} NOT IN (SELECT storage FROM suspect)",  # noqa: S608 - constants
        "Every vector belongs to something.",
        "vectors are of entities, relations or chunks that are not there.",
        repairable=True,
    ),
    Question(
        "doctor.lost_owners",
        Status.ERROR,
        f"{_ORPHANS} IN (SELECT storage FROM suspect)",  # noqa: S608 - constants
        "No store seems to have lost what vectors are of.",
        "vectors are of entities, relations or chunks that seem to be lost, and are left alone, as "
        "they may be the last copy; see whether NEO4J_URI, REDIS_HOST and POSTGRES_HOST name the "
        "right servers, and whether Redis evicts (doctor.redis_eviction), then restore a backup or "
        "insert the documents again under the same ids.",
    ),
    Question(
        "doctor.chunks_without_documents",
        Status.ERROR,
        _LOST_CHUNKS,
        "Every chunk belongs to a document.",
        "chunks belong to documents whose text or status is not there; insert those documents "
        "again under the same ids, or delete them.",
    ),
    Question(
        "doctor.missing_chunks",
        Status.ERROR,
        _MISSING_CHUNKS,
        "Every finished document has all its chunks.",
        "chunks of finished documents are not there; insert those documents again under the same "
        "ids.",
    ),
    Question(
        "doctor.missing_sources",
        Status.ERROR,
        _MISSING_SOURCES,
        "Everything in the graph names chunks that are there.",
        "sources of entities or relations are chunks that are not there, as after a removal by "
        "other programs; insert the documents again, or remove these from the graph "
        "(docs/api.md, the graph by hand).",
    ),
    Question(
        "doctor.document_status",
        Status.ERROR,
        _NOT_PROCESSED,
        "Every document in the ledger is finished in LightRAG's stores.",
        "documents are committed by the ledger, and not finished in LightRAG's stores; insert "
        "them again under the same ids.",
    ),
    Question(
        "doctor.document_anchors",
        Status.ERROR,
        f"{_without_anchor('full_entities', 'entity')} UNION ALL "
        f"{_without_anchor('full_relations', 'relation')}",
        "Every document knows its entities and relations.",
        "lists of a document's entities or relations are not there, without which it cannot be "
        "removed cleanly.",
        repairable=True,
    ),
    Question(
        "doctor.unlisted_documents",
        Status.WARNING,
        _UNLISTED,
        "Every finished document is in the ledger.",
        "documents are finished in LightRAG's stores, and not in the ledger: questions find them, "
        "lists do not; insert them again under the same ids, or move the workspace through an "
        "archive (`ragfleet migrate`), which lists them.",
    ),
    Question(
        "doctor.unfinished_documents",
        Status.WARNING,
        _UNFINISHED,
        "No document was left half done.",
        "documents are not finished, and nobody works at them; retry their tasks, insert them "
        "again, or delete them.",
    ),
)
