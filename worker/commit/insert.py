"""Committing one document: LightRAG's own rows and merge, without its pipeline around them.

`ainsert` is not used: it sweeps every pending document of the workspace and drops a second
document with the same file name or content.
"""

from functools import partial
from typing import Any

from lightrag import LightRAG
from lightrag.base import DocStatus
from lightrag.constants import (
    KG_WRITE_STATE_GRAPH_MUTATION_STARTED,
    KG_WRITE_STATE_METADATA_KEY,
)
from lightrag.kg.shared_storage import get_namespace_data, get_namespace_lock
from lightrag.operate import merge_nodes_and_edges

from worker.commit.delete import delete_document
from worker.commit.rows import (
    PreparedDocument,
    chunk_rows,
    full_document,
    private_cache_keys,
    status_row,
)

_COMMITTED = {KG_WRITE_STATE_METADATA_KEY: KG_WRITE_STATE_GRAPH_MUTATION_STARTED}


class ExtractionInCommitError(AssertionError):
    """The commit asked a model to extract; extraction belongs to the stages before it."""


async def commit_document(rag: LightRAG, document: PreparedDocument) -> None:
    """Put one document into the graph; what an earlier revision or attempt left goes first.

    Raises:
        StoreUnavailableError, ModelUnavailableError: possibly as the cause of LightRAG's error.
    """
    if existing := await rag.doc_status.get_by_id(document.doc_id):
        if _is_committed_by(existing, document):
            return
        await delete_document(rag, document.doc_id)
    try:
        await _write(rag, document)
    except BaseException:
        # Vector storages buffer: what this document left there must not go with the next one.
        await rag._discard_pending_index_ops(skip_enqueue_owned=False)  # noqa: SLF001 - pinned
        raise


def _is_committed_by(status: dict[str, Any], document: PreparedDocument) -> bool:
    return (
        status.get("track_id") == document.task_id
        and DocStatus(status["status"]) is DocStatus.PROCESSED
    )


async def _write(rag: LightRAG, document: PreparedDocument) -> None:
    doc_id = document.doc_id
    cache_keys = await private_cache_keys(rag, document)
    chunks = chunk_rows(document, cache_keys)
    # Status first: from here on a crash leaves a row that tells the next holder to clean up.
    await rag.doc_status.upsert({doc_id: status_row(document, DocStatus.PROCESSING)})
    await rag.full_docs.upsert({doc_id: full_document(document)})
    await rag.chunks_vdb.upsert(chunks)
    await rag.text_chunks.upsert(chunks)
    await _merge(rag, document)
    await rag._insert_done()  # noqa: SLF001 - pinned internals
    # PROCESSED is the commit record, so it comes after everything else is durable.
    await rag.doc_status.upsert({doc_id: status_row(document, DocStatus.PROCESSED, _COMMITTED)})
    await rag.doc_status.index_done_callback()


async def _merge(rag: LightRAG, document: PreparedDocument) -> None:
    config = rag._build_global_config()  # noqa: SLF001 - pinned internals
    config["role_llm_funcs"] = {
        **config["role_llm_funcs"],
        "extract": _summaries_only(config["role_llm_funcs"]["extract"]),
    }
    await merge_nodes_and_edges(
        chunk_results=[(found.nodes, found.edges) for found in document.extractions],
        knowledge_graph_inst=rag.chunk_entity_relation_graph,
        entity_vdb=rag.entities_vdb,
        relationships_vdb=rag.relationships_vdb,
        global_config=config,
        full_entities_storage=rag.full_entities,
        full_relations_storage=rag.full_relations,
        doc_id=document.doc_id,
        pipeline_status=await get_namespace_data("pipeline_status", workspace=rag.workspace),
        pipeline_status_lock=get_namespace_lock("pipeline_status", workspace=rag.workspace),
        llm_response_cache=rag.llm_response_cache,
        entity_chunks_storage=rag.entity_chunks,
        relation_chunks_storage=rag.relation_chunks,
        file_path=document.file_name,
        on_anchors_durable=partial(rag._mark_graph_mutation_started, document.doc_id),  # noqa: SLF001 - pinned
    )


def _summaries_only(call: Any) -> Any:  # noqa: ANN401 - LightRAG's model function
    """Let description summaries through, which bring no system prompt; extraction brings one."""

    async def guarded(prompt: str, system_prompt: str | None = None, **options: Any) -> Any:  # noqa: ANN401 - as above
        if system_prompt:
            raise ExtractionInCommitError
        return await call(prompt, system_prompt=system_prompt, **options)

    return guarded
