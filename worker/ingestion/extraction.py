"""Chunks to entities and relations, through LightRAG's own prompts and cache."""

from collections.abc import Awaitable, Callable
from typing import Any

from lightrag import LightRAG
from lightrag.operate import extract_entities

from shared.rag.store_errors import translated_store_errors
from worker.crew import gathered_crew
from worker.ingestion.encoding import Chunks, Extraction

OnProgress = Callable[[int], Awaitable[None]]
"""Told how many chunks are done so far."""


async def _untold(_chunks_done: int) -> None:
    """Nobody wants to know."""


class _CacheKeyCollector:
    """Stands where LightRAG keeps chunks, and only remembers which replies belong to which.

    Extraction may run anywhere and more than once, so it never writes a chunk row itself.
    """

    def __init__(self, chunks: Chunks, on_progress: OnProgress) -> None:
        self.keys: dict[str, list[str]] = {chunk_id: [] for chunk_id in chunks}
        self._on_progress = on_progress

    async def get_by_id(self, chunk_id: str) -> dict[str, Any]:
        return {"llm_cache_list": list(self.keys[chunk_id])}

    async def upsert(self, rows: dict[str, dict[str, Any]]) -> None:
        for chunk_id, row in rows.items():
            self.keys[chunk_id] = row["llm_cache_list"]
        # LightRAG brings a chunk's keys when it is done with the chunk.
        await self._on_progress(sum(map(bool, self.keys.values())))


async def extract_chunks(
    rag: LightRAG, chunks: Chunks, *, on_progress: OnProgress = _untold
) -> list[Extraction]:
    """Extract entities and relations of every chunk, in order.

    A reply that is in the cache costs no model call, so a retry is cheap. Cancelling it also ends
    the chunks that are at the model.

    Raises:
        ModelUnavailableError: the model endpoint did not answer (possibly as the cause).
        StoreUnavailableError: the cache's store did not answer.
    """
    collector = _CacheKeyCollector(chunks, on_progress)
    config = rag._build_global_config()  # noqa: SLF001 - pinned internals
    models = config["role_llm_funcs"]
    with translated_store_errors():
        async with gathered_crew() as crew:
            results = await extract_entities(
                chunks,
                global_config={
                    **config,
                    "role_llm_funcs": {**models, "extract": crew.watch(models["extract"])},
                },
                llm_response_cache=crew.watch_storage(rag.llm_response_cache),
                text_chunks_storage=collector,
            )
        # File storages keep the cache in memory until told to write it down.
        await rag.llm_response_cache.index_done_callback()
    return [
        Extraction(nodes=dict(nodes), edges=dict(edges), cache_keys=collector.keys[chunk_id])
        for chunk_id, (nodes, edges) in zip(chunks, results, strict=True)
    ]
