"""Removing documents: LightRAG's own deletion, unmodified, on a unit of work.

On the stores it reports success when a model or store failed while a shared entity was rebuilt.
Here every such failure, and every trace that is left, throws the unit of work away.
"""

from collections.abc import Sequence
from typing import Any

from lightrag.constants import GRAPH_FIELD_SEP
from lightrag.utils import make_relation_chunk_key

from shared.errors import AppError, UnavailableError
from shared.ids import DocumentId
from worker.commit.replies import is_private
from worker.commit.unit_of_work.unit import UnitOfWork

_CONFLICT = 409
Row = dict[str, Any]


class DeletionIncompleteError(UnavailableError):
    """The document could not be removed cleanly, so nothing was removed; it is tried again."""

    code = "deletion_incomplete"


class DeletionRefusedError(AppError):
    """The records that a safe removal needs are missing; check the workspace's stores."""

    code = "deletion_refused"


async def remove_documents(unit: UnitOfWork, doc_ids: Sequence[DocumentId]) -> None:
    """Remove documents; entities that others share are rebuilt from their cached replies.

    Removing what is not there changes nothing.

    Raises:
        DeletionIncompleteError: LightRAG left a trace of a document, or failed half-way.
        DeletionRefusedError: LightRAG found no proof of what a document had written.
        StoreUnavailableError, ModelUnavailableError: what LightRAG called was away.
    """
    await unit.status.prefetch(doc_ids)
    await unit.rows["full_entities"].prefetch(doc_ids)
    await unit.rows["full_relations"].prefetch(doc_ids)
    for doc_id in doc_ids:
        if await unit.status.get_by_id(doc_id) is not None:
            await _remove(unit, doc_id)


async def _remove(unit: UnitOfWork, doc_id: DocumentId) -> None:
    names, pairs = await _candidates(unit, doc_id)
    await unit.graph.prefetch(names, pairs)
    await unit.rows["entity_chunks"].prefetch(names)
    await unit.rows["relation_chunks"].prefetch(
        make_relation_chunk_key(one, two) for one, two in pairs
    )
    chunk_ids = await _chunk_ids(unit, doc_id)
    private = await _private_replies(unit, chunk_ids)
    result = await unit.rag.adelete_by_doc_id(doc_id)
    unit.failures.raise_first()
    if result.status_code == _CONFLICT:
        raise DeletionRefusedError
    if result.status not in {"success", "not_found"}:
        raise DeletionIncompleteError
    await unit.rows["llm_response_cache"].delete(private)
    await _require_clean(unit, names, pairs, gone=set(chunk_ids))


async def _candidates(
    unit: UnitOfWork, doc_id: DocumentId
) -> tuple[list[str], list[tuple[str, str]]]:
    entities: Row = await unit.rows["full_entities"].get_by_id(doc_id) or {}
    relations: Row = await unit.rows["full_relations"].get_by_id(doc_id) or {}
    pairs = [(one, two) for one, two in relations.get("relation_pairs", [])]
    return list(entities.get("entity_names", [])), pairs


async def _chunk_ids(unit: UnitOfWork, doc_id: DocumentId) -> list[str]:
    status: Row = await unit.status.get_by_id(doc_id) or {}
    return list(status.get("chunks_list") or [])


async def _private_replies(unit: UnitOfWork, chunk_ids: list[str]) -> list[str]:
    rows = await unit.rows["text_chunks"].get_by_ids(chunk_ids)
    return [
        key
        for chunk_id, row in zip(chunk_ids, rows, strict=True)
        for key in (row or {}).get("llm_cache_list") or []
        if is_private(key, chunk_id)
    ]


async def _require_clean(
    unit: UnitOfWork, names: list[str], pairs: list[tuple[str, str]], *, gone: set[str]
) -> None:
    nodes = await unit.graph.get_nodes_batch(names)
    edges = await unit.graph.get_edges_batch([{"src": one, "tgt": two} for one, two in pairs])
    sources = (
        source
        for found in (*nodes.values(), *edges.values())
        for source in (found.get("source_id") or "").split(GRAPH_FIELD_SEP)
    )
    tracked = [
        *await unit.rows["entity_chunks"].get_by_ids(names),
        *await unit.rows["relation_chunks"].get_by_ids(
            [make_relation_chunk_key(one, two) for one, two in pairs]
        ),
    ]
    chunks = (chunk for row in tracked if row for chunk in row.get("chunk_ids", []))
    if not gone.isdisjoint(sources) or not gone.isdisjoint(chunks):
        raise DeletionIncompleteError
