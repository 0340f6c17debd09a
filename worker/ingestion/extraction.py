"""Chunks to entities, relations and vectors, through LightRAG's own prompts, parser and cache."""

import asyncio
from functools import lru_cache
from typing import Any

from lightrag import LightRAG
from lightrag.operate import extract_entities
from lightrag.utils import Tokenizer

from shared.rag.store_errors import translated_store_errors
from worker.crew import Crew, gathered_crew
from worker.ingestion.encoding import Chunks, Extraction
from worker.ingestion.progress import OnProgress, untold
from worker.ingestion.replies import harmless
from worker.ingestion.reply_cache import ReplyCache
from worker.ingestion.vectors import embed_chunks

_SETTINGS = (
    "_entity_extraction_prompt_profile",
    "_resolved_summary_language",
    "addon_params",
    "entity_extract_max_entities",
    "entity_extract_max_gleaning",
    "entity_extract_max_records",
    "entity_extraction_use_json",
    "llm_model_max_async",
    "llm_model_name",
)


class _Progress:
    """Counts the chunks whose replies and whose vectors are there."""

    def __init__(self, tell: OnProgress) -> None:
        self._tell = tell
        self._extracted = 0
        self._embedded = 0

    async def extracted(self) -> None:
        self._extracted += 1
        await self._tell(min(self._extracted, self._embedded))

    async def embedded(self, chunks: int) -> None:
        self._embedded += chunks
        await self._tell(min(self._extracted, self._embedded))


class _CacheKeyCollector:
    """Stands where LightRAG keeps chunks, and only remembers which replies belong to which.

    Extraction may run anywhere and more than once, so it never writes a chunk row itself.
    """

    def __init__(self, chunks: Chunks, cache: ReplyCache, progress: _Progress) -> None:
        self.keys: dict[str, list[str]] = {chunk_id: [] for chunk_id in chunks}
        self._cache = cache
        self._progress = progress

    async def get_by_id(self, chunk_id: str) -> dict[str, Any]:
        return {"llm_cache_list": list(self.keys[chunk_id])}

    async def upsert(self, rows: dict[str, dict[str, Any]]) -> None:
        # LightRAG brings a chunk's keys when it is done with the chunk.
        for chunk_id, row in rows.items():
            self.keys[chunk_id] = row["llm_cache_list"]
        # LightRAG goes on if this fails; then the last flush raises what is wrong.
        await self._cache.flush()
        await self._progress.extracted()


async def extract_chunks(
    rag: LightRAG, chunks: Chunks, *, on_progress: OnProgress = untold
) -> list[Extraction]:
    """Extract entities and relations of every chunk, and embed it, in order.

    A reply that is in the cache costs no model call, so a retry is cheap. Cancelling it also ends
    the chunks that are at a model.

    Raises:
        ModelUnavailableError: a model endpoint did not answer (possibly as the cause).
        StoreUnavailableError: the cache's store did not answer.
    """
    progress = _Progress(on_progress)
    cache = ReplyCache(rag.llm_response_cache)
    collector = _CacheKeyCollector(chunks, cache, progress)
    with translated_store_errors():
        async with gathered_crew() as crew:
            embedding = asyncio.create_task(
                embed_chunks(
                    rag,
                    chunks,
                    embed=crew.watch(rag.embedding_func),
                    on_embedded=progress.embedded,
                )
            )
            try:
                found = await _extract(rag, chunks, cache, collector, crew)
                # Vectors are lost with the attempt, replies are not: those come first.
                vectors = await embedding
            finally:
                await _end(embedding)
                await cache.flush()
        # File storages keep the cache in memory until told to write it down.
        await rag.llm_response_cache.index_done_callback()
    return [
        Extraction(dict(nodes), dict(edges), collector.keys[chunk_id], vector)
        for chunk_id, (nodes, edges), vector in zip(chunks, found, vectors, strict=True)
    ]


async def _extract(
    rag: LightRAG, chunks: Chunks, cache: ReplyCache, collector: _CacheKeyCollector, crew: Crew
) -> list[tuple[dict[str, Any], dict[tuple[str, str], Any]]]:
    config = extraction_config(rag)
    ask = crew.watch(config["role_llm_funcs"]["extract"])

    async def ask_for_harmless(*prompts: Any, **options: Any) -> str:  # noqa: ANN401 - LightRAG's
        return harmless(await ask(*prompts, **options))

    found: list[tuple[dict[str, Any], dict[tuple[str, str], Any]]] = await extract_entities(
        chunks,
        global_config={**config, "role_llm_funcs": {"extract": ask_for_harmless}},
        llm_response_cache=crew.watch_storage(cache),
        text_chunks_storage=collector,
    )
    return found


async def _end(task: asyncio.Task[Any]) -> None:
    """End a task and look at how it ended, or asyncio would log that nobody did."""
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.exception()


def extraction_config(rag: LightRAG) -> dict[str, Any]:
    """Return what `extract_entities` reads of LightRAG's configuration.

    LightRAG's own makes a deep copy of everything, which takes longer than reading a reply.
    """
    rag._ensure_addon_params_cache()  # noqa: SLF001 - pinned internals
    role = rag._role_llm_states["extract"]  # noqa: SLF001 - as above
    identity = rag._build_role_llm_cache_identity("extract", role)  # noqa: SLF001 - as above
    return {
        **{name: getattr(rag, name) for name in _SETTINGS},
        "llm_cache_identities": {"extract": identity},
        "role_llm_funcs": {"extract": role.wrapped},
        "tokenizer": _RememberingTokenizer(rag.tokenizer),
    }


class _RememberingTokenizer:
    """Counts the tokens of the prompts that are the same in every document only once."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    def encode(self, content: str) -> list[int]:
        return _encode(self._tokenizer, content)

    def decode(self, tokens: list[int]) -> str:
        text: str = self._tokenizer.decode(tokens)
        return text


# Enough for the two prompts that come back between those of many chunks at once.
@lru_cache(maxsize=64)
def _encode(tokenizer: Tokenizer, content: str) -> list[int]:
    tokens: list[int] = tokenizer.encode(content)
    return tokens
