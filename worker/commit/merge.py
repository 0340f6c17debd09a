"""Adding documents: LightRAG's own merge, once over a whole group, on a unit of work.

`ainsert` is not used: it sweeps every pending document of the workspace and drops a second
document with the same file name or content.
"""

from collections.abc import Sequence

from lightrag.kg.shared_storage import get_namespace_data, get_namespace_lock
from lightrag.operate import merge_nodes_and_edges
from lightrag.utils import make_relation_chunk_key

from worker.commit.prepared import Slice
from worker.commit.replies import add_private_replies
from worker.commit.rows import anchors, full_document, status_row
from worker.commit.source_ids import speed_up_merging
from worker.commit.summary_prefetch import summaries_prefetched
from worker.commit.unit_of_work.unit import UnitOfWork

speed_up_merging()


async def add_documents(unit: UnitOfWork, pieces: Sequence[Slice]) -> None:
    """Put documents, or slices of them, into the unit of work.

    Raises:
        StoreUnavailableError, ModelUnavailableError: possibly as the cause of LightRAG's error.
    """
    if not pieces:
        return
    own_keys = await add_private_replies(unit.rows["llm_response_cache"], pieces)
    for piece in pieces:
        await _add_rows(unit, piece, own_keys[piece.document.doc_id])
    await _prefetch(unit, pieces)
    async with summaries_prefetched(unit, pieces):
        await _merge(unit, pieces)


async def _add_rows(unit: UnitOfWork, piece: Slice, own_keys: dict[str, list[str]]) -> None:
    document = piece.document
    doc_id = document.doc_id
    await unit.status.upsert({doc_id: status_row(piece)})
    if piece.is_first:
        entities, relations = anchors(document)
        await unit.rows["full_docs"].upsert({doc_id: full_document(document)})
        await unit.rows["full_entities"].upsert({doc_id: entities})
        await unit.rows["full_relations"].upsert({doc_id: relations})
    chunks = {
        chunk_id: {**row, "llm_cache_list": own_keys[chunk_id]}
        for chunk_id, row in piece.chunks.items()
    }
    await unit.rows["text_chunks"].upsert(chunks)
    vectors = {
        chunk_id: found.vector
        for chunk_id, found in zip(piece.chunks, piece.extractions, strict=True)
    }
    unit.vectors["chunks_vdb"].put_known(chunks, vectors)


async def _prefetch(unit: UnitOfWork, pieces: Sequence[Slice]) -> None:
    """Read in bulk what the merge is going to look at one by one."""
    pairs = {tuple(sorted(pair)) for piece in pieces for e in piece.extractions for pair in e.edges}
    names = {name for piece in pieces for e in piece.extractions for name in e.nodes}
    names |= {end for pair in pairs for end in pair}
    await unit.graph.prefetch(sorted(names), [(one, two) for one, two in sorted(pairs)])
    await unit.rows["entity_chunks"].prefetch(sorted(names))
    await unit.rows["relation_chunks"].prefetch(
        make_relation_chunk_key(one, two) for one, two in sorted(pairs)
    )


async def _merge(unit: UnitOfWork, pieces: Sequence[Slice]) -> None:
    rag = unit.rag
    await merge_nodes_and_edges(
        chunk_results=[(e.nodes, e.edges) for piece in pieces for e in piece.extractions],
        knowledge_graph_inst=rag.chunk_entity_relation_graph,
        entity_vdb=rag.entities_vdb,
        relationships_vdb=rag.relationships_vdb,
        global_config=rag._build_global_config(),  # noqa: SLF001 - the unit of work's own
        pipeline_status=await get_namespace_data("pipeline_status", workspace=rag.workspace),
        pipeline_status_lock=get_namespace_lock("pipeline_status", workspace=rag.workspace),
        llm_response_cache=rag.llm_response_cache,
        entity_chunks_storage=rag.entity_chunks,
        relation_chunks_storage=rag.relation_chunks,
        file_path=f"{len(pieces)} documents",
    )
    unit.failures.raise_first()
