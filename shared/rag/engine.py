"""Builds LightRAG instances: which storages, which models, which limits."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from lightrag import LightRAG
from lightrag.utils import EmbeddingFunc
from numpy.typing import NDArray

from shared.errors import EmbeddingDimensionError
from shared.ids import PhysicalWorkspace
from shared.rag.models import Complete, Embed, Models
from shared.rag.tokenizer import shared_tokenizer
from shared.rag.traced import traced_complete, traced_embed
from shared.settings import Settings
from shared.settings_sections import Provider

# A batch of ten passages takes 10 CPU seconds, and others may be before it.
_OFFLINE_EMBEDDING_TIMEOUT_S = 600
# Every server takes at least so many texts in one call.
_EMBEDDING_BATCH = 32
# LightRAG's own number: a longer batch would keep a question waiting for its turn.
_OFFLINE_EMBEDDING_BATCH = 10
# Unrelated texts still score 0.69 and more with this model; docs/offline-models.md has the figures.
_OFFLINE_COSINE_THRESHOLD = 0.78


@dataclass(frozen=True)
class StorageNames:
    """LightRAG's class names of one shape."""

    kv: str
    vector: str
    graph: str
    doc_status: str


def storage_names(settings: Settings) -> StorageNames:
    """Return the storages that settings choose."""
    if not settings.external:
        return StorageNames(
            kv="JsonKVStorage",
            vector="NanoVectorDBStorage",
            graph="NetworkXStorage",
            doc_status="JsonDocStatusStorage",
        )
    storage = settings.storage
    return StorageNames(
        kv=storage.kv_storage,
        vector=storage.vector_storage,
        graph=storage.graph_storage,
        doc_status="PGDocStatusStorage",
    )


def build_rag(settings: Settings, models: Models, *, workspace: PhysicalWorkspace) -> LightRAG:
    """Make one LightRAG over one workspace; its storages are not opened yet."""
    names = storage_names(settings)
    rag_class = _Traced if settings.llm.provider is Provider.OFFLINE else _WithoutQueues
    rag = rag_class(
        working_dir=str(settings.storage.data_dir / "rag"),
        workspace=workspace,
        kv_storage=names.kv,
        vector_storage=names.vector,
        graph_storage=names.graph,
        doc_status_storage=names.doc_status,
        tokenizer=shared_tokenizer(),
        chunk_token_size=settings.indexing.chunk_size,
        chunk_overlap_token_size=settings.indexing.chunk_overlap_size,
        llm_model_func=_language_model_function(models),
        llm_model_name=models.llm_name,
        # Also how many chunks and entities LightRAG works on at the same time.
        llm_model_max_async=settings.llm.max_concurrency,
        default_llm_timeout=int(settings.llm.timeout_s),
        embedding_func=_embedding_function(models),
        # A cached answer outlives the documents it was made from: its key knows nothing of them.
        enable_llm_cache=False,
        enable_llm_cache_for_entity_extract=True,
        addon_params=_addon_parameters(settings),
        **_provider_parameters(settings),
    )
    if settings.embedding.provider is not Provider.OFFLINE:
        # Here because LightRAG puts its queue around the function it is given.
        rag.embedding_func.func = _embed_function(models)
    # Outside of any queue, whose workers run in the context of whoever came first.
    rag.embedding_func.func = traced_embed(rag.embedding_func.func, models.embedding_name)
    return rag


class _Traced(LightRAG):  # type: ignore[misc] # lightrag is untyped
    """LightRAG whose calls of its language model are in traces."""

    def _wrap_llm_role_func(self, *arguments: Any, **options: Any) -> Complete:  # noqa: ANN401 - LightRAG's
        wrapped = super()._wrap_llm_role_func(*arguments, **options)
        return traced_complete(wrapped, self.llm_model_name)


class _WithoutQueues(LightRAG):  # type: ignore[misc] # lightrag is untyped
    """LightRAG without its own queues before a model server: the budget admits its calls.

    A queue would be a second, smaller limit, take the wait for the budget for a model that hangs,
    and keep a coroutine for every possible call awake.
    """

    def _wrap_llm_role_func(
        self, role_name: str, raw_func: Complete, *_arguments: object
    ) -> Complete:
        del role_name
        return traced_complete(raw_func, self.llm_model_name)


def embedding_batch(settings: Settings) -> int:
    """Return how many texts one call of the embedding model takes."""
    if settings.embedding.provider is Provider.OFFLINE:
        return _OFFLINE_EMBEDDING_BATCH
    return _EMBEDDING_BATCH


def _provider_parameters(settings: Settings) -> dict[str, Any]:
    """What depends on whether a model is a server or rules and threads of this process."""
    parameters: dict[str, Any] = {}
    if settings.llm.provider is Provider.OFFLINE:
        # Rules find nothing new when asked a second time.
        parameters["entity_extract_max_gleaning"] = 0
    if settings.embedding.provider is Provider.OFFLINE:
        parameters |= {
            # Calls queue for one thread, so a long queue is no sign of trouble.
            "embedding_func_max_async": 2,
            "default_embedding_timeout": _OFFLINE_EMBEDDING_TIMEOUT_S,
            "cosine_better_than_threshold": _OFFLINE_COSINE_THRESHOLD,
        }
    else:
        # LightRAG's ten texts a call would make a commit of thousands wait for round trips.
        parameters["embedding_batch_num"] = _EMBEDDING_BATCH
    return parameters


def _language_model_function(models: Models) -> Complete:
    # A plain function: LightRAG deep-copies its fields all the time, and the copy of a bound
    # method brings a copy of its model, connections and all.
    async def complete(*arguments: Any, **options: Any) -> str | AsyncIterator[str]:  # noqa: ANN401 - LightRAG's
        return await models.complete(*arguments, **options)

    return complete


def _embed_function(models: Models) -> Embed:
    async def embed(
        texts: list[str],
        context: str = "document",
        **_options: Any,  # noqa: ANN401 - what LightRAG says to its queue
    ) -> NDArray[np.float32]:
        vectors = await models.embed(texts, is_query=context == "query")
        require_dimension(vectors, models.embedding_dim)
        return vectors

    return embed


def require_dimension(vectors: NDArray[np.float32], dimension: int) -> None:
    """LightRAG only looks whether all numbers divide evenly, and its error tells nobody what to do.

    Raises:
        EmbeddingDimensionError: another attempt would get the same.
    """
    if vectors.shape[-1] != dimension:
        sentence = (
            f"The embedding model answers with {vectors.shape[-1]} numbers a text, but "
            f"EMBEDDING_DIM={dimension}; correct EMBEDDING_MODEL or EMBEDDING_DIM and restart."
        )
        raise EmbeddingDimensionError(sentence)


def _embedding_function(models: Models) -> EmbeddingFunc:
    return EmbeddingFunc(
        embedding_dim=models.embedding_dim,
        max_token_size=models.embedding_max_tokens,
        func=_embed_function(models),
        model_name=models.embedding_name,
        supports_asymmetric=True,
    )


def _addon_parameters(settings: Settings) -> dict[str, Any]:
    parameters: dict[str, Any] = {"language": settings.indexing.summary_language}
    if types := settings.indexing.extract_entity_types:
        listed = "\n".join(f"- {name}" for name in types)
        parameters["entity_types_guidance"] = (
            "Classify each entity using one of the following types. "
            f"If no type fits, use `Other`.\n\n{listed}"
        )
    return parameters
