"""Chunks to entities and relations, through LightRAG's own prompts and cache."""

from typing import Any

from lightrag import LightRAG
from lightrag.operate import extract_entities

from shared.rag.store_errors import translated_store_errors
from worker.ingestion.encoding import Chunks, Extraction


class _CacheKeyCollector:
    """Stands where LightRAG keeps chunks, and only remembers which replies belong to which.

    Extraction may run anywhere and more than once, so it never writes a chunk row itself.
    """

    def __init__(self, chunks: Chunks) -> None:
        self.keys: dict[str, list[str]] = {chunk_id: [] for chunk_id in chunks}

    async def get_by_id(self, chunk_id: str) -> dict[str, Any]:
        return {"llm_cache_list": list(self.keys[chunk_id])}

    async def upsert(self, rows: dict[str, dict[str, Any]]) -> None:
        for chunk_id, row in rows.items():
            self.keys[chunk_id] = row["llm_cache_list"]


async def extract_chunks(rag: LightRAG, chunks: Chunks) -> list[Extraction]:
    """Extract entities and relations of every chunk, in order.

    A reply that is in the cache costs no model call, so a retry is cheap.

    Raises:
        ModelUnavailableError: the model endpoint did not answer (possibly as the cause).
        StoreUnavailableError: the cache's store did not answer.
    """
    collector = _CacheKeyCollector(chunks)
    with translated_store_errors():
        results = await extract_entities(
            chunks,
            global_config=rag._build_global_config(),  # noqa: SLF001 - pinned internals
            llm_response_cache=rag.llm_response_cache,
            text_chunks_storage=collector,
        )
        # File storages keep the cache in memory until told to write it down.
        await rag.llm_response_cache.index_done_callback()
    return [
        Extraction(nodes=dict(nodes), edges=dict(edges), cache_keys=collector.keys[chunk_id])
        for chunk_id, (nodes, edges) in zip(chunks, results, strict=True)
    ]
