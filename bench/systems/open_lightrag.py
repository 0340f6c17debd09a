"""A plain `lightrag.LightRAG` over the stores of a run, with nothing of our system in between."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import openai
from lightrag import LightRAG
from lightrag.utils import EmbeddingFunc
from numpy.typing import NDArray

from bench.settings import CHAT_MODEL, EMBEDDING_MODEL, ModelSettings
from bench.stub.vectors import embed as embed_here


@asynccontextmanager
async def opened_lightrag(
    models: ModelSettings, *, workspace: str, graph: str, local_vectors: bool = False
) -> AsyncIterator[LightRAG]:
    """Open a workspace; the stores' addresses are in the environment, as LightRAG wants it.

    Args:
        models: the endpoint and the settings of chunks.
        workspace: as the stores know it.
        graph: LightRAG's class.
        local_vectors: compute vectors here as the stub would, instead of asking it.
    """
    logging.getLogger("lightrag").setLevel(logging.ERROR)
    # One client for the process: LightRAG's own opens one for each call, which is no fair baseline.
    async with openai.AsyncOpenAI(
        base_url=models.url, api_key="bare", http_client=openai.DefaultAioHttpClient()
    ) as client:

        async def complete(
            prompt: str,
            system_prompt: str | None = None,
            history_messages: list[dict[str, Any]] | None = None,
            **_options: Any,  # noqa: ANN401 - LightRAG's
        ) -> str:
            system = [{"role": "system", "content": system_prompt}] if system_prompt else []
            messages: Any = [
                *system,
                *(history_messages or []),
                {"role": "user", "content": prompt},
            ]
            reply = await client.chat.completions.create(model=CHAT_MODEL, messages=messages)
            return reply.choices[0].message.content or ""

        async def embed(texts: list[str]) -> NDArray[np.float32]:
            if local_vectors:
                return np.array([embed_here(text, models.dimension) for text in texts])
            reply = await client.embeddings.create(model=EMBEDDING_MODEL, input=texts)
            return np.array([row.embedding for row in reply.data], dtype=np.float32)

        rag = LightRAG(
            workspace=workspace,
            kv_storage="RedisKVStorage",
            vector_storage="PGVectorStorage",
            graph_storage=graph,
            doc_status_storage="PGDocStatusStorage",
            llm_model_func=complete,
            llm_model_name=CHAT_MODEL,
            llm_model_max_async=models.concurrency,
            embedding_func=EmbeddingFunc(
                embedding_dim=models.dimension,
                max_token_size=8192,
                func=embed,
                model_name=EMBEDDING_MODEL,
            ),
            embedding_func_max_async=models.embedding_concurrency,
            # Ten texts a call is LightRAG's default; without a server, only calls cost anything.
            embedding_batch_num=1000 if local_vectors else 10,
            chunk_token_size=models.chunk_tokens,
            chunk_overlap_token_size=models.overlap_tokens,
            enable_llm_cache=False,
        )
        await rag.initialize_storages()
        try:
            yield rag
        finally:
            await rag.finalize_storages()
